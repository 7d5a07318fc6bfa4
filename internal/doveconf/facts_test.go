package doveconf

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func factsOf(t *testing.T, file string) Facts {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	return s.Facts()
}

func TestFacts23(t *testing.T) {
	t.Parallel()
	here := []string{"127.0.0.1"}
	want := Facts{
		Version: "2.3.19.1",
		Mail:    Location{Driver: "maildir", Path: "/srv/mail/%d/%n/Maildir", Options: map[string]string{"INBOX": "~/In box", "LAYOUT": "fs"}},
		Home:    "/srv/mail/%d/%n", DefaultDomain: "acme.test", MasterSeparator: "*",
		Passwd:    []PasswdFile{{"/etc/dovecot/users", "SHA512-CRYPT", "%u"}},
		Masters:   []PasswdFile{{Path: "/etc/dovecot/masters"}},
		Databases: true,
		Protocols: []string{"imap", "sieve"},
		Listeners: []Listener{{"imaps", here, 1993, true}, {"sieve", here, 4190, false}},
		Sieve:     "~/sieve", SieveActive: "~/.dovecot.sieve", Separator: "/",
		SieveBefore: []string{"/etc/dovecot/before.sieve"},
		ACL:         ACL{Ignore: true}, // the plugin without "acl =" does nothing
		Public:      []PublicNamespace{{Prefix: "Public/", Location: Location{Driver: "maildir", Path: "/srv/public"}}},
		Notes: []string{
			`namespace "pub" is public and belongs to nobody: it moves into a group account, see source.public`,
			"the acl plugin is on: a master user sees nothing unless acl_user = %u (2.4: acl_user = %{user})",
		},
	}
	if d := cmp.Diff(want, factsOf(t, "dovecot-2.3.conf")); d != "" {
		t.Error(d)
	}
}

func TestFacts24(t *testing.T) {
	t.Parallel()
	everywhere := []string{"192.0.2.7", "::"}
	want := Facts{
		Version: "2.4.1-4",
		Mail:    Location{Driver: "maildir", Path: "~/Maildir", Options: map[string]string{"INBOX": "~/Inbox", "LAYOUT": "fs"}},
		Home:    "/srv/mail/%{user | domain}/%{user | username}", DefaultDomain: "acme.test", MasterSeparator: "*",
		Passwd:    []PasswdFile{{"/etc/dovecot/users", "ARGON2ID", "%{user | lower}"}},
		Masters:   []PasswdFile{{Path: "/etc/dovecot/masters"}},
		Databases: true,
		Protocols: []string{"imap", "lmtp", "sieve"},
		Listeners: []Listener{{"imap", everywhere, 1143, false}, {"imaps", everywhere, 993, true}, {"sieve", everywhere, 4190, false}, {"sieve_deprecated", everywhere, 2000, false}},
		Sieve:     "~/scripts", SieveActive: "~/.dovecot.sieve", Separator: "/",
		SieveBefore: []string{"/etc/dovecot/before.sieve"},
		ACL:         ACL{Ignore: true}, // the plugin without "acl =" does nothing
		Notes: []string{
			`namespace "shared" shows other users' mailboxes: they move with their owners; mailhaul share carries who may use them`,
			"the acl plugin is on: a master user sees nothing unless acl_user = %u (2.4: acl_user = %{user})",
		},
	}
	if d := cmp.Diff(want, factsOf(t, "dovecot-2.4.conf")); d != "" {
		t.Error(d)
	}
}

func TestFactsNotes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                  "Dovecot finds out itself how each user's mail is stored: it is read over IMAP unless source.maildir or source.dbox names a path",
		"mail_location = mbox:~/mail":       "mail is stored as mbox, which is not read from disk yet: it is read over IMAP",
		"mail_location = imapc:":            "mail is stored as imapc, which is not read from disk yet: it is read over IMAP",
		"mail_location = maildir:~/M:UTF-8": "mailbox names are UTF-8 on disk (mailbox_list_utf8): read them over IMAP",
		"mail_location = maildir:~/M\nnamespace archive {\nlocation = mdbox:/archive/%u\nprefix = Archive/\n}": `namespace "archive" keeps its mail elsewhere (mdbox:/archive/%u): it moves as far as it is read over IMAP`,
		"mail_plugins = mail_crypt":         "messages are encrypted on disk (mail_crypt): read them over IMAP",
		"passdb {\ndriver = passwd-file\n}": "a passdb passwd-file has no path that could be read",
	} {
		s, err := Parse(strings.NewReader(in + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if notes := s.Facts().Notes; !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("%q: %q\nwant %s", in, notes, want)
		}
	}
}

