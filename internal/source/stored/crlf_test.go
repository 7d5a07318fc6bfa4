package stored

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// Both ways of adding CRs agree, whatever the pieces that come.
func FuzzCRLF(f *testing.F) {
	for _, s := range []string{"", "\n", "a\nb\r\nc\rd\n\n\r\n\r", "\r\r\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole := CRLF(raw)
		if bytes.Contains(bytes.ReplaceAll(whole, []byte("\r\n"), nil), []byte("\n")) {
			t.Fatalf("a bare LF is left in %q", whole)
		}
		if got := bytes.ReplaceAll(whole, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))) {
			t.Fatalf("%q became %q", raw, whole)
		}
		for _, r := range []io.Reader{bytes.NewReader(raw), iotest.OneByteReader(bytes.NewReader(raw))} {
			got, err := io.ReadAll(iotest.OneByteReader(newCRLF(r)))
			if err != nil || !bytes.Equal(got, whole) {
				t.Fatalf("streamed %q, want %q: %v", got, whole, err)
			}
		}
	})
}
