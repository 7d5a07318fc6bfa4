package dav

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// FuzzMend: however a text arrives, it is mended the same, to UTF-8, and once is
// enough.
func FuzzMend(f *testing.F) {
	for _, s := range []string{"", "plain", `<?xml version="1.0" encoding="utf-8"?><a>&#8;&amp;&x &#x110000;</a>`, "<![CDATA[a & b]]>&", "\xef\xbf\xbe\xf6\xc3", `<?xml encoding="iso-8859-1"?>` + "\xf6", strings.Repeat("é&", 20_000)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		read := func(r io.Reader) []byte {
			b, err := io.ReadAll(mend(r))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		once := read(bytes.NewReader(raw))
		if slow := read(iotest.OneByteReader(bytes.NewReader(raw))); !bytes.Equal(once, slow) {
			t.Fatalf("octet by octet: %q, else %q", slow, once)
		}
		m := mend(bytes.NewReader(raw)).(*mended)
		if !m.foreign && !utf8.Valid(once) {
			t.Fatalf("no UTF-8: %q", once)
		}
		if twice := read(bytes.NewReader(once)); !m.foreign && !bytes.Equal(once, twice) {
			t.Fatalf("mended again: %q, before %q", twice, once)
		}
	})
}
