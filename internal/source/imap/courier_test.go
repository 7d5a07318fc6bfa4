package imap_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
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

type courierServer struct {
	*lab.Courier
	dir  string
	tls  *tls.Config
	next atomic.Int32
}

func startCourier(t *testing.T, settings string) *courierServer {
	t.Helper()
	s := &courierServer{dir: t.TempDir()}
	var list []lab.CourierUser
	for i := range users {
		list = append(list, lab.CourierUser{Name: fmt.Sprintf("u%d@acme.test", i), Password: fmt.Sprint("secret", i), Home: fmt.Sprintf("%s/acme.test/u%d", s.dir, i)})
	}
	s.Courier = lab.StartCourier(t, lab.CourierOptions{Users: list, Mail: s.dir, Settings: settings, Shared: true})
	pem, err := os.ReadFile(s.CA)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	s.tls = &tls.Config{RootCAs: pool}
	return s
}

// courierHarness is one account of a real Courier, read over IMAP.
type courierHarness struct {
	*sourcetest.User
	acc  model.Account
	root string
	src  *imap.Source
}

func newCourierHarness(t *testing.T, s *courierServer, url string) *courierHarness {
	t.Helper()
	n := s.next.Add(1)
	h := &courierHarness{acc: model.Account{Login: fmt.Sprintf("u%d@acme.test", n), Secret: fmt.Sprint("secret", n)}, root: fmt.Sprintf("%s/acme.test/u%d/Maildir", s.dir, n)}
	var err error
	h.src, err = imap.New(imap.Options{URL: url, TLS: s.tls, SpoolDir: t.TempDir()})
	must(t, err)
	h.User = sourcetest.NewUser(t, s.IMAP, h.acc.Login, h.acc.Secret)
	return h
}

func (h *courierHarness) Source() source.Source  { return h.src }
func (h *courierHarness) Account() model.Account { return h.acc }

// Stored: Courier drops every CR and ends the last line.
func (h *courierHarness) Stored(message []byte) []byte {
	text := strings.TrimSuffix(strings.ReplaceAll(string(message), "\r", ""), "\n")
	return []byte(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
}

// Snapshot names every message file: its flags are part of the name.
func (h *courierHarness) Snapshot(t *testing.T) string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"cur/*", "new/*", ".*/cur/*", ".*/new/*"} {
		files, err := filepath.Glob(filepath.Join(h.root, pattern))
		must(t, err)
		for _, f := range files {
			info, err := os.Stat(f)
			must(t, err)
			out = append(out, fmt.Sprint(f, " ", info.ModTime(), info.Size()))
		}
	}
	return strings.Join(out, "\n")
}

// Reading, by SELECT as it must be here, removes nothing that is marked as
// deleted.
func TestCourierExpungesNothing(t *testing.T) {
	t.Parallel()
	srv := startCourier(t, "")
	h := newCourierHarness(t, srv, "imaps://"+srv.IMAPS)
	h.Create(t, []string{"Other"})
	for i := range 4 {
		h.Append(t, []string{"INBOX"}, []byte("Subject: x\r\n\r\ny\r\n"), model.Flags{System: model.Deleted * model.SystemFlags(i%2)}, time.Unix(1500000000, 0))
	}
	before := h.Snapshot(t)
	for range 2 {
		s, err := h.src.Open(t.Context(), h.acc)
		must(t, err)
		cols, err := s.Collections(t.Context())
		must(t, err)
		n := 0
		for _, c := range cols {
			for ch, err := range s.Changes(t.Context(), c, "") {
				must(t, err)
				if ch.Op == model.OpUpsert {
					n++
				}
			}
		}
		must(t, s.Close())
		if n != 4 {
			t.Errorf("%d messages, want 4", n)
		}
	}
	if after := h.Snapshot(t); after != before {
		t.Errorf("reading changed\n%s\ninto\n%s", before, after)
	}
}

