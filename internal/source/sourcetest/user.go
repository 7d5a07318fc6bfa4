package sourcetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/model"
)

// User acts at a real server as a user's mail program does, over IMAP: it is
// most of a Harness.
type User struct {
	*imapclient.Client
	namespace imap.NamespaceDescriptor
}

// NewUser logs in, without TLS, until the test ends.
func NewUser(t *testing.T, addr, login, password string) *User {
	t.Helper()
	c, err := imapclient.DialInsecure(addr, nil)
	check(t, err)
	t.Cleanup(func() { c.Close() })
	check(t, c.Login(login, password).Wait())
	return UserOf(t, c)
}

// UserOf is the user whom a client has logged in as.
func UserOf(t *testing.T, c *imapclient.Client) *User {
	t.Helper()
	ns, err := c.Namespace().Wait()
	check(t, err)
	return &User{Client: c, namespace: ns.Personal[0]}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Name is a mailbox's name at the server.
func (u *User) Name(path []string) string {
	if len(path) == 1 && path[0] == "INBOX" {
		return "INBOX"
	}
	return u.namespace.Prefix + strings.Join(path, string(u.namespace.Delim))
}

// Create implements Harness.
func (u *User) Create(t *testing.T, path []string) {
	t.Helper()
	check(t, u.Client.Create(u.Name(path), nil).Wait())
}

// Subscribe implements Subscriber.
func (u *User) Subscribe(t *testing.T, path []string) {
	t.Helper()
	check(t, u.Client.Subscribe(u.Name(path)).Wait())
}

// Append implements Harness.
func (u *User) Append(t *testing.T, path []string, m []byte, flags model.Flags, received time.Time) {
	t.Helper()
	cmd := u.Client.Append(u.Name(path), int64(len(m)), &imap.AppendOptions{Flags: imapFlags(flags), Time: received})
	_, err := cmd.Write(m)
	check(t, err)
	check(t, cmd.Close())
	_, err = cmd.Wait()
	check(t, err)
}

func imapFlags(f model.Flags) []imap.Flag {
	var out []imap.Flag
	for _, s := range []struct {
		is   model.SystemFlags
		flag imap.Flag
	}{{model.Seen, imap.FlagSeen}, {model.Answered, imap.FlagAnswered}, {model.Flagged, imap.FlagFlagged},
		{model.Draft, imap.FlagDraft}, {model.Deleted, imap.FlagDeleted}} {
		if f.System&s.is != 0 {
			out = append(out, s.flag)
		}
	}
	for _, k := range f.Keywords {
		out = append(out, imap.Flag(k))
	}
	return out
}

// uid selects the mailbox and finds message n.
func (u *User) uid(t *testing.T, path []string, n int) imap.UIDSet {
	t.Helper()
	_, err := u.Select(u.Name(path), nil).Wait()
	check(t, err)
	found, err := u.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
	check(t, err)
	uids := found.AllUIDs()
	slices.Sort(uids)
	return imap.UIDSetNum(uids[n])
}

// leave closes the mailbox and expunges nothing. Not every server has UNSELECT
// (RFC 3691); one that was opened by EXAMINE can be closed without harm.
func (u *User) leave(t *testing.T) {
	t.Helper()
	if u.Caps().Has(imap.CapUnselect) {
		check(t, u.Unselect().Wait())
		return
	}
	_, err := u.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	check(t, err)
	check(t, u.UnselectAndExpunge().Wait())
}

// SetFlags implements Harness.
func (u *User) SetFlags(t *testing.T, path []string, n int, flags model.Flags) {
	t.Helper()
	check(t, u.Store(u.uid(t, path, n), &imap.StoreFlags{Op: imap.StoreFlagsSet, Silent: true, Flags: imapFlags(flags)}, nil).Close())
	u.leave(t)
}

// Expunge implements Harness.
func (u *User) Expunge(t *testing.T, path []string, n int) {
	t.Helper()
	set := u.uid(t, path, n)
	check(t, u.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close())
	check(t, u.UIDExpunge(set).Close())
	u.leave(t)
}

// Move implements Mover.
func (u *User) Move(t *testing.T, from []string, n int, to []string) {
	t.Helper()
	_, err := u.Client.Move(u.uid(t, from, n), u.Name(to)).Wait()
	check(t, err)
	u.leave(t)
}

// Rename implements Renamer.
func (u *User) Rename(t *testing.T, from, to []string) {
	t.Helper()
	check(t, u.Client.Rename(u.Name(from), u.Name(to), nil).Wait())
}

// Remove implements Remover.
func (u *User) Remove(t *testing.T, path []string) {
	t.Helper()
	check(t, u.Delete(u.Name(path)).Wait())
}