// Who exists is told by one file, by databases, or by nothing that can be read.
func TestFactsDatabases(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Facts{
		"passdb {\ndriver = passwd-file\nargs = /u\n}\nuserdb {\ndriver = passwd-file\nargs = /u\n}":                         {},
		"passdb {\ndriver = passwd-file\nargs = /u\n}\nuserdb {\ndriver = passwd-file\nargs = /v\n}":                         {Databases: true},
		"passdb {\ndriver = pam\n}\nuserdb {\ndriver = passwd\n}":                                                            {Databases: true},
		"passdb a {\npasswd_file_path = /x/%d\ndriver = passwd-file\n}":                                                      {Databases: true},
		"passdb {\ndriver = ldap\nargs = /l\nmaster = yes\n}\npassdb {\ndriver = passwd-file\nargs = /u\n}":                  {},
		"userdb {\ndriver = lua\nargs = file=/x\n}\nplugin {\nquota_rule = *:storage=1G\nquota_rule2 = Trash:storage=+5M\n}": {OnlyDovecot: []string{"userdb lua"}, Quota: 1 << 30},
		"dovecot_config_version = 2.4.0\nquota user {\nstorage_size = 2G\n}":                                                 {Quota: 2 << 30},
		"plugin {\nquota_rule = *:storage=1000:messages=7\n}":                                                                {Quota: 1000 << 10},
	} {
		s, err := Parse(strings.NewReader(in + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		f := s.Facts()
		got := Facts{Databases: f.Databases, OnlyDovecot: f.OnlyDovecot, Quota: f.Quota}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: %s", in, d)
		}
	}
}

func TestListenerURL(t *testing.T) {
	t.Parallel()
	for want, l := range map[string]Listener{
		"imaps://mail.test":      {"imaps", []string{"*", "::"}, 993, true},
		"imap://mail.test:1143":  {"imap", nil, 1143, false},
		"imaps://127.0.0.1:1993": {"imaps", []string{"127.0.0.1"}, 1993, true},
		"sieve://[2001:db8::1]":  {"sieve", []string{"2001:db8::1"}, 4190, false},
		"imap://[::1]:99":        {"imap", []string{"::1"}, 99, false},
	} {
		if got := l.URL("mail.test"); got != want {
			t.Errorf("%+v: %s, want %s", l, got, want)
		}
	}
	f := factsOf(t, "dovecot-2.4.conf")
	if l, ok := f.Listener("imap"); !ok || l.Name != "imaps" {
		t.Errorf("%+v", l)
	}
	if l, ok := f.Listener("sieve"); !ok || l.Port != 4190 {
		t.Errorf("%+v", l)
	}
	if l, ok := f.Listener("pop3"); ok {
		t.Errorf("%+v", l)
	}
}

func TestParseLocation(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Location{
		"":                             {},
		"maildir:~/Maildir":            {Driver: "maildir", Path: "~/Maildir"},
		"~/mail":                       {Path: "~/mail"},
		"mdbox:~/m:ALT=/old:index=/i:": {Driver: "mdbox", Path: "~/m", Options: map[string]string{"ALT": "/old", "INDEX": "/i"}},
		"maildir:":                     {Driver: "maildir"},
	} {
		if d := cmp.Diff(want, ParseLocation(in)); d != "" {
			t.Errorf("%q: %s", in, d)
		}
	}
	if s := ParseLocation("maildir:~/M:UTF-8:LAYOUT=fs").String(); s != "maildir:~/M:LAYOUT=fs:UTF-8" {
		t.Error(s)
	}
}