func TestCourierConformance(t *testing.T) {
	t.Parallel()
	srv := startCourier(t, "")
	for name, url := range map[string]string{"STARTTLS": "imap://" + srv.IMAP, "IMAPS": "imaps://" + srv.IMAPS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return newCourierHarness(t, srv, url) })
		})
	}
}

// deliver puts a message where a delivery agent would.
func (h *courierHarness) deliver(t *testing.T, name string) {
	t.Helper()
	file := filepath.Join(h.root, "new", name)
	must(t, os.WriteFile(file, []byte("Subject: "+name+"\n\nbody\n"), 0o600))
	must(t, os.Chown(file, lab.MailUID, lab.MailUID))
}

// Given mailboxes that nobody opened, when mail arrives and goes in between,
// then every message keeps the UID it was shown under, and so does the mailbox
// its UIDVALIDITY.
func TestCourierNumbersForGood(t *testing.T) {
	t.Parallel()
	srv := startCourier(t, "")
	h := newCourierHarness(t, srv, "imaps://"+srv.IMAPS)
	h.deliver(t, "1600000002.M1.host")
	h.deliver(t, "1600000003.M1.host")
	look := func() (validity uint32, uids map[string]uint64) {
		s, err := h.src.Open(t.Context(), h.acc)
		must(t, err)
		defer s.Close()
		cols, err := s.Collections(t.Context())
		must(t, err)
		var refs []model.ItemRef
		for c, err := range s.Changes(t.Context(), cols[0], "") {
			must(t, err)
			if c.Op == model.OpUpsert {
				refs = append(refs, c.Item.ItemRef)
			}
		}
		uids = map[string]uint64{}
		must(t, s.Read(t.Context(), cols[0], refs, func(r model.ItemRef, c *source.Content, err error) error {
			must(t, err)
			text, err := io.ReadAll(c)
			uids[string(text[9:19])] = r.UID
			return err
		}))
		return cols[0].UIDValidity, uids
	}
	validity, first := look()
	if len(first) != 2 {
		t.Fatalf("%v", first)
	}
	h.deliver(t, "1500000001.M1.host") // sorts before the others
	must(t, os.Remove(filepath.Join(h.root, "cur", "1600000002.M1.host:2,")))
	again, second := look()
	if again != validity || second["1600000003"] != first["1600000003"] || second["1500000001"] <= first["1600000003"] || len(second) != 2 {
		t.Errorf("UIDVALIDITY %d, UIDs %v, then %d, %v", validity, first, again, second)
	}
}

// A check warns of what a login does.
func TestCourierCheck(t *testing.T) {
	t.Parallel()
	srv := startCourier(t, "")
	h := newCourierHarness(t, srv, "imaps://"+srv.IMAPS)
	found := h.src.CheckAs(t.Context(), h.acc)
	if !slices.ContainsFunc(found, func(f model.Finding) bool {
		return f.Level == model.LevelWarning && strings.Contains(f.Message, "Trash")
	}) {
		t.Errorf("%+v", found)
	}
}

// Subscriptions are the user's own, not those of the levels above.
func TestCourierNames(t *testing.T) {
	t.Parallel()
	srv := startCourier(t, "")
	h := newCourierHarness(t, srv, "imaps://"+srv.IMAPS)
	for _, b := range [][]string{{"a", "b", "c"}, {"Inbox"}, {"inbox", "x"}, {"R&D"}} {
		h.Create(t, b)
		h.Subscribe(t, b)
	}
	s, err := h.src.Open(t.Context(), h.acc)
	must(t, err)
	defer s.Close()
	cols, err := s.Collections(t.Context())
	must(t, err)
	var got []string
	for _, c := range cols {
		name := strings.Join(c.Path, "/")
		if c.Subscribed {
			name += " +"
		}
		if c.Container {
			name += " -"
		}
		got = append(got, name+" "+string(c.Role))
	}
	want := []string{"INBOX inbox", "INBOX/Inbox + ", "INBOX/x + ", "R&D + ", "a - ", "a/b - ", "a/b/c + "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
