package maildir

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

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
	l, bad, err := parseUIDList(strings.NewReader(s), func(base string, e uidEntry) { all[base] = e })
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
		"1276533073.M242911P3632.kurkku":               {uid: 2, size: 2481, guid: "0123"},
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

func TestDecodeName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "A &- B": "A & B", "&AMQ-rger": "Ärger", "&kAFP4W4IMH8-": "送信済み", "&2D3cUA-": "👐",
		"Français": "Français", "bad&utf": "bad&utf", "&*-": "&*-", "&AA-": "&AA-", "Caf\xe9": "Caf\uFFFD",
	} {
		if got := decodeName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"V\t2\n\nSent\nA\tB\n&AMQ-rger\nx\x01ty\n": {"Sent", "A\x00B", "Ärger", "x\ty"},
		"inbox\nA.B\n": {"INBOX", "A\x00B"},
		"":             nil,
	} {
		got, err := parseSubscriptions(strings.NewReader(file), ".")
		if err != nil || len(got) != len(want) {
			t.Errorf("%q: %v, %v", file, got, err)
		}
		for _, w := range want {
			if !got[w] {
				t.Errorf("%q: no %q in %v", file, w, got)
			}
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

func TestExpand(t *testing.T) {
	t.Parallel()
	a := model.Account{Login: "Anna@Acme.test", Home: "/home/anna"}
	for template, want := range map[string]string{
		"/srv/%d/%n/Maildir": "/srv/Acme.test/Anna/Maildir", "/srv/%Ld/%Ln": "/srv/acme.test/anna", "%h/Maildir": "/home/anna/Maildir",
		"~/Maildir": "/home/anna/Maildir", "/srv/%u": "/srv/Anna@Acme.test", "/a%%b": "/a%b",
		"/srv/%{user | domain | lower}/%{user|username}": "/srv/acme.test/Anna",
	} {
		if got, err := expand(template, a); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", template, got, err, want)
		}
	}
	for _, template := range []string{"relative/%n", "%%/x", "/%Hu", "/%", "/%{user", "/%é", "/%{user|md5}", "/%s"} {
		if got, err := expand(template, a); err == nil {
			t.Errorf("%q gave %q", template, got)
		}
	}
	if got, err := expand("/srv/%n", model.Account{Login: "../../etc@x"}); err == nil {
		t.Errorf("a login led to %q", got)
	}
}

// Both ways of adding CRs agree, whatever the pieces that come.
func FuzzCRLF(f *testing.F) {
	for _, s := range []string{"", "\n", "a\nb\r\nc\rd\n\n\r\n\r", "\r\r\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole := withCRLF(raw)
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

func FuzzUTF7(f *testing.F) {
	f.Add("&AMQ-rger")
	f.Add("a&-b")
	f.Fuzz(func(t *testing.T, s string) {
		// What decodes, encodes to something that decodes to the same.
		d, err := decodeUTF7(s)
		if err != nil || !utf8.ValidString(d) || strings.ContainsAny(d, "\x00\uFFFD") {
			return
		}
		if again, err := decodeUTF7(encodeUTF7(d)); err != nil || again != d {
			t.Fatalf("%q → %q → %q, %v", s, d, again, err)
		}
	})
}

func FuzzKeywordsAndSubscriptions(f *testing.F) {
	f.Add("0 a\n1 b\n")
	f.Add("V\t2\n\nA\tB\n")
	f.Fuzz(func(t *testing.T, s string) {
		_, _, _ = parseKeywords(strings.NewReader(s))
		_, _ = parseSubscriptions(strings.NewReader(s), ".")
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

func FuzzTemplate(f *testing.F) {
	f.Add("/srv/%d/%n/Maildir", "anna@acme.test")
	f.Add("/\x80%n", "0")
	f.Add("/%{user | domain | lower}/%Ln", "../x@..")
	f.Fuzz(func(t *testing.T, template, login string) {
		path, err := expand(template, model.Account{Login: login})
		if err == nil && !strings.HasPrefix(path, "/") {
			t.Fatalf("%q for %q: %q", template, login, path)
		}
		if pattern, read, ok := matcher(template); ok {
			_, _ = read(path)
			if pattern == "" {
				t.Fatalf("no pattern for %q", template)
			}
		}
	})
}
