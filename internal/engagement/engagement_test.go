package engagement

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// acme is an engagement on a folder of Maildirs.
func acme(t *testing.T, users string) *Engagement {
	t.Helper()
	dir := t.TempDir()
	for _, user := range []string{"anna", "ben"} {
		if err := os.MkdirAll(filepath.Join(dir, "mail", user, "cur"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "users"), "anna:{PLAIN}x::::::\ndora@other.test:{PLAIN}y::::::\nbroken line without anything but blanks and no login :::\n")
	write(t, filepath.Join(dir, "mailhaul.yaml"), `engagement: ./state
source:
  kind: maildir
  maildir: {path: `+dir+`/mail/%n}
  users: `+users+`
destination: {embedded: true}
accounts:
  - {source: ben, destination: benjamin@acme.test}
`)
	e, err := Load(filepath.Join(dir, "mailhaul.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	for users, want := range map[string]string{
		"{passwd: users, domain: acme.test}":                 "anna=anna@acme.test dora@other.test=dora@other.test",
		"{list: [ben, zoe], domain: acme.test}":              "ben=benjamin@acme.test zoe=zoe@acme.test",
		"{list: [\"b*\"], domain: acme.test}":                "ben=benjamin@acme.test",
		"{domain: acme.test}":                                "anna=anna@acme.test ben=benjamin@acme.test",
		"{passwd: users, list: [\"a*\"], domain: acme.test}": "anna=anna@acme.test",
	} {
		e := acme(t, users)
		accounts, err := e.Accounts(t.Context(), nil, "")
		if err != nil {
			t.Errorf("%s: %v", users, err)
			continue
		}
		var got []string
		for _, a := range accounts {
			got = append(got, a.Login+"="+a.Address)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", users, s, want)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	e := acme(t, "{domain: acme.test}")
	e.Config.Destination.Embedded = false
	if _, err := e.Ledger(); err != nil {
		t.Fatal(err)
	}
	other := &Engagement{Config: e.Config, log: e.log}
	if _, err := other.Ledger(); model.CodeOf(err) != "locked" || !strings.Contains(err.Error(), "process") {
		t.Errorf("a second one: %v", err)
	}
	if l, err := other.LedgerToRead(); err != nil {
		t.Errorf("looking on: %v", err)
	} else if _, err := l.Statuses(t.Context()); err != nil {
		t.Errorf("looking on: %v", err)
	}
	other.Close()
	e.Close()
	e.unlock, e.led = nil, nil
	third := &Engagement{Config: e.Config, log: e.log}
	if _, err := third.Ledger(); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	third.Close()
}

// A rehearsal has all accounts at the embedded destination and leaves nothing.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	e := acme(t, "{domain: acme.test}")
	d, err := e.Destination(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(t.Context(), "benjamin@acme.test"); err != nil {
		t.Error(err)
	}
	scratch := e.scratch
	e.Close()
	if _, err := os.Stat(scratch); !os.IsNotExist(err) {
		t.Errorf("%s is left behind", scratch)
	}
	e.dst, e.src, e.box, e.scratch = nil, nil, nil, ""
}
