package stored

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// whole puts a CR before every LF that has none, in memory.
func whole(raw []byte) []byte {
	return appendCRLF(make([]byte, 0, len(raw)+bareLFs(raw)), raw)
}

// Both ways of adding CRs agree, whatever the pieces that come.
func FuzzCRLF(f *testing.F) {
	for _, s := range []string{"", "\n", "a\nb\r\nc\rd\n\n\r\n\r", "\r\r\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		want := whole(raw)
		if bytes.Contains(bytes.ReplaceAll(want, []byte("\r\n"), nil), []byte("\n")) {
			t.Fatalf("a bare LF is left in %q", want)
		}
		if got := bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))) {
			t.Fatalf("%q became %q", raw, want)
		}
		for _, r := range []io.Reader{bytes.NewReader(raw), iotest.OneByteReader(bytes.NewReader(raw))} {
			got, err := io.ReadAll(iotest.OneByteReader(newCRLF(r)))
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("streamed %q, want %q: %v", got, want, err)
			}
		}
	})
}
