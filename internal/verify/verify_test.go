package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/stalwart"
	"mailhaul.org/mailhaul/internal/verify"
)

var day = time.Date(2020, 5, 4, 3, 2, 1, 0, time.UTC)

// scene is an account that has been moved.
type scene struct {
	t         *testing.T
	acc       model.Account
	src       *memory.Source
	dst       *stalwart.Destination
	led       *ledger.Ledger
	downloads atomic.Int32
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func moved(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, acc: model.Account{Login: "anna", Address: "anna@acme.test"}, src: memory.New()}
	box := sandbox.New(sandbox.Options{AdminUser: "migrate@acme.test", AdminPassword: "a long password 42", Intercept: func(c sandbox.Call) *sandbox.Fault {
		if c.Method == "download" {
			s.downloads.Add(1)
		}
		return nil
	}})
	url, err := box.Start()
	s.must(err)
	t.Cleanup(func() { box.Close() })
	s.dst, err = stalwart.Dial(t.Context(), stalwart.Config{URL: url, User: "migrate@acme.test", Password: "a long password 42"})
	s.must(err)
	t.Cleanup(func() { s.dst.Close() })
	plan, err := s.dst.Plan(t.Context(), []model.Account{s.acc})
	s.must(err)
	for _, a := range plan {
		s.must(s.dst.Apply(t.Context(), a))
	}
	s.led, err = ledger.Open(t.TempDir())
	s.must(err)
	t.Cleanup(func() { s.led.Close() })
	s.src.AddAccount(s.acc)
	s.src.AddMailbox("anna", "Work", model.RoleNone)
	for i := range 6 {
		s.deliver("INBOX", message(i))
	}
	s.deliver("Work", message(6))
	s.deliver("Work", "no header")
	s.sync()
	return s
}

func message(n int) string {
	return fmt.Sprintf("From: a@b.test\r\nSubject: %d\r\nMessage-ID: <%d@b.test>\r\n\r\nbody %d\r\n", n, n, n)
}

func (s *scene) deliver(mailbox, text string) {
	s.src.Deliver("anna", mailbox, text, model.Flags{System: model.Seen}, day)
}

func (s *scene) sync() {
	s.t.Helper()
	res, err := engine.Sync(s.t.Context(), engine.Options{Source: s.src, Destination: s.dst, Ledger: s.led, SpoolDir: s.t.TempDir(), SettleDelay: time.Millisecond}, []model.Account{s.acc})
	s.must(err)
	s.must(res.Accounts[0].Err)
}

func (s *scene) verify(reread bool) verify.Report {
	s.t.Helper()
	rep, err := verify.Run(s.t.Context(), verify.Options{Source: s.src, Destination: s.dst, Ledger: s.led, Reread: reread}, []model.Account{s.acc})
	s.must(err)
	s.must(rep.Accounts[0].Err)
	return rep
}

// at opens the account at the destination, to act as its user.
func (s *scene) at() destination.Account {
	s.t.Helper()
	a, err := s.dst.Open(s.t.Context(), s.acc.Address)
	s.must(err)
	return a
}

// emails are those of the destination's mailbox of that name.
func (s *scene) emails(name string) []destination.Email {
	s.t.Helper()
	var out []destination.Email
	for e, err := range s.at().List(s.t.Context(), s.mailbox(name)) {
		s.must(err)
		out = append(out, e)
	}
	return out
}

func (s *scene) mailbox(name string) string {
	s.t.Helper()
	boxes, err := s.at().Mailboxes(s.t.Context())
	s.must(err)
	i := slices.IndexFunc(boxes, func(m destination.Mailbox) bool { return m.Name == name })
	if i < 0 {
		s.t.Fatalf("no mailbox %q", name)
	}
	return boxes[i].ID
}

