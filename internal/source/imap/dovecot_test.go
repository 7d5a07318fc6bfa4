package imap_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// users is how many accounts the server has; each test takes a new one.
const users = 100

type server struct {
	*lab.Dovecot
	dir  string
	tls  *tls.Config
	next atomic.Int32
}

func startDovecot(t *testing.T, settings string) *server {
	t.Helper()
	s := &server{dir: t.TempDir()}
	var passwd strings.Builder
	for i := range users {
		fmt.Fprintf(&passwd, "u%d@acme.test:{PLAIN}secret%d::::::\n", i, i)
	}
	file := filepath.Join(s.dir, "users")
	must(t, os.WriteFile(file, []byte(passwd.String()), 0o644))
	s.Dovecot = lab.StartDovecot(t, lab.DovecotOptions{Passwd: file, Mail: s.dir, Location: "maildir:" + s.dir + "/%d/%n/Maildir", Home: s.dir + "/%d/%n", Settings: settings})
	pem, err := os.ReadFile(s.CA)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	s.tls = &tls.Config{RootCAs: pool}
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// harness is one account, and its user.
type harness struct {
	*sourcetest.User
	srv *server
	acc model.Account
	src *imap.Source
}

func newHarness(t *testing.T, s *server, change func(*imap.Options)) *harness {
	t.Helper()
	n := s.next.Add(1)
	h := &harness{srv: s, acc: model.Account{Login: fmt.Sprintf("u%d@acme.test", n), Secret: fmt.Sprintf("secret%d", n)}}
	o := imap.Options{URL: "imaps://" + s.IMAPS, Sieve: "sieve://" + s.Sieve, TLS: s.tls, SpoolDir: t.TempDir()}
	change(&o)
	var err error
	h.src, err = imap.New(o)
	must(t, err)
	h.User = sourcetest.NewUser(t, s.IMAP, h.acc.Login, h.acc.Secret)
	return h
}

func TestConformance(t *testing.T) {
	t.Parallel()
	maildir := startDovecot(t, "")
	prefixed := startDovecot(t, "namespace inbox {\n  prefix = INBOX.\n  separator = .\n}\n")
	for name, run := range map[string]struct {
		srv    *server
		change func(*imap.Options)
	}{
		"master by separator": {maildir, func(o *imap.Options) {
			o.Master, o.Separator, o.Password = maildir.MasterUser, maildir.Separator, maildir.MasterPassword
		}},
		"master by SASL, STARTTLS": {maildir, func(o *imap.Options) {
			o.URL, o.Master, o.Password = "imap://"+maildir.IMAP, maildir.MasterUser, maildir.MasterPassword
		}},
		"own password, login, prefix": {prefixed, func(o *imap.Options) { o.Mechanism = "login" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return newHarness(t, run.srv, run.change) })
		})
	}
	t.Run("changes in pieces", func(t *testing.T) {
		t.Parallel()
		sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
			h := newHarness(t, maildir, func(*imap.Options) {})
			h.src.AskForEach()
			return h
		})
	})
}

func (h *harness) Source() source.Source  { return h.src }
func (h *harness) Account() model.Account { return h.acc }

func (h *harness) ResetUIDValidity(t *testing.T, path []string) {
	t.Helper()
	h.srv.Doveadm(t, "mailbox", "update", "-u", h.acc.Login, "--uid-validity", fmt.Sprint(time.Now().Unix()+1000), h.Name(path))
}

// Snapshot names every message file: its flags are part of the name, and
// whether the server still calls it recent of its directory.
func (h *harness) Snapshot(t *testing.T) string {
	t.Helper()
	var out []string
	root := filepath.Join(h.srv.dir, "acme.test", strings.TrimSuffix(h.acc.Login, "@acme.test"))
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); strings.HasPrefix(name, "dovecot") || strings.HasSuffix(name, ".lock") {
			return nil
		}
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			path += fmt.Sprint(" ", info.ModTime(), info.Size())
		}
		out = append(out, path)
		return err
	}))
	return strings.Join(out, "\n")
}

