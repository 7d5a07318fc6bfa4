package maildir

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]fileName{
		"1.M2P3.host":                       {base: "1.M2P3.host"},
		"1.M2P3.host,S=7,W=9:2,":            {base: "1.M2P3.host,S=7,W=9"},
		"1.host:2,FRSTDab":                  {base: "1.host", system: 31, letters: "ab"},
		"1.host:2,PS":                       {base: "1.host", system: model.Seen}, // P is nobody's flag in IMAP
		"1.host;2,S":                        {base: "1.host", system: model.Seen},
		"1.host!2,T":                        {base: "1.host", system: model.Deleted},
		"1.host:1,S":                        {base: "1.host"},
		"1.host:x:2,S":                      {base: "1.host", system: model.Seen},
		"1.strange!host":                    {base: "1.strange!host"},
		"1.host,S=703,W=710:2,Sa\u00e9\x00": {base: "1.host,S=703,W=710", system: model.Seen, letters: "a"},
	} {
		if got := parseName(name); got != want {
			t.Errorf("%q: %+v, want %+v", name, got, want)
		}
	}
	if n := sizeIn("1.host,S=703,W=710", 'W'); n != 710 {
		t.Errorf("W is %d", n)
	}
	if n := sizeIn("1.host,S=703,W=-1", 'W'); n != -1 {
		t.Errorf("a negative W gives %d", n)
	}
}

// records collects a list as the index does: the last line of a name counts.
func records(s string) (map[string]uidEntry, uidlist, int, error) {
	all := map[string]uidEntry{}
	l, bad, err := parseUIDList(strings.NewReader(s), func(base []byte, e uidEntry) {
		e.guid = bytes.Clone(e.guid)
		all[string(base)] = e
	})
	return all, l, bad, err
}

func TestParseUIDList(t *testing.T) {
	t.Parallel()
	const v3 = "3 V1275660208 N4 G3085f01b7f11094c501100008c4a11c1\n" +
		"1 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n" +
		"2 W2481 G0123 :1276533073.M242911P3632.kurkku:2,F\n" +
		"3 Zunknown W10 :a\n3 W11 :a\nnonsense\n0 :zero\n4\n"
	got, l, bad, err := records(v3)
	if err != nil || bad != 3 {
		t.Fatalf("%d bad lines, %v", bad, err)
	}
	want := map[string]uidEntry{
		"1276528487.M364837P9451.kurkku,S=1355,W=1394": {uid: 1, size: -1},
		"1276533073.M242911P3632.kurkku":               {uid: 2, size: 2481, guid: []byte("0123")},
		"a":                                            {uid: 3, size: 11},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(uidEntry{})); d != "" || l.validity != 1275660208 || l.guid != "3085f01b7f11094c501100008c4a11c1" {
		t.Errorf("%+v: %s", l, d)
	}
	if got, l, _, err = records("1 1234 5\n4 name:2,S\n"); err != nil || l.validity != 1234 || got["name"].uid != 4 {
		t.Errorf("version 1: %+v, %v", l, err)
	}
	for _, s := range []string{"", "2 V1", "3 N5", "3 Vx", "garbage"} {
		if _, _, _, err := records(s); err == nil {
			t.Errorf("%q was taken for a list", s)
		}
	}
}

func TestKeywords(t *testing.T) {
	t.Parallel()
	names, full, err := parseKeywords(strings.NewReader("0 $Forwarded\n1 Work\n26 TooMany\nx y\n2\n"))
	if err != nil || full {
		t.Fatal(full, err)
	}
	if got := keywordsOf("bacb", &names); !cmp.Equal(got, []string{"$Forwarded", "Work"}) {
		t.Errorf("%q", got)
	}
}

func FuzzUIDList(f *testing.F) {
	f.Add("3 V1 N2 G3085f01b7f11094c501100008c4a11c1\n1 W5 :a:2,S\n")
	f.Add("1 1 2\n1 a\n")
	f.Fuzz(func(t *testing.T, s string) {
		all, _, _, err := records(s)
		if err != nil {
			return
		}
		for base, e := range all {
			if base == "" || e.uid == 0 || strings.Contains(base, ":") {
				t.Fatalf("record %q: %+v", base, e)
			}
		}
	})
}

func FuzzKeywords(f *testing.F) {
	f.Add("0 a\n1 b\n")
	f.Fuzz(func(t *testing.T, s string) {
		_, _, _ = parseKeywords(strings.NewReader(s))
	})
}

// The base of a name is what stays when flags change, and flags survive being
// written again.
func FuzzFileName(f *testing.F) {
	for _, s := range []string{"1.M2P3.host,S=7,W=9:2,FSab", "1.h;2,S", "1.h!2,T", "a:b:2,S", ":2,", "1:1,x", ";2,", "99999999999999999999.x,W=-5,W=99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p := parseName(name)
		if !strings.HasPrefix(name, p.base) || strings.Contains(p.base, ":") {
			t.Fatalf("%q has base %q", name, p.base)
		}
		var none [letters]string
		if got := keywordsOf(p.letters, &none); got != nil {
			t.Fatalf("keywords %q without names", got)
		}
		if n := sizeIn(p.base, 'W'); n < -1 {
			t.Fatalf("%q: W is %d", name, n)
		}
		if uid := provisional(p.base); uid < model.ProvisionalUID || uid > 1<<63-1 {
			t.Fatalf("%q has provisional UID %d", name, uid)
		}
		again := parseName(p.base + ":2,S")
		if again.base != p.base || again.system != model.Seen {
			t.Fatalf("%q: read again as %+v", name, again)
		}
	})
}
