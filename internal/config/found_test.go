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
			ACL:     ACL{Ignore: true}, // no list is in force: "acl" is not set
			Sieve:   Sieve{Before: []string{"/etc/dovecot/before.sieve"}},
			Users:   Users{Dovecot: AskDoveconf, Domain: "acme.test"},
			Public: &Public{Address: "shared@acme.test", Name: DefaultPublicName, Readers: []string{"anna@acme.test"},
				Locations: []PublicLocation{{Location: "maildir:/srv/public", Prefix: "Public/", Separator: "."}}}},
		"dovecot-2.4.conf": {Kind: KindDovecot,
			IMAP:    &IMAP{URL: "imaps://mail.old.test", Master: "migrate", Separator: "*", Password: newSecret(fromEnv, "OLD_MASTER"), Sieve: "sieve://mail.old.test"},
			Maildir: &Maildir{Path: "/srv/mail/%{user | domain}/%{user | username}/Maildir", Inbox: "/srv/mail/%{user | domain}/%{user | username}/Inbox", Layout: "fs"},
			ACL:     ACL{Ignore: true}, // no list is in force: "acl" is not set
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

// Lists that stand in Dovecot's configuration come into the draft, and out of it.
func TestFromDovecotWithConfiguredACL(t *testing.T) {
	t.Parallel()
	s, err := doveconf.Parse(strings.NewReader("mail_driver = mdbox\nmail_path = /srv/%{user}\nmail_plugins {\n  acl = yes\n}\nacl_driver = vfile\nnamespace inbox {\n  inbox = yes\n  separator = .\n  mailbox \"A \\\"b\\\" *\" {\n    acl \"group=my staff\" {\n      rights = -lr\n    }\n  }\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := ACL{Entries: []string{`"A \"b\" *" "-group=my staff" lr`}, Separator: "."}
	if d := cmp.Diff(want, drafted(t, FromDovecot(s.Facts(), "mail.old.test")).Source.ACL); d != "" {
		t.Error(d)
	}
}

func TestFromDovecotWithDbox(t *testing.T) {
	t.Parallel()
	for conf, want := range map[string]Dbox{
		"mail_location = sdbox:~/sdbox\nmail_home = /home/%n":                                                          {Location: "sdbox:/home/%n/sdbox"},
		"mail_location = mdbox:/srv/%d/%n:ALT=/alt/%n:UTF-8":                                                           {Location: "mdbox:/srv/%d/%n:ALT=/alt/%n:UTF-8"},
		"mail_location = dbox:~/m\nmail_attachment_dir = /srv/att":                                                     {Location: "sdbox:~/m", Attachments: "/srv/att"},
		"mail_driver = mdbox\nmail_path = ~/m\nmail_alt_path = ~/a":                                                    {Location: "mdbox:~/m:ALT=~/a"},
		"mail_location = sdbox:~/m\nmail_plugins = listescape":                                                         {Location: "sdbox:~/m", Escape: `\`},
		"mail_location = sdbox:~/m:LAYOUT=index\nmail_plugins = listescape\nplugin {\n  listescape_char = ^\n}":        {Location: "sdbox:~/m:LAYOUT=index", Escape: "^"},
		"mail_driver = sdbox\nmail_path = ~/m\nmail_ext_attachment_path = ~/att\nmailbox_list_storage_escape_char = %": {Location: "sdbox:~/m", Attachments: "~/att", Escape: "%"},
	} {
		s, err := doveconf.Parse(strings.NewReader(conf + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		c := drafted(t, FromDovecot(s.Facts(), "localhost"))
		if c.Source.Dbox == nil || c.Source.Maildir != nil {
			t.Errorf("%s: no dbox in %+v", conf, c.Source)
		} else if d := cmp.Diff(want, *c.Source.Dbox); d != "" {
			t.Errorf("%s: %s", conf, d)
		}
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
		"mail_location = mbox:~/mail":                            "mail is stored as mbox",
		"mail_location = sdbox:/srv/%Hu/%u":                      "variables that only Dovecot resolves",
		"mail_location = mdbox:/srv/mail":                        "is the same for everybody",
		"mail_location = mdbox:~/m:INDEX=MEMORY":                 "without indexes on disk",
		"mail_location = maildir:~/m\nmail_plugins = mail_crypt": "messages are encrypted on disk",
		"": "Dovecot has no master user yet",
	} {
		s, err := doveconf.Parse(strings.NewReader(conf + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		f := FromDovecot(s.Facts(), "localhost")
		if c := drafted(t, f); c.Source.Maildir != nil || c.Source.Dbox != nil || c.Source.IMAP.URL != "imaps://localhost" || !c.Source.IMAP.TLS.Insecure {
			t.Errorf("%q: %+v", conf, c.Source)
		}
		if !strings.Contains(strings.Join(f.Notes, "\n"), note) {
			t.Errorf("%q: %q", conf, f.Notes)
		}
	}
}