func (h *harness) PutScript(t *testing.T, s model.Script) {
	t.Helper()
	home := filepath.Join(h.srv.dir, "acme.test", strings.TrimSuffix(h.acc.Login, "@acme.test"))
	must(t, os.MkdirAll(filepath.Join(home, "sieve"), 0o755))
	must(t, os.WriteFile(filepath.Join(home, "sieve", s.Name+".sieve"), s.Content, 0o644))
	if s.Active {
		must(t, os.Symlink(filepath.Join("sieve", s.Name+".sieve"), filepath.Join(home, ".dovecot.sieve")))
	}
	h.srv.Own(t, home)
}

// A delta names only what changed, and deletions only when there were any.
func TestDelta(t *testing.T) {
	t.Parallel()
	srv := startDovecot(t, "")
	h := newHarness(t, srv, func(o *imap.Options) { o.Master, o.Password = srv.MasterUser, srv.MasterPassword })
	box := []string{"INBOX"}
	for i := range 30 {
		h.Append(t, box, fmt.Appendf(nil, "Subject: %d\r\n\r\n", i), model.Flags{}, time.Unix(1500000000, 0))
	}
	s, err := h.src.Open(t.Context(), h.acc)
	must(t, err)
	defer s.Close()
	cursor := ""
	follow := func() (ops []model.Op, uids []uint64) {
		cols, err := s.Collections(t.Context())
		must(t, err)
		for c, err := range s.Changes(t.Context(), cols[0], cursor) {
			must(t, err)
			ops = append(ops, c.Op)
			if c.Op == model.OpUpsert {
				uids = append(uids, c.Item.UID)
			}
			cursor = c.Cursor
		}
		return ops, uids
	}
	follow()
	if ops, _ := follow(); !slices.Equal(ops, []model.Op{model.OpCheckpoint}) {
		t.Errorf("nothing changed: %v", ops)
	}
	h.SetFlags(t, box, 4, model.Flags{System: model.Seen})
	h.Append(t, box, []byte("Subject: new\r\n\r\n"), model.Flags{}, time.Unix(1500000000, 0))
	if ops, uids := follow(); !slices.Equal(uids, []uint64{5, 31}) || slices.Contains(ops, model.OpSurvivors) {
		t.Errorf("a flag and a new message: %v, UIDs %v", ops, uids)
	}
	h.Expunge(t, box, 10)
	if ops, uids := follow(); len(uids) != 0 || !slices.Equal(ops, []model.Op{model.OpSurvivors, model.OpCheckpoint}) {
		t.Errorf("a deletion: %v, UIDs %v", ops, uids)
	}
	h.Append(t, box, []byte("Subject: short-lived\r\n\r\n"), model.Flags{}, time.Unix(1500000000, 0))
	h.Expunge(t, box, 30)
	if ops, uids := follow(); len(uids) != 0 || slices.Contains(ops, model.OpListing) {
		t.Errorf("a message that came and went: %v, UIDs %v", ops, uids)
	}
}

// An account that has not changed costs one round trip behind the login.
func TestUnchangedIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	srv := startDovecot(t, "")
	p := lab.StartProxy(t, srv.IMAP)
	h := newHarness(t, srv, func(o *imap.Options) {
		o.URL, o.Sieve, o.TLS = "imap://"+p.Addr, "", srv.tls.Clone()
		o.TLS.ServerName = "localhost"
		o.Master, o.Password = srv.MasterUser, srv.MasterPassword
	})
	for i := range 20 {
		h.Create(t, []string{fmt.Sprint("Box ", i)})
		h.Append(t, []string{fmt.Sprint("Box ", i)}, []byte("Subject: x\r\n\r\n"), model.Flags{}, time.Unix(1500000000, 0))
	}
	s, err := h.src.Open(t.Context(), h.acc)
	must(t, err)
	defer s.Close()
	// What is sent before the first answer arrives is one round trip, however
	// many packets it takes.
	p.Delay.Store(int64(200 * time.Millisecond))
	// A client that the machine keeps waiting speaks again after the answer:
	// what it needs is what it needs at best.
	var cols []model.Collection
	least := int64(math.MaxInt64)
	for try := 0; try < 5 && least > 1; try++ {
		before := p.Turns.Load()
		cols, err = s.Collections(t.Context())
		must(t, err)
		least = min(least, p.Turns.Load()-before)
	}
	if least != 1 {
		t.Errorf("%d round trips for %d mailboxes, want 1", least, len(cols))
	}
	for _, c := range cols {
		if c.Fingerprint == "" {
			t.Errorf("%v has no fingerprint: it would be listed in every run", c.Path)
		}
	}
}
