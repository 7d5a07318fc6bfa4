package doveconf

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := Parse(strings.NewReader(`# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf
# Pigeonhole version 0.5.19
empty =
plain = a b = c
quoted = " a \"b\" \\ # c "
single = 'it'
hidden = # hidden, use -P to show it
commented = yes # no
text = <<END_7
 one
}
END_7
brace = {
namespace inbox {
  mailbox "Sent Messages" {
    special_use = \Sent
  }
}
passdb {
  driver = pam
}
`))
	want := Settings{Version: "2.3.19.1", File: "/etc/dovecot/dovecot.conf", Block: Block{
		Values: []Value{{"empty", ""}, {"plain", "a b = c"}, {"quoted", ` a "b" \ # c `}, {"single", "it"}, {"hidden", ""}, {"commented", "yes"}, {"text", " one\n}"}, {"brace", "{"}},
		Blocks: []*Block{
			{Type: "namespace", Name: "inbox", Blocks: []*Block{{Type: "mailbox", Name: "Sent Messages", Values: []Value{{"special_use", `\Sent`}}}}},
			{Type: "passdb", Values: []Value{{"driver", "pam"}}},
		},
	}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a = b\n}\n":                "doveconf's output, line 2: a } closes nothing",
		"x {\n  y z {\n  }\n":       "doveconf's output ends within the section x ",
		"!include conf.d/*.conf":    `doveconf's output, line 1: "!include conf.d/*.conf": give the output of doveconf -n, not dovecot.conf: only Dovecot follows includes`,
		"\nsome words\n":            `doveconf's output, line 2: "some words" is neither a setting nor a section`,
		"a b = c\n":                 `doveconf's output, line 1: "a b = c" is neither a setting nor a section`,
		"t = <<END\nx\n":            "doveconf's output, line 2: the text of t does not end: there is no END",
		strings.Repeat("a {\n", 40): "doveconf's output, line 32: sections are nested more than 32 deep",
	} {
		_, err := Parse(strings.NewReader(in))
		if err == nil || err.Error() != want || model.ClassOf(err) != model.ClassFatal {
			t.Errorf("%q: %v\nwant %s", in, err, want)
		}
	}
	broken := errors.New("broken pipe")
	if _, err := Parse(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"dovecot-2.3.conf", "dovecot-2.4.conf"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add("mail_location = maildir:~/a:INBOX=b:UTF-8\nservice imap-login {\ninet_listener {\nport = 99999999999999999999\n}\n}\n")
	f.Add("a = \"x\\")
	f.Add("mail_plugins {\nacl = yes\n}\nacl_driver = vfile\ngroup @a b {\n@a = b\nacl anyone {\nrights = -lr\n}\n}\n@a = b\nnamespace {\ninbox = yes\nmailbox \"a *\" {\nacl x {\n}\n}\n}\n")
	f.Fuzz(func(t *testing.T, in string) {
		s, err := Parse(strings.NewReader(in))
		if err != nil && model.ClassOf(err) != model.ClassFatal {
			t.Error(err)
		}
		facts := s.Facts()
		for _, l := range facts.Listeners {
			if l.Port < 1 || l.Port > 65535 || len(l.Addresses) == 0 || l.URL("h") == "" {
				t.Errorf("%+v", l)
			}
		}
		if l := facts.Mail; !l.IsZero() && l.Driver != "" {
			if again := ParseLocation(l.String()); strings.Count(l.String(), ":") == len(l.Options)+1 && again.Path != l.Path && l.Driver == again.Driver {
				t.Errorf("%q became %q", l, again)
			}
		}
	})
}
