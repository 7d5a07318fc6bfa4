package stalwart

import (
	"bytes"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
)

// How a message travels follows from its size and content: text as it is, other
// octets in base 64, and by HTTP where it is large, or where the third that base 64
// adds is.
func TestShapeOfUploads(t *testing.T) {
	t.Parallel()
	text := func(n int) []byte { return []byte(strings.Repeat("Good day. ", n/10)) }
	octets := func(n int) []byte { return bytes.Repeat([]byte{0xff, 0x80, 0, 0xfe}, n/4) }
	const asText, asBase64, byHTTP = "data:asText", "data:asBase64", "HTTP"
	for _, c := range []struct {
		what string
		raw  []byte
		want string
	}{
		{"short text", text(1000), asText},
		{"long text", text(inline - 100), asText},
		{"longer text", text(inline + 100), byHTTP},
		{"UTF-8", []byte(strings.Repeat("Grüße. ", 1000)), asText},
		{"octets", octets(20_000), asBase64},
		{"many octets", octets(inlineBase64 - 100), asBase64},
		{"more octets", octets(inlineBase64 + 100), byHTTP},
		{"nothing", nil, byHTTP},
	} {
		a := &Account{d: &Destination{session: &jmap.Session{}}, id: "a"}
		p := a.pack([]destination.Blob{{Bytes: c.raw, Size: int64(len(c.raw))}})
		got := byHTTP
		if len(p.batches) == 1 {
			got = asText
			if bytes.Contains(p.batches[0].arguments(), []byte(asBase64)) {
				got = asBase64
			}
		}
		if got != c.want || (len(p.streams) == 1) != (c.want == byHTTP) {
			t.Errorf("%s: %s, want %s; %d batches, %d streams", c.what, got, c.want, len(p.batches), len(p.streams))
		}
	}
}
