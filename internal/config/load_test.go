package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func TestLoadExample(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "examples")
	c, err := Load(filepath.Join(dir, "mailhaul.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		File:       filepath.Join(dir, "mailhaul.yaml"),
		Engagement: filepath.Join(dir, "acme"),
		Source: Source{Kind: KindDovecot,
			IMAP:    &IMAP{URL: "imaps://mail.old.test", Master: "migrate", Separator: "*", Password: newSecret(fromEnv, "OLD_MASTER"), Sieve: "sieve://mail.old.test"},
			Maildir: &Maildir{Path: "/srv/mail/%d/%n/Maildir"},
			Users:   Users{Passwd: "/etc/dovecot/users", Domain: "acme.test"}},
		Destination: Destination{URL: "https://mail.new.test", User: "migrate@acme.test", Password: newSecret(fromFile, "/run/secrets/stalwart")},
		Accounts: []Account{{Source: "anna", Destination: "anna.k@acme.test"}, {Source: "*@old.test", Destination: "*@acme.test"},
			{Source: "test*", Exclude: true, Reason: "test accounts"}},
		Waves:  []Wave{{Name: "pilot", Globs: []string{"anna.k@acme.test"}}, {Name: "rest", Globs: []string{"*"}}},
		Limits: Limits{Connections: 8, Accounts: 4, Bandwidth: 50 << 20, Buffer: 128 << 20, Patience: time.Minute},
	}
	for i := range c.Accounts {
		if !strings.HasPrefix(c.Accounts[i].Where, "mailhaul.yaml:") {
			t.Errorf("rule at %q", c.Accounts[i].Where)
		}
		c.Accounts[i].Where = ""
	}
	for i := range c.Waves {
		c.Waves[i].Where = ""
	}
	if d := cmp.Diff(want, c); d != "" {
		t.Error(d)
	}
}

// What the schema knows, it tells when asked for nonsense.
func TestExampleShowsEverySetting(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "mailhaul.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const nonsense = "{qqqqqqqqqqqq: 1}"
	_, err = Parse("m.yaml", []byte("qqqqqqqqqqqq: 1\naccounts: ["+nonsense+"]\nlimits: "+nonsense+"\ndestination: {qqqqqqqqqqqq: 1, tls: "+nonsense+
		"}\nsource: {qqqqqqqqqqqq: 1, imap: "+nonsense+", maildir: "+nonsense+", dbox: "+nonsense+", acl: "+nonsense+", cyrus: "+nonsense+", dav: "+nonsense+", vdir: "+nonsense+", users: {qqqqqqqqqqqq: 1, sql: "+nonsense+", ldap: "+nonsense+"}}\n"))
	if err == nil {
		t.Fatal("nonsense was accepted")
	}
	known := 0
	for line := range strings.Lines(err.Error()) {
		_, keys, ok := strings.Cut(line, ": known are ")
		if !ok {
			continue
		}
		for k := range strings.SplitSeq(strings.TrimSpace(keys), ", ") {
			known++
			if !strings.Contains(string(b), k+":") {
				t.Errorf("the example does not show %s", k)
			}
		}
	}
	if known < 40 {
		t.Errorf("the schema told of %d settings only:\n%v", known, err)
	}
}

// base is a small file that is right.
const base = `engagement: acme
source:
  kind: maildir
  maildir: {path: "mail/%d/%n"}
destination: {embedded: true}
`

// base2dav is base with a server of calendars beside it.
const base2dav = `engagement: acme
source:
  kind: maildir
  maildir: {path: "mail/%d/%n"}
  dav: {url: "https://d.test/{user}/", master: m, password: env:P}
destination: {embedded: true}
`

func TestLoadForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		look func(*Config) bool
	}{
		"relative paths": {base, func(c *Config) bool { return c.Engagement == "d/acme" && c.Source.Maildir.Path == "d/mail/%d/%n" }},
		"defaults": {base, func(c *Config) bool {
			return cmp.Equal(c.Limits, Limits{Connections: 8, Accounts: 4, Buffer: 128 << 20, Patience: time.Minute})
		}},
		"hours":                   {base + "limits: {hours: 20:00-06:00}\n", func(c *Config) bool { return c.Limits.Hours.String() == "20:00-06:00" }},
		"hours of days":           {base + "limits:\n  hours: Mon-Fri 20:00-06:00, Sat-Sun\n", func(c *Config) bool { return c.Limits.Hours.String() == "Mon-Fri 20:00-06:00, Sat-Sun" }},
		"hours in a list":         {base + "limits:\n  hours:\n  - Sat-Sun\n  - Mon-Fri 20:00-06:00\n", func(c *Config) bool { return c.Limits.Hours.String() == "Mon-Fri 20:00-06:00, Sat-Sun" }},
		"paths from the home":     {strings.Replace(base, "mail/%d/%n", "~/Maildir", 1), func(c *Config) bool { return c.Source.Maildir.Path == "~/Maildir" }},
		"one account, one folder": {strings.Replace(base, `{path: "mail/%d/%n"}`, "{path: /m}\n  users: [anna@x.test]", 1), func(c *Config) bool { return c.Source.Users.List[0] == "anna@x.test" }},
		"numbers as text": {base + "accounts: [{source: 007}]\nwaves: {2024: 007}\n", func(c *Config) bool {
			return c.Accounts[0].Source == "007" && c.Waves[0].Name == "2024" && c.Waves[0].Globs[0] == "007"
		}},
		"anchors":                  {base + "accounts:\n  - {source: a, reason: &r gone, exclude: true}\n  - {source: b, reason: *r, exclude: true}\n", func(c *Config) bool { return c.Accounts[1].Reason == "gone" }},
		"inline secret":            {base + "accounts: [{source: a, password: 'inline:p w'}]\n", func(c *Config) bool { return c.Accounts[0].Password.Equal(newSecret(inline, "p w")) }},
		"all inline":               {base + "accounts: [{source: a, password: 1234}]\ninsecure_inline_secrets: true\n", func(c *Config) bool { return c.Accounts[0].Password.Equal(newSecret(inline, "1234")) }},
		"rehearsal keeps the user": {strings.Replace(base, "embedded: true", "embedded: true, user: u, password: env:X", 1), func(c *Config) bool { return c.Destination.Embedded }},
		"http on this host":        {strings.Replace(base, "embedded: true", "url: 'http://127.0.0.1:8080', user: u, password: env:X", 1), func(c *Config) bool { return c.Destination.URL == "http://127.0.0.1:8080" }},
		"xoauth2 as a master": {"engagement: a\nsource: {kind: imap, imap: {url: 'imap://x:143', master: m, mechanism: xoauth2, token: file:t}, users: [a]}\ndestination: {embedded: true}\n",
			func(c *Config) bool { return c.Source.IMAP.Token.Equal(newSecret(fromFile, "d/t")) }},
		"calendars beside mail": {base2dav, func(c *Config) bool {
			return c.Source.DAV.URL == "https://d.test/{user}/" && c.Source.DAV.AuthorizeAs == false && c.Source.HasMail() && c.Source.DAV.Password.Equal(newSecret(fromEnv, "P"))
		}},
		"calendars alone": {"engagement: a\nsource: {kind: dav, dav: {domain: '{domain}', files: 'http://localhost:81/f/{name}', logins: l.csv, origins: ['https://e.test']}}\ndestination: {embedded: true}\n",
			func(c *Config) bool {
				return c.Source.DAV.Logins == "d/l.csv" && !c.Source.HasMail() && len(c.Source.DAV.Origins) == 1
			}},
		"folders": {"engagement: a\nsource: {kind: vdir, vdir: {calendars: 'v/%u', contacts: '~/cards'}}\ndestination: {embedded: true}\n",
			func(c *Config) bool {
				return c.Source.Vdir.Calendars == "d/v/%u" && c.Source.Vdir.Contacts == "~/cards"
			}},
		"logins tell who exists": {"engagement: a\nsource: {kind: imap, imap: {url: 'imap://x', logins: l.csv}}\ndestination: {embedded: true}\n",
			func(c *Config) bool { return c.Source.IMAP.Logins == "d/l.csv" }},
		"windows line ends and a BOM": {"\ufeff" + strings.ReplaceAll(base, "\n", "\r\n"), func(c *Config) bool { return c.Engagement == "d/acme" }},
		"a document start":            {"---\n" + base, func(c *Config) bool { return c.Engagement == "d/acme" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c2, err := Parse("d/m.yaml", []byte(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if !c.look(c2) {
				t.Errorf("%+v", c2)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "mailhaul.yaml"))
	if err == nil || !strings.Contains(err.Error(), "`mailhaul init` writes one") || model.ClassOf(err) != model.ClassFatal || model.CodeOf(err) != "" {
		t.Errorf("%v", err)
	}
}
