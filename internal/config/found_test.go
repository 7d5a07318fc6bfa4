package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/doveconf"
)

// What doveconf printed on two hosts becomes files that load.
func TestFromDovecot(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]Source{
		"dovecot-2.3.conf": {Kind: KindDovecot,
			IMAP:    &IMAP{URL: "imaps://127.0.0.1:1993", Master: "migrate", Separator: "*", Password: newSecret(fromEnv, "OLD_MASTER"), Sieve: "sieve://127.0.0.1", TLS: TLS{Insecure: true}},
			Maildir: &Maildir{Path: "/srv/mail/%d/%n/Maildir", Inbox: "/srv/mail/%d/%n/In box", Layout: "fs"},
			Sieve:   Sieve{Before: []string{"/etc/dovecot/before.sieve"}},
			Users:   Users{Dovecot: AskDoveconf, Domain: "acme.test"}},
		"dovecot-2.4.conf": {Kind: KindDovecot,
			IMAP:    &IMAP{URL: "imaps://mail.old.test", Master: "migrate", Separator: "*", Password: newSecret(fromEnv, "OLD_MASTER"), Sieve: "sieve://mail.old.test"},
			Maildir: &Maildir{Path: "/srv/mail/%{user | domain}/%{user | username}/Maildir", Inbox: "/srv/mail/%{user | domain}/%{user | username}/Inbox", Layout: "fs"},
			Sieve:   Sieve{Before: []string{"/etc/dovecot/before.sieve"}},
			Users:   Users{Dovecot: AskDoveconf, Domain: "acme.test"}},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(filepath.Join("..", "doveconf", "testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			s, err := doveconf.Parse(f)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, drafted(t, FromDovecot(s.Facts(), "mail.old.test")).Source); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFromDovecotOverIMAPOnly(t *testing.T) {
	t.Parallel()
	for conf, note := range map[string]string{
		"mail_location = maildir:/srv/%Hu/%u":                    "variables that only Dovecot resolves",
		"mail_location = maildir:/srv/%{user | rot13}/x":         "variables that only Dovecot resolves",
		"mail_location = maildir:/srv/mail":                      "is the same for everybody",
		"mail_location = maildir:~/m:LAYOUT=index":               `the mailbox layout "index" is not read from disk`,
		"mail_location = maildir:~/m:UTF-8":                      "mailbox_list_utf8",
		"mail_location = sdbox:~/sdbox":                          "mail is stored as sdbox",
		"mail_location = maildir:~/m\nmail_plugins = mail_crypt": "messages are encrypted on disk",
		"": "Dovecot has no master user yet",
	} {
		s, err := doveconf.Parse(strings.NewReader(conf + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		f := FromDovecot(s.Facts(), "localhost")
		if c := drafted(t, f); c.Source.Maildir != nil || c.Source.IMAP.URL != "imaps://localhost" || !c.Source.IMAP.TLS.Insecure {
			t.Errorf("%q: %+v", conf, c.Source)
		}
		if !strings.Contains(strings.Join(f.Notes, "\n"), note) {
			t.Errorf("%q: %q", conf, f.Notes)
		}
	}
}
