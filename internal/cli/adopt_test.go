package cli_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// After a whole migration the ledger is lost, and later another tool copies the
// organisation to other accounts: both times --adopt takes over what is there,
// and everything goes on as if mailhaul had brought it.
func TestLostLedgerAndOtherTools(t *testing.T) {
	t.Parallel()
	tools := map[string]func(t *testing.T) copier{"mbsync": mbsync, "imapsync": imapsync}
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, start(t))
			t.Run("lost ledger", c.losesLedger)
			for tool, find := range tools {
				t.Run(tool, func(t *testing.T) { c.copiedBy(t, tool, find(t)) })
			}
		})
	}
}

// copied is an organisation at a Dovecot and a server that it moves to.
type copied struct {
	organisation
	to       target
	messages int
	own      administrator            // of the migration to the same addresses
	names    map[string][]mailboxPair // by login: mailboxes whose names every tool can write
}

type mailboxPair struct{ old, new []string }

type taking struct {
	Total struct {
		Messages, Adopted, Duplicates, Flags, Deleted, Moved, Refused int64
		AdoptedChanged                                                int64 `json:"adopted_changed"`
	}
}

func newCopied(t *testing.T, to target) *copied {
	t.Helper()
	o := sample.Options{Accounts: 4, Messages: 400, Oddities: true, Seed: 11}
	if testing.Short() {
		o.Messages = 200
	}
	c := &copied{to: to, organisation: startOrganisation(t, o, "")}
	_, _, c.messages, _ = c.sample.Totals()
	// Twice and three times the same message, where every tool copies it, or them.
	user := actAs(t, c.Dovecot, c.sample.Accounts[0])
	for n, times := range []int{2, 3} {
		for range times {
			user.append("INBOX", 99_000+n)
			c.messages++
		}
	}
	c.own = c.administrator(t, sample.Domain)
	return c
}

// administrator migrates everybody to addresses of a domain.
func (c *copied) administrator(t *testing.T, domain string) administrator {
	t.Helper()
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: imap\n  imap: {url: %q, master: %s, separator: %q, password: %q, tls: {insecure: true}}\n  users: {passwd: %q}\n"+
		"destination: {url: %q, user: %q, password: %q}\naccounts: [{source: \"*@%s\", destination: \"*@%s\"}]\n",
		"imaps://"+c.IMAPS, c.MasterUser, c.Separator, "inline:"+c.MasterPassword, c.dir+"/users", c.to.url, c.to.user, "inline:"+c.to.password, sample.Domain, domain)
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(cli.ExitOK, "provision")
	return a
}

// verified demands that both sides are equal but for what is named.
func (c *copied) verified(a administrator) {
	a.t.Helper()
	var v struct {
		Total struct{ Source, Identical, Repaired, Kept, Missing, Different, Duplicates, Extra int }
	}
	a.result(cli.ExitOK, &v, "verify", "--reread")
	if n := v.Total; n.Source != c.messages || n.Identical+n.Repaired+n.Kept != c.messages || n.Extra+n.Duplicates != 0 {
		a.t.Errorf("verified %+v; the source holds %d messages", n, c.messages)
	}
	a.t.Logf("verified: %+v", v.Total)
}

