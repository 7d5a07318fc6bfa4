package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// What users do at a real Dovecot between two runs arrives with the second:
// new mail, flags, a move without a second upload, a deletion, a renamed and a
// removed mailbox.
func TestDovecotDelta(t *testing.T) {
	t.Parallel()
	for name, start := range targets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			delta(t, start(t))
		})
	}
}

func delta(t *testing.T, to target) {
	dir := t.TempDir()
	org := sample.New(sample.Options{Accounts: 2, Messages: 200, Seed: 5, Now: today})
	if err := org.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	server := lab.StartDovecot(t, lab.DovecotOptions{Passwd: dir + "/users", Mail: dir, Location: "maildir:" + dir + "/%d/%n/Maildir", Home: dir + "/%d/%n"})
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	text := fmt.Sprintf("engagement: ./state\nsource:\n  kind: dovecot\n  imap: {url: %q, master: %s, separator: %q, password: %q, sieve: %q, tls: {insecure: true}}\n  maildir: {path: %q}\n  users: {passwd: %q}\ndestination: {url: %q, user: %q, password: %q}\n",
		"imaps://"+server.IMAPS, server.MasterUser, server.Separator, "inline:"+server.MasterPassword, "sieve://"+server.Sieve,
		dir+"/%d/%n/Maildir", dir+"/users", to.url, to.user, "inline:"+to.password)
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(cli.ExitOK, "provision")

	user := actAs(t, server, org.Accounts[0])
	user.create("Before")
	for i := range 5 {
		user.append("Before", i)
	}
	user.create("Doomed")
	a.run(cli.ExitOK, "sync")
	a.run(cli.ExitOK, "verify", "--reread")

	user.append("INBOX", 100)
	user.flag("Before", 1)
	user.move("Before", 2, "INBOX")
	user.expunge("Before", 3)
	type counts struct{ Messages, Moved, Flags, Deleted, Rematched, Kept, Refused int }
	var r struct{ Total counts }
	a.result(cli.ExitOK, &r, "sync")
	if want := (counts{Messages: 1, Moved: 1, Flags: 1, Deleted: 1}); r.Total != want {
		t.Errorf("the first delta did %+v, want %+v", r.Total, want)
	}
	a.run(cli.ExitOK, "verify", "--reread")

	user.rename("Before", "After")
	user.remove("Doomed")
	a.result(cli.ExitOK, &r, "sync")
	if r.Total.Messages != 0 || r.Total.Deleted != 0 {
		t.Errorf("a rename did %+v: nothing had to be uploaded or deleted", r.Total)
	}
	a.run(cli.ExitOK, "verify", "--reread")

	server.Doveadm(t, "mailbox", "update", "-u", org.Accounts[0].Login, "--uid-validity", "1900000001", "INBOX")
	a.result(cli.ExitOK, &r, "sync")
	if r.Total.Messages != 0 || r.Total.Deleted != 0 || r.Total.Rematched == 0 {
		t.Errorf("a new UIDVALIDITY did %+v: everything should have been recognised", r.Total)
	}
	var v struct {
		Total struct{ Source, Identical, Repaired, Extra int }
	}
	a.result(cli.ExitOK, &v, "verify", "--reread")
	if v.Total.Source != v.Total.Identical+v.Total.Repaired || v.Total.Extra != 0 {
		t.Errorf("in the end: %+v", v.Total)
	}
}

// person is a user at the old server.
type person struct {
	t *testing.T
	c *imapclient.Client
}

func actAs(t *testing.T, server *lab.Dovecot, a *sample.Account) person {
	t.Helper()
	c, err := imapclient.DialInsecure(server.IMAP, nil)
	p := person{t, c}
	p.must(err)
	t.Cleanup(func() { c.Close() })
	p.must(c.Login(a.Login, a.Password).Wait())
	return p
}

func (p person) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p person) create(mailbox string)     { p.must(p.c.Create(mailbox, nil).Wait()) }
func (p person) remove(mailbox string)     { p.must(p.c.Delete(mailbox).Wait()) }
func (p person) rename(mailbox, to string) { p.must(p.c.Rename(mailbox, to, nil).Wait()) }

func (p person) append(mailbox string, n int) {
	p.t.Helper()
	m := fmt.Appendf(nil, "From: a@b.test\r\nSubject: %d\r\nMessage-ID: <d%d@b.test>\r\n\r\nbody %d\r\n", n, n, n)
	cmd := p.c.Append(mailbox, int64(len(m)), &goimap.AppendOptions{Time: time.Date(2025, 1, 2, 3, 4, n%60, 0, time.UTC)})
	_, err := cmd.Write(m)
	p.must(err)
	p.must(cmd.Close())
	_, err = cmd.Wait()
	p.must(err)
}

// on selects a mailbox for fn.
func (p person) on(mailbox string, fn func()) {
	p.t.Helper()
	_, err := p.c.Select(mailbox, nil).Wait()
	p.must(err)
	fn()
	p.must(p.c.Unselect().Wait())
}

func (p person) flag(mailbox string, uid goimap.UID) {
	p.on(mailbox, func() {
		p.must(p.c.Store(goimap.UIDSetNum(uid), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true, Flags: []goimap.Flag{goimap.FlagFlagged, "Later"}}, nil).Close())
	})
}

func (p person) move(mailbox string, uid goimap.UID, to string) {
	p.on(mailbox, func() {
		_, err := p.c.Move(goimap.UIDSetNum(uid), to).Wait()
		p.must(err)
	})
}

func (p person) expunge(mailbox string, uid goimap.UID) {
	p.on(mailbox, func() {
		p.must(p.c.Store(goimap.UIDSetNum(uid), &goimap.StoreFlags{Op: goimap.StoreFlagsAdd, Silent: true, Flags: []goimap.Flag{goimap.FlagDeleted}}, nil).Close())
		p.must(p.c.UIDExpunge(goimap.UIDSetNum(uid)).Close())
	})
}
