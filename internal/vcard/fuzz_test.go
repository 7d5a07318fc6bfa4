package vcard

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// FuzzPrepare: whatever a text holds, what is prepared from it can be prepared
// again and is then left as it is.
func FuzzPrepare(f *testing.F) {
	f.Add([]byte(lines("BEGIN:VCARD", "VERSION:2.1", "N:a", "TEL;X-Custom(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=C3=96):1", `NOTE:a\b`, "FN:x", "FN:y", "END:VCARD")))
	f.Add([]byte(lines("BEGIN:VCARD", "VERSION:2.1", "N;QUOTED-PRINTABLE;CHARSET=latin1:a=FC=", "b;c", "TEL;HOME:1", "garbage", "END:VCARD", "begin:vcard", "UID:x")))
	f.Add([]byte(lines("BEGIN:VCARD", "VERSION:2.1", "N:a", "AGENT:", "BEGIN:VCARD", "FN:b", "END:VCARD", "END:VCARD")))
	f.Add([]byte(lines("BEGIN:VCARD", "VERSION:4.0", "N:a;b\\;c;d\\,e,f", "PHOTO:data:image/png;base64,AAAA", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1", "item1.X-ABLabel:x")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		cards, _, err := Prepare(raw)
		if err != nil {
			return
		}
		for _, c := range cards {
			if !utf8.Valid(c.Text) {
				t.Fatalf("no UTF-8:\n%q", c.Text)
			}
			again, remarks, err := Prepare(c.Text)
			if err != nil || len(again) != 1 {
				t.Fatalf("prepared again: %d cards, %v\n%s", len(again), err, c.Text)
			}
			d := again[0]
			if d.UID != c.UID || d.Digest != c.Digest || d.Kind != c.Kind || !bytes.Equal(d.Text, c.Text) || len(remarks) > 0 {
				t.Fatalf("prepared again it differs: %q %q, remarks %+v\n%s\n---\n%s", c.UID, d.UID, remarks, c.Text, d.Text)
			}
		}
	})
}
