package contentline

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func one(t *testing.T, raw string) (Line, []Remark) {
	t.Helper()
	lines, remarks := Read([]byte(raw))
	if len(lines) != 1 {
		t.Fatalf("%q: %d lines", raw, len(lines))
	}
	return lines[0], remarks
}

func TestParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw   string
		param string
		want  []string
		value string
		// written is the line as it is written again; empty: as it was.
		written string
	}{
		{`A;X=1:v`, "x", []string{"1"}, "v", ""},
		{`A;X=1,2;Y=z:v:w`, "X", []string{"1", "2"}, "v:w", ""},
		{`A;X="a,b;c:d",e:v`, "X", []string{"a,b;c:d", "e"}, "v", ""},
		{`A;CN=^'Q^' ^n ^^:v`, "CN", []string{"\"Q\" \n ^"}, "v", ""},
		{`A;CN="open:mailto:x@y`, "CN", []string{`"open`}, "mailto:x@y", `A;CN=^'open:mailto:x@y`},
		{`A;CN=a "b" c:v`, "CN", []string{"a b c"}, "v", `A;CN=a b c:v`},
		{`A;CN=Doe\, John:v`, "CN", []string{"Doe, John"}, "v", `A;CN="Doe, John":v`},
		{`A;SENT-BY=mailto:a@b:mailto:c@d`, "SENT-BY", []string{"mailto:a@b"}, "mailto:c@d", `A;SENT-BY="mailto:a@b":mailto:c@d`},
		{`A;HOME;X=1:v`, "", []string{"HOME"}, "v", ""},
		{`A;X:v`, "", []string{"X"}, "v", ""},
		{`A;:v`, "X", nil, "v", ""},
		{`item1.A;X=1:v`, "X", []string{"1"}, "v", ""},
	} {
		l, _ := one(t, c.raw)
		if got := l.Param(c.param); !slices.Equal(got, c.want) || l.Value != c.value || l.Name != "A" {
			t.Errorf("%s: %q is %q, value %q", c.raw, c.param, got, l.Value)
		}
		want := c.written
		if want == "" {
			want = c.raw
		}
		if got := l.String(); got != want {
			t.Errorf("%s: written as %s", c.raw, got)
		}
		again, _ := one(t, l.WithParams(l.Params).String())
		if got := again.Param(c.param); !slices.Equal(got, c.want) || again.Value != c.value {
			t.Errorf("%s: read again, %q is %q, value %q", c.raw, c.param, got, again.Value)
		}
	}
}

func TestWhatIsNoLineIsKept(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"no colon", "https://acme.test/x", "two words: x", ";X=1:v", "A;X=1"} {
		if l, _ := one(t, raw); l.Name != "" || l.Value != raw {
			t.Errorf("%q is %+v", raw, l)
		}
	}
}

func TestFolding(t *testing.T) {
	t.Parallel()
	long := New("A", strings.Repeat("äöü日本語😀 x", 40))
	b := long.Append(nil)
	for p := range bytes.SplitSeq(bytes.TrimSuffix(b, []byte("\r\n")), []byte("\r\n")) {
		if len(p) > MaxOctets || !utf8.Valid(p) {
			t.Errorf("%d octets, or a character cut: %q", len(p), p)
		}
	}
	if l, remarks := one(t, string(b)); l.Value != long.Value || len(remarks) > 0 {
		t.Errorf("read again: %+v, %+v", l, remarks)
	}
	for raw, want := range map[string]string{
		"A:on\r\n e\r\n\tline":                   "oneline",
		"A:on\n\n e":                             "one",
		"A:\xc3\r\n \xa4":                        "ä",
		"A;ENCODING=QUOTED-PRINTABLE:a=\r\n=20b": "a=20b",
		"PHOTO;ENCODING=BASE64:AAAA\r\nBBBB\r\nCC==\r\n\r\n": "AAAABBBBCC==",
		"A:one\rtwo":                 "one",
		"A;CHARSET=ISO-8859-2:\xb1":  "ą",
		"A:\xfc":                     "ü",
		"A:ä \xff":                   "ä \ufffd",
		"\xff\xfeA\x00:\x00\xe4\x00": "ä",
	} {
		lines, _ := Read([]byte(raw))
		if len(lines) == 0 || lines[0].Value != want {
			t.Errorf("%q is %+v, want %q", raw, lines, want)
		}
	}
}

// FuzzRead: lines that are written are read again as they were, and nothing is
// lost but line ends, control characters and what a Remark names.
func FuzzRead(f *testing.F) {
	f.Add([]byte("BEGIN:VCALENDAR\r\nA;X=\"1,2\",3;Y=^n:v\r\n continued\r\nno line\r\n"))
	f.Add([]byte("A;CHARSET=latin1;QUOTED-PRINTABLE:=E4=\r\nx\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		lines, _ := Read(raw)
		var b []byte
		for _, l := range lines {
			if l.IsQuotedPrintable() {
				return // must be decoded before it is written
			}
			b = l.Append(b)
		}
		again, remarks := Read(b)
		if bytes.Contains(bytes.ToUpper(b), []byte("ENCODING=B")) || bytes.Contains(bytes.ToUpper(b), []byte(";BASE64")) {
			return // a blank line before text that looks like base 64 means something
		}
		if len(again) != len(lines) {
			t.Fatalf("%d lines, then %d:\n%q", len(lines), len(again), b)
		}
		for _, r := range remarks {
			if r.Code != CodeParam {
				t.Fatalf("%+v on\n%q", r, b)
			}
		}
		if utf8.Valid(raw) && !bytes.ContainsAny(raw, "\r\x00") {
			for _, word := range bytes.Fields(raw) {
				if len(word) < 60 && bytes.IndexFunc(word, func(r rune) bool { return r < 0x20 || r == 0x7f || strings.ContainsRune("\"\\^;:=,\ufeff", r) }) < 0 && !bytes.Contains(bytes.ReplaceAll(b, []byte("\r\n "), nil), word) {
					t.Fatalf("%q is gone from\n%q", word, b)
				}
			}
		}
	})
}

// A blank before the value never stands at the end of a folded line; within the
// value it may.
func TestParametersAreNotFoldedBehindABlank(t *testing.T) {
	t.Parallel()
	for n := range 80 {
		l := New("X-PLACE", strings.Repeat("v ", 60), Param{Name: "X-TITLE", Values: []string{strings.Repeat("a", n+1) + " Dr. Who of Somewhere and of Nowhere at all, it seems to me now"}})
		text := string(l.Append(nil))
		back, _ := one(t, text)
		if back.String() != l.String() {
			t.Errorf("%q comes back as %q", text, back.String())
		}
		read, head := 0, len(l.String())-len(l.Value)
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\r\n")
			if len(line) > MaxOctets {
				t.Errorf("%d octets: %q", len(line), line)
			}
			if read += len(line); read < head && strings.HasSuffix(line, " ") {
				t.Errorf("folded behind a blank: %q", text)
			}
			read-- // of the fold
		}
	}
}
