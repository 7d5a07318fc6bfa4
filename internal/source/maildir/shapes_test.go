package maildir

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// Names as servers and delivery agents write them, and as they do not.
var fileNames = []string{
	"1276528487.M364837P9451.kurkku,S=1355,W=1394", "1276528487.M064837P9451.kurkku,S=1355,W=1394",
	"1180012345.M123456P1234V0000000000000801I00000000045ABCD_0.host,S=1234", "1180012345.V801IabcdM3P1.host", "1180012345.V801IM3P1.host",
	"1234.R3245678_1.host,U=12,FMD5=7e33429f656f1e6e9d79b29c3f82c57e", "1234.R3245678_1.host,U=12,FMD5=7E33429F656F1E6E9D79B29C3F82C57E",
	"", "0", "00", "000000000000000000000000000000", "01", "1", "1a", "1A", "1aA", "I", "Iaf", "IAf", "I0af", "IafIAF", "i1f",
	strings.Repeat("9", 100), strings.Repeat("f", 100), "I" + strings.Repeat("0f", 50), "Grüße", "\xff\xfe1", "a\x00d", "a5", "a\x00d5",
}

// Every base name is read as it was written, and none is taken for another.
func TestCoder(t *testing.T) {
	t.Parallel()
	c := &coder{}
	written := map[string][]byte{}
	for i := range 3 * mostWords {
		// Too many shapes to keep all.
		fileNames := append([]string{fmt.Sprintf("%s.%d", strings.Repeat("x", i%200)+strings.Repeat("y", i/200), i)}, fileNames[:min(len(fileNames), 8*(i%5))]...)
		for _, name := range fileNames {
			w := c.appendBase(nil, []byte(name), true)
			if was, ok := written[name]; ok && !bytes.Equal(was, w) {
				t.Fatalf("%q was written as %x and as %x", name, was, w)
			}
			written[name] = w
			follows := append(bytes.Clone(w), "\x01\x02"...)
			if got := c.readBase([]byte("-"), follows); string(got) != "-"+name {
				t.Fatalf("%q was read as %q", name, got)
			}
			if got := c.written(follows); !bytes.Equal(got, w) {
				t.Fatalf("%q takes %x of %x", name, got, w)
			}
		}
	}
	if len(c.shapes.texts) != mostWords {
		t.Errorf("%d shapes", len(c.shapes.texts))
	}
	for _, name := range fileNames {
		w := c.appendBase(nil, []byte(name), false)
		for other, o := range written {
			if other != name && bytes.HasPrefix(o, w) {
				t.Fatalf("%q is taken for %q", other, name)
			}
		}
	}
}

func FuzzCoder(f *testing.F) {
	for _, name := range fileNames {
		f.Add([]byte(name), []byte("1276528487.M364837P9451.kurkku"))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		c := &coder{}
		wa := c.appendBase(nil, a, true)
		wb := c.appendBase(nil, b, true)
		if got := c.readBase(nil, wa); !bytes.Equal(got, a) {
			t.Fatalf("%q was read as %q", a, got)
		}
		if again := c.appendBase(nil, a, false); !bytes.Equal(again, wa) {
			t.Fatalf("%q was written as %x and as %x", a, wa, again)
		}
		if bytes.HasPrefix(wb, wa) && !bytes.Equal(a, b) {
			t.Fatalf("%q and %q are written as %x and %x", a, b, wa, wb)
		}
	})
}
