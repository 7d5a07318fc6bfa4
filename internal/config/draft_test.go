package config

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// drafted is what Load understands of a draft.
func drafted(t *testing.T, f Found) *Config {
	t.Helper()
	var b bytes.Buffer
	if err := Draft(&b, f); err != nil {
		t.Fatal(err)
	}
	c, err := Parse("/e/mailhaul.yaml", b.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return c
}

func TestDraft(t *testing.T) {
	t.Parallel()
	c := drafted(t, Found{})
	if c.Source.IMAP.URL != "imaps://mail.old.test" || c.Engagement != "/e/engagement" || c.Source.Maildir != nil {
		t.Errorf("%+v", c)
	}
	c = drafted(t, Found{
		What: "Dovecot 2.3.19.1\non this host", IMAP: "imap://localhost:1143", Sieve: "sieve://localhost", Insecure: true, Master: "admin", Separator: "*",
		Maildir: "/srv/mail/%d/%n/Maildir", Inbox: "%h/in", Layout: "fs", Passwd: "/etc/dovecot/users", Scheme: "PLAIN", Domain: "acme.test",
		Notes: []string{"mbox: is not\n  supported", "x"}, Postfix: true,
	})
	if d := cmp.Diff(Source{Kind: KindDovecot,
		IMAP:    &IMAP{URL: "imap://localhost:1143", Master: "admin", Separator: "*", Password: newSecret(fromEnv, "OLD_MASTER"), Sieve: "sieve://localhost", TLS: TLS{Insecure: true}},
		Maildir: &Maildir{Path: "/srv/mail/%d/%n/Maildir", Inbox: "%h/in", Layout: "fs"},
		Users:   Users{Passwd: "/etc/dovecot/users", Scheme: "PLAIN", Domain: "acme.test"},
		Postfix: &Postfix{Config: AskPostconf},
	}, c.Source); d != "" {
		t.Error(d)
	}
	if c.Engagement != "/e/acme" {
		t.Error(c.Engagement)
	}
	c = drafted(t, Found{Users: []string{"anna", "yes", "007", "a: b", "*", "x#y", "\"q\"", "ü@acme.test", "null"}})
	if d := cmp.Diff([]string{"anna", "yes", "007", "a: b", "*", "x#y", "\"q\"", "ü@acme.test", "null"}, c.Source.Users.List); d != "" {
		t.Error(d)
	}
}

// Whatever was found, the draft is a file that gives it back.
func FuzzDraft(f *testing.F) {
	f.Add("/srv/mail/%d/%n/Maildir", "*", "note", "migrate")
	f.Add("~/a b", "\"", "# x\n- y", "null")
	f.Add("%h/x: y", "\u2028", "\r", "1e3")
	f.Fuzz(func(t *testing.T, path, separator, note, master string) {
		for _, s := range []string{path, separator, master} {
			for _, r := range s {
				if r < ' ' || r == '\ufffd' || r == 0x7f { // no setting of Dovecot has these
					return
				}
			}
			if strings.TrimSpace(s) == "" || strings.ToValidUTF8(s, "") != s {
				return
			}
		}
		if path[0] != '/' || strings.Contains(master, separator) || !strings.Contains(path, "%") {
			return
		}
		c := drafted(t, Found{IMAP: "imaps://x.test", Maildir: path, Separator: separator, Master: master, Notes: []string{note}})
		if c.Source.Maildir.Path != path || c.Source.IMAP.Separator != separator || c.Source.IMAP.Master != master {
			t.Errorf("%q %q %q became %q %q %q", path, separator, master, c.Source.Maildir.Path, c.Source.IMAP.Separator, c.Source.IMAP.Master)
		}
	})
}