func TestFindings(t *testing.T) {
	t.Parallel()
	exact := verify.Counts{Source: 8, Identical: 7, Repaired: 1}
	for _, c := range []struct {
		name   string
		happen func(*scene)
		want   verify.Counts
		kind   string // of a finding that names what happened
	}{
		{"nothing", func(*scene) {}, exact, "repaired"},
		{"deleted at the destination", func(s *scene) {
			_, err := s.at().Destroy(s.t.Context(), []string{s.emails("Inbox")[0].ID})
			s.must(err)
		}, verify.Counts{Source: 8, Identical: 6, Repaired: 1, Missing: 1}, "missing"},
		{"filed elsewhere at the destination", func(s *scene) {
			_, err := s.at().Update(s.t.Context(), []destination.Patch{{ID: s.emails("Inbox")[0].ID, AddMailboxes: []string{s.mailbox("Work")}, RemoveMailboxes: []string{s.mailbox("Inbox")}}})
			s.must(err)
		}, verify.Counts{Source: 8, Identical: 6, Repaired: 1, Kept: 1}, "kept"},
		{"flagged at the destination", func(s *scene) {
			_, err := s.at().Update(s.t.Context(), []destination.Patch{{ID: s.emails("Inbox")[0].ID, AddKeywords: []string{"$flagged"}}})
			s.must(err)
		}, verify.Counts{Source: 8, Identical: 6, Repaired: 1, Kept: 1}, "kept"},
		{"flagged at the source since", func(s *scene) { s.src.SetFlags("anna", "INBOX", 1, model.Flags{System: model.Flagged}) },
			verify.Counts{Source: 8, Identical: 6, Repaired: 1, Different: 1}, "different"},
		{"deleted at the source since", func(s *scene) { s.src.Expunge("anna", "INBOX", 1) },
			verify.Counts{Source: 7, Identical: 6, Repaired: 1, Gone: 1}, "gone"},
		{"arrived at the source since", func(s *scene) { s.deliver("INBOX", message(9)) },
			verify.Counts{Source: 9, Identical: 7, Repaired: 1, Missing: 1}, "missing"},
		{"another message at the destination", func(s *scene) { s.put("Inbox", message(50)) },
			verify.Counts{Source: 8, Identical: 7, Repaired: 1, Extra: 1}, ""},
		{"a copy at the destination", func(s *scene) { s.put("Inbox", message(1)) },
			verify.Counts{Source: 8, Identical: 7, Repaired: 1, Duplicates: 1}, "duplicates"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := moved(t)
			c.happen(s)
			rep := s.verify(true)
			got := rep.Total
			got.Octets = 0
			if got != c.want {
				t.Errorf("%+v, want %+v\n%+v", got, c.want, rep.Accounts[0].Findings)
			}
			if !rep.Total.Balanced() {
				t.Errorf("the counts do not balance: %+v", rep.Total)
			}
			if c.kind != "" && !slices.ContainsFunc(rep.Accounts[0].Findings, func(d verify.Difference) bool { return d.Kind == c.kind && d.Text != "" }) {
				t.Errorf("no finding of kind %q: %+v", c.kind, rep.Accounts[0].Findings)
			}
			if n := s.downloads.Load(); n != 0 {
				t.Errorf("%d messages were downloaded", n)
			}
		})
	}
}

// put files a message at the destination as somebody else would.
func (s *scene) put(mailbox, text string) {
	s.t.Helper()
	up, err := s.at().Upload(s.t.Context(), []destination.Blob{{Size: int64(len(text)), Hash: blake3.Sum256([]byte(text)), Bytes: []byte(text)}})
	s.must(err)
	s.must(up[0].Err)
	res, _, err := s.at().Import(s.t.Context(), []destination.Import{{BlobID: up[0].BlobID, Mailboxes: []string{s.mailbox(mailbox)}, Received: day, Keywords: []string{"$seen"}}})
	s.must(err)
	s.must(res[0].Err)
}

// Reading the source again shows what the hash taken earlier cannot.
func TestReread(t *testing.T) {
	t.Parallel()
	s := moved(t)
	s.src.Corrupt("anna", "INBOX", 2, strings.Replace(message(1), "body", "BODY", 1))
	if rep := s.verify(false); rep.Differences() != 0 {
		t.Errorf("without reading again: %+v", rep.Total)
	}
	if rep := s.verify(true); rep.Total.Different != 1 || !rep.Total.Balanced() {
		t.Errorf("with reading again: %+v", rep.Total)
	}
}

// An account that cannot be compared says so and does not stop the others.
func TestUnknownAccount(t *testing.T) {
	t.Parallel()
	s := moved(t)
	stranger := model.Account{Login: "nobody", Address: "nobody@acme.test"}
	rep, err := verify.Run(t.Context(), verify.Options{Source: s.src, Destination: s.dst, Ledger: s.led}, []model.Account{stranger, s.acc})
	s.must(err)
	if rep.Failed() != 1 || rep.Accounts[0].Error == "" || rep.Accounts[1].Identical != 7 {
		t.Errorf("%+v", rep)
	}
}