func (c *copied) losesLedger(t *testing.T) {
	a := c.own
	a.t = t
	a.run(cli.ExitOK, "sync")
	c.readNames(t, filepath.Join(filepath.Dir(a.config), "state"))
	lost, err := filepath.Glob(filepath.Join(filepath.Dir(a.config), "state", ledger.FileName+"*"))
	if err != nil || len(lost) == 0 {
		t.Fatalf("no ledger to lose: %v", err)
	}
	for _, path := range lost {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	var r taking
	a.result(cli.ExitOK, &r, "sync", "--adopt")
	if r.Total.Adopted != int64(c.messages) || r.Total.Messages+r.Total.AdoptedChanged+r.Total.Duplicates != 0 {
		t.Errorf("of %d messages: %+v", c.messages, r.Total)
	}
	c.followed(a)
}

// followed demands that a plain sync has nothing to do, and that flags and
// deletions are followed as ever.
func (c *copied) followed(a administrator) {
	t := a.t
	t.Helper()
	var r taking
	a.result(cli.ExitOK, &r, "sync")
	if r != (taking{}) {
		t.Errorf("the next sync did %+v", r.Total)
	}
	c.verified(a)
	i := c.sample.Accounts[0]
	user := actAs(t, c.Dovecot, i)
	status, err := user.c.Status("INBOX", &goimap.StatusOptions{UIDNext: true}).Wait()
	user.must(err)
	user.append("INBOX", c.messages)
	a.result(cli.ExitOK, &r, "sync")
	if r.Total.Messages != 1 {
		t.Errorf("a new message: %+v", r.Total)
	}
	c.messages++
	user.flag("INBOX", status.UIDNext)
	r = taking{}
	a.result(cli.ExitOK, &r, "sync")
	if r.Total.Flags != 1 || r.Total.Messages != 0 {
		t.Errorf("a new flag: %+v", r.Total)
	}
	c.verified(a)
}

// readNames learns what mailhaul calls the mailboxes.
func (c *copied) readNames(t *testing.T, state string) {
	t.Helper()
	l, err := ledger.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	plain := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 -]*$`)
	c.names = map[string][]mailboxPair{}
	for _, a := range c.sample.Accounts {
		row, err := l.Account(t.Context(), a.Login, a.Login)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := l.Collections(t.Context(), row.ID)
		if err != nil {
			t.Fatal(err)
		}
		shared := map[string]int{}
		for _, k := range rows {
			shared[k.Target]++
		}
		for _, k := range rows {
			if shared[k.Target] != 1 || a.Mailbox(k.Path...) == nil || a.Mailbox(k.Path...).Container {
				continue
			}
			if k.TargetPath[0] == "Inbox" {
				k.TargetPath[0] = "INBOX"
			}
			if plain.MatchString(strings.Join(append(k.Path, k.TargetPath...), "")) && !strings.HasSuffix(strings.Join(k.Path, "."), " ") {
				c.names[a.Login] = append(c.names[a.Login], mailboxPair{k.Path, k.TargetPath})
			}
		}
	}
}

// copiedBy has another tool copy what it can, then mailhaul take it over.
func (c *copied) copiedBy(t *testing.T, tool string, run copier) {
	domain := tool + ".test"
	a := c.administrator(t, domain)
	address := func(acc *sample.Account) string { return strings.TrimSuffix(acc.Login, sample.Domain) + domain }
	var between *lab.Dovecot // the sandbox speaks no IMAP
	if c.to.imap == "" {
		dir := t.TempDir()
		users, err := os.ReadFile(c.dir + "/users")
		if err == nil {
			err = os.WriteFile(dir+"/users", []byte(strings.ReplaceAll(string(users), c.dir, dir)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		between = lab.StartDovecot(t, lab.DovecotOptions{Passwd: dir + "/users", Mail: dir, Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n"})
	}
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: c.to.url, User: c.to.user, Password: c.to.password})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var there int64
	for _, acc := range c.sample.Accounts {
		from := login{c.IMAP, ".", acc.Login + c.Separator + c.MasterUser, c.MasterPassword}
		at, err := d.Open(t.Context(), address(acc))
		if err != nil {
			t.Fatal(err)
		}
		if between == nil {
			run(t, from, login{c.to.imap, "/", address(acc) + "%" + c.to.user, c.to.password}, c.names[acc.Login])
		} else {
			run(t, from, login{between.IMAP, ".", acc.Login + between.Separator + between.MasterUser, between.MasterPassword}, c.names[acc.Login])
			pump(t, between, acc.Login, at, c.names[acc.Login])
		}
		for _, err := range at.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			there++
		}
	}
	if there < int64(c.messages)/2 {
		t.Fatalf("%s has copied only %d of %d messages", tool, there, c.messages)
	}
	var r taking
	a.result(cli.ExitOK, &r, "sync", "--adopt")
	t.Logf("%s has copied %d of %d messages: %+v", tool, there, c.messages, r.Total)
	if r.Total.Adopted != there || r.Total.Messages != int64(c.messages)-there || r.Total.Duplicates != 0 {
		t.Errorf("%d messages, %d copied by %s: %+v", c.messages, there, tool, r.Total)
	}
	if r.Total.Adopted != there {
		c.tellLeft(a, d, address)
	}
	c.followed(a)
}

// tellLeft shows what was not taken over.
func (c *copied) tellLeft(a administrator, d destination.Destination, address func(*sample.Account) string) {
	t := a.t
	l, err := ledger.Open(filepath.Join(filepath.Dir(a.config), "state"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, acc := range c.sample.Accounts {
		row, err := l.Account(t.Context(), acc.Login, address(acc))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := l.Collections(t.Context(), row.ID)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{}
		for _, k := range rows {
			for i := range l.Items(t.Context(), k.ID) {
				known[i.Remote] = true
			}
		}
		at, err := d.Open(t.Context(), address(acc))
		if err != nil {
			t.Fatal(err)
		}
		for o, err := range at.Outlines(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			if !known[o.ID] {
				_ = at.Content(t.Context(), o.ID, func(r io.Reader) error {
					start, err := io.ReadAll(io.LimitReader(r, 600))
					t.Logf("left: %+v\n%q", o, start)
					return err
				})
			}
		}
	}
}
