package engine_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/dovecot"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/maildir"
)

// oldServer is a real Dovecot with some accounts of the same content.
type oldServer struct {
	*lab.Dovecot
	dir string
}

func startOldServer(t *testing.T, accounts int) *oldServer {
	t.Helper()
	s := &oldServer{dir: t.TempDir()}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	users := ""
	for n := range accounts {
		users += fmt.Sprintf("u%d@acme.test:{PLAIN}secret::::::\n", n)
		for box, messages := range map[string]int{"": 130, ".Work": 60, ".Work.Sub": 20, ".Rest": 40} {
			at := filepath.Join(s.dir, "acme.test", fmt.Sprintf("u%d", n), "Maildir", box)
			for _, d := range []string{"cur", "new", "tmp"} {
				must(os.MkdirAll(filepath.Join(at, d), 0o700))
			}
			for m := range messages {
				text := message(len(box)*1000+m) + strings.Repeat("and more\r\n", 10*m)
				if m == 7 {
					text = large(len(box))
				}
				flags := []string{"", "S", "RS", "F"}[m%4]
				must(os.WriteFile(filepath.Join(at, "cur", fmt.Sprintf("15000%05d.M%dP%d.host:2,%s", m, m, len(box)+1, flags)), []byte(text), 0o600))
			}
		}
	}
	must(os.WriteFile(filepath.Join(s.dir, "users"), []byte(users), 0o644))
	s.Dovecot = lab.StartDovecot(t, lab.DovecotOptions{Passwd: filepath.Join(s.dir, "users"), Mail: s.dir,
		Location: "maildir:" + s.dir + "/%d/%n/Maildir", Home: s.dir + "/%d/%n"})
	return s
}

// oldAccount is one of its accounts, and where it moves.
type oldAccount struct {
	*env
	*oldServer
	line *lab.Proxy // its IMAP is read through this
	user string
}

func (s *oldServer) account(t *testing.T, n int, disk bool) *oldAccount {
	t.Helper()
	a := &oldAccount{oldServer: s, user: fmt.Sprintf("u%d@acme.test", n), line: lab.StartProxy(t, s.IMAP)}
	a.env = newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 25}})
	server, err := imap.New(imap.Options{URL: "imap://" + a.line.Addr, Insecure: true, TLS: &tls.Config{InsecureSkipVerify: true},
		Master: s.MasterUser, Separator: s.Separator, Password: s.MasterPassword, SpoolDir: a.env.dir,
		Sleep: func(time.Duration) <-chan time.Time { return time.After(20 * time.Millisecond) }})
	a.must(err)
	a.from = server
	if disk {
		a.from = dovecot.New(server, maildir.New(maildir.Options{Path: s.dir + "/%d/%n/Maildir"}), nil)
	}
	a.acc = model.Account{Login: a.user, Address: a.acc.Address}
	return a
}

// happenings are what can happen at a real Dovecot while it is being read.
var happenings = []struct {
	name string
	do   func(*testing.T, *oldAccount)
}{
	{"new UIDVALIDITY", func(t *testing.T, a *oldAccount) {
		a.Doveadm(t, "mailbox", "update", "-u", a.user, "--uid-validity", "1900000001", "INBOX")
	}},
	{"mail expunged", func(t *testing.T, a *oldAccount) { a.Doveadm(t, "expunge", "-u", a.user, "mailbox", "*", "seen") }},
	{"mailboxes removed", func(t *testing.T, a *oldAccount) { a.Doveadm(t, "mailbox", "delete", "-u", a.user, "Rest", "Work") }},
	{"mailboxes renamed", func(t *testing.T, a *oldAccount) {
		a.Doveadm(t, "mailbox", "rename", "-u", a.user, "Rest", "Quiet")
		a.Doveadm(t, "mailbox", "rename", "-u", a.user, "Work", "Rest")
	}},
	{"mail moved", func(t *testing.T, a *oldAccount) {
		a.Doveadm(t, "mailbox", "create", "-u", a.user, "All")
		a.Doveadm(t, "move", "-u", a.user, "All", "mailbox", "INBOX", "all")
	}},
	{"mail marked", func(t *testing.T, a *oldAccount) {
		a.Doveadm(t, "flags", "add", "-u", a.user, `\Answered late`, "mailbox", "*", "all")
	}},
	{"connections cut", func(_ *testing.T, a *oldAccount) { a.line.CutAll() }},
	{"connections reset", func(_ *testing.T, a *oldAccount) { a.line.Reset.Store(true); a.line.CutAll() }},
	{"answers truncated", func(_ *testing.T, a *oldAccount) { a.line.Answer.Store(150_000) }},
	{"answers reset", func(_ *testing.T, a *oldAccount) { a.line.Reset.Store(true); a.line.Answer.Store(2_000_000) }},
	{"a slow line", func(_ *testing.T, a *oldAccount) { a.line.Delay.Store(int64(2 * time.Millisecond)) }},
	{"a server that goes away", func(_ *testing.T, a *oldAccount) { a.line.To(""); a.line.CutAll() }},
}

// Whatever happens at a real Dovecot in the middle of a run: that run or the
// next one ends exact.
func TestDovecotInTheMiddle(t *testing.T) {
	t.Parallel()
	s := startOldServer(t, 2*len(happenings))
	for n, h := range happenings {
		for i, disk := range []bool{false, true} {
			at := 4 - 3*i
			if (n+i)%stride(2) != 0 {
				continue
			}
			t.Run(fmt.Sprintf("%s/from disk: %v, at import %d", h.name, disk, at), func(t *testing.T) {
				t.Parallel()
				inTheMiddle(t, s.account(t, 2*n+i, disk), at, h.do)
			})
		}
	}
}

func TestDovecotRestarts(t *testing.T) {
	t.Parallel()
	for _, disk := range []bool{false, true} {
		t.Run(fmt.Sprintf("from disk: %v", disk), func(t *testing.T) {
			t.Parallel()
			inTheMiddle(t, startOldServer(t, 1).account(t, 0, disk), 3, func(t *testing.T, a *oldAccount) { a.Restart(t) })
		})
	}
}

func inTheMiddle(t *testing.T, a *oldAccount, at int, do func(*testing.T, *oldAccount)) {
	option, wait := during("ledger: intend", at, func() { do(t, a) })
	// The source is ahead of the destination, so it is held back.
	r := a.sync(option, func(o *engine.Options) { o.Buffer = 1 << 20 })
	wait()
	t.Logf("in the middle: %v, %+v", r.Err, r.Counts)
	if r.Err != nil && model.ClassOf(r.Err) != model.ClassAccount {
		t.Errorf("%v, of class %d", r.Err, model.ClassOf(r.Err))
	}
	if r.Counts.Refused > 0 && a.line.Answer.Load() == 0 { // else large messages do not come through
		t.Errorf("%+v\n%v", r.Counts, r.Notes)
	}
	a.line.Answer.Store(0)
	a.line.Delay.Store(0)
	a.line.To(a.IMAP)
	a.done(allowed, func(o *engine.Options) { o.RetryRefused = true })
	if rep := a.exact(); rep.Source < 30 {
		t.Errorf("the source holds %d messages", rep.Source)
	}
}
