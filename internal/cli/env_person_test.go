package cli_test

import (
	"fmt"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// person is a user at the old server.
type person struct {
	t *testing.T
	c *imapclient.Client
}

// actAs logs in with the user's own password.
func actAs(t *testing.T, server *lab.Dovecot, a *sample.Account) person {
	t.Helper()
	c, err := imapclient.DialInsecure(server.IMAP, nil)
	p := person{t, c}
	p.must(err)
	t.Cleanup(func() { c.Close() })
	p.must(c.Login(a.Login, a.Password).Wait())
	return p
}

// cyrusAs logs in by the proxy's password; "" is the administrator.
func cyrusAs(t *testing.T, c *lab.Cyrus, user string) person {
	t.Helper()
	client, err := imapclient.DialInsecure(c.IMAP, nil)
	p := person{t, client}
	p.must(err)
	t.Cleanup(func() { client.Close() })
	if user == "" {
		p.must(client.Authenticate(sasl.NewPlainClient("", c.Admin, c.AdminPassword)))
		return p
	}
	p.must(client.Authenticate(sasl.NewPlainClient(user, c.Proxy, c.ProxyPassword)))
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
