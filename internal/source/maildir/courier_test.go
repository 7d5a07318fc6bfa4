package maildir_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/maildir"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// courierUsers is how many accounts a server has; each test takes a new one.
const courierUsers = 40

type courierServer struct {
	*lab.Courier
	dir  string
	next atomic.Int32
}

func startCourier(t *testing.T, settings string) *courierServer {
	t.Helper()
	s := &courierServer{dir: t.TempDir()}
	var users []lab.CourierUser
	for i := range courierUsers {
		users = append(users, lab.CourierUser{Name: fmt.Sprintf("u%d@acme.test", i), Password: fmt.Sprint("secret", i), Home: fmt.Sprintf("%s/acme.test/u%d", s.dir, i)})
	}
	s.Courier = lab.StartCourier(t, lab.CourierOptions{Users: users, Mail: s.dir, Settings: settings, Shared: true})
	return s
}

// courierDisk is one account of a real Courier, read from its disk.
type courierDisk struct {
	user
	acc  model.Account
	root string
	src  *maildir.Source
	now  *time.Time
}

// user is a sourcetest.User without Move: Courier gives a message that is
// moved another file name, so that its identity does not survive.
type user struct{ *sourcetest.User }

func (user) Move() {}

func newCourierDisk(t *testing.T, s *courierServer, server string) *courierDisk {
	t.Helper()
	n := s.next.Add(1)
	h := &courierDisk{acc: model.Account{Login: fmt.Sprintf("u%d@acme.test", n), Secret: fmt.Sprint("secret", n)}, root: fmt.Sprintf("%s/acme.test/u%d/Maildir", s.dir, n)}
	now := time.Now().Add(time.Hour)
	h.now = &now
	h.src = maildir.New(maildir.Options{Path: s.dir + "/%d/%n/Maildir", Server: server, Now: func() time.Time { return *h.now }})
	h.user = user{sourcetest.NewUser(t, s.IMAP, h.acc.Login, h.acc.Secret)}
	return h
}

func (h *courierDisk) Source() source.Source  { return h.src }
func (h *courierDisk) Account() model.Account { return h.acc }
func (h *courierDisk) Settle()                { *h.now = h.now.Add(time.Minute) }

// AppendRaw puts a file where a delivery agent would.
func (h *courierDisk) AppendRaw(t *testing.T, path []string, raw []byte) []byte {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.root, "new"))
	must(t, err)
	file := filepath.Join(h.root, "new", fmt.Sprintf("16000000%02d.M1P1.host", len(entries)))
	must(t, os.WriteFile(file, raw, 0o600))
	must(t, os.Chown(file, lab.MailUID, lab.MailUID))
	lf := strings.ReplaceAll(string(raw), "\r\n", "\n")
	return []byte(strings.ReplaceAll(lf, "\n", "\r\n"))
}

// Stored: Courier drops every CR and ends the last line.
func (h *courierDisk) Stored(message []byte) []byte {
	text := strings.TrimSuffix(strings.ReplaceAll(string(message), "\r", ""), "\n")
	return []byte(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
}

// ResetUIDValidity is what happens when an administrator removes Courier's
// list to repair it: the next client gets another one.
func (h *courierDisk) ResetUIDValidity(t *testing.T, path []string) {
	t.Helper()
	list := filepath.Join(h.root, "courierimapuiddb")
	was, err := os.ReadFile(list)
	must(t, err)
	// UIDVALIDITY is the second of creation.
	deadline := time.Now().Add(10 * time.Second)
	for {
		must(t, os.Remove(list))
		h.open(t, "INBOX")
		is, err := os.ReadFile(list)
		must(t, err)
		if string(is[:12]) != string(was[:12]) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %q", is)
		}
	}
}

// open makes Courier look into a mailbox.
func (h *courierDisk) open(t *testing.T, name string) {
	t.Helper()
	must(t, h.user.Client.Noop().Wait())
	_, err := h.user.Select(name, nil).Wait()
	must(t, err)
}

func (h *courierDisk) Snapshot(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(h.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			sys := info.Sys().(*syscall.Stat_t)
			fmt.Fprintln(&b, path, info.ModTime(), info.Size(), sys.Ino, sys.Nlink)
		}
		return err
	}))
	return b.String()
}

// What a real Courier writes is read from its disk as every source must.
func TestCourierConformance(t *testing.T) {
	t.Parallel()
	srv := startCourier(t, "")
	for _, server := range []string{"", maildir.ServerCourier} {
		t.Run("server="+server, func(t *testing.T) {
			t.Parallel()
			s := srv
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return newCourierDisk(t, s, server) })
		})
	}
}
