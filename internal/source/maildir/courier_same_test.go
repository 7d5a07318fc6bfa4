package maildir_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/imap"
	"mailhaul.org/mailhaul/internal/source/maildir"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// What a real Courier shows over IMAP is what its disk says: names in UTF-8,
// more keywords than letters, subscriptions, deliveries that nobody has seen.
func TestAsCourierShowsIt(t *testing.T) {
	t.Parallel()
	srv := startCourier(t, "")
	h := newCourierDisk(t, srv, maildir.ServerCourier)
	months(t, h)
	over, err := imap.New(imap.Options{URL: "imaps://" + srv.IMAPS, TLS: &tls.Config{InsecureSkipVerify: true}})
	must(t, err)
	shown := sourcetest.Dump(t, over, h.acc) // first: Courier numbers what was delivered
	h.Settle()
	for name, src := range map[string]*maildir.Source{"told": h.src, "detected": maildir.New(maildir.Options{Path: srv.dir + "/%d/%n/Maildir"})} {
		stored := sourcetest.Dump(t, src, h.acc)
		for _, all := range []map[string]sourcetest.Box{shown, stored} {
			for _, b := range all {
				for i := range b.Items {
					it := &b.Items[i]
					// The disk tells a size without CR, IMAP no identity.
					if lf := int64(len(strings.ReplaceAll(it.Text, "\r\n", "\n"))); it.Size != lf && it.Size != int64(len(it.Text)) {
						t.Errorf("size %d of a message of %d octets", it.Size, len(it.Text))
					}
					it.Size, it.GUID = int64(len(it.Text)), ""
				}
			}
		}
		if d := cmp.Diff(shown, stored); d != "" {
			t.Errorf("%s: from IMAP (-) to disk (+):\n%s", name, d)
		}
	}
	if n := len(shown["Many"].Items[0].Flags.Keywords); n != 40 {
		t.Errorf("%d keywords, want 40", n)
	}
	if _, ok := shown["Ärger & Co"]; !ok || !shown["Ärger & Co"].Subscribed {
		t.Errorf("no subscribed Ärger & Co among %d mailboxes", len(shown))
	}
}

// months is some months of a user's mail.
func months(t *testing.T, h *courierDisk) {
	t.Helper()
	boxes := [][]string{{"INBOX"}, {"Ärger & Co"}, {"Projects", "2019", "送信済み"}, {"Sent"}, {"Trash"}, {"Many"}, {"Inbox"}, {"inbox", "sub"}}
	for i, b := range boxes {
		if i > 0 {
			h.Create(t, b)
		}
		if i%2 == 1 {
			h.Subscribe(t, b)
		}
		for n := range 7 {
			m := fmt.Appendf(nil, "From: a@b.test\r\nSubject: %d in %d, gr\xc3\xbc\xc3\x9fe\r\n\r\n%s\x00", n, i, strings.Repeat("the same line over and over\r\n", n*n*40))
			f := model.Flags{System: model.SystemFlags(n * 5 & 31)}
			if n%2 == 0 {
				f.Keywords = []string{"$Forwarded", "Work"}
			}
			h.Append(t, b, m, f, time.Date(2014+i, 2, 3, 4, 5, n, 0, time.UTC))
		}
	}
	var many []string
	for n := range 40 {
		many = append(many, fmt.Sprintf("k%02d", n))
	}
	h.SetFlags(t, []string{"Many"}, 0, model.Flags{Keywords: many})
	h.SetFlags(t, []string{"Many"}, 1, model.Flags{Keywords: []string{"K07", "WORK"}}) // Courier folds case
	h.SetFlags(t, []string{"Many"}, 2, model.Flags{})
	h.SetFlags(t, []string{"Many"}, 4, model.Flags{System: model.Flagged, Keywords: []string{"only"}})
	h.Expunge(t, []string{"Sent"}, 3)
	copyTo(t, h.Client, h.Name([]string{"Sent"}), h.Name([]string{"Ärger & Co"}))
	// A folder by the name of an encoded one is that name itself, since Courier 5.
	must(t, os.CopyFS(filepath.Join(h.root, ".&AMQ-alt"), os.DirFS(filepath.Join(h.root, ".Trash"))))
	// Delivered, and seen by nobody yet.
	for i := range 3 {
		file := filepath.Join(h.root, "new", fmt.Sprintf("18000000%02d.M%dP1.host", 3-i, i))
		must(t, os.WriteFile(file, fmt.Appendf(nil, "Subject: new %d\n\nbody\n", i), 0o600))
	}
	(&lab.Courier{}).Own(t, h.root)
}

func copyTo(t *testing.T, c *imapclient.Client, from, to string) {
	t.Helper()
	_, err := c.Select(from, nil).Wait()
	must(t, err)
	_, err = c.Copy(goimap.UIDSetNum(2, 5), to).Wait()
	must(t, err)
}

// Given a listing under way, when Courier merges its files of keywords again
// and again, then no keyword is missed.
func TestCourierKeywordsWhileMerged(t *testing.T) {
	t.Parallel()
	srv := startCourier(t, "")
	h := newCourierDisk(t, srv, "")
	const n = 30
	inbox := []string{"INBOX"}
	for range n {
		h.Append(t, inbox, []byte("Subject: x\r\n\r\n"), model.Flags{Keywords: []string{"always"}}, time.Unix(1500000000, 0))
	}
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		// Every STORE writes a file, every SELECT merges all of them.
		c := h.Client
		var err error
		for i := 0; err == nil; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if _, err = c.Select("INBOX", nil).Wait(); err == nil {
				op := []goimap.StoreFlagsOp{goimap.StoreFlagsAdd, goimap.StoreFlagsDel}[i%2]
				err = c.Store(goimap.SeqSetNum(uint32(i%n+1)), &goimap.StoreFlags{Op: op, Silent: true, Flags: []goimap.Flag{"now"}}, nil).Close()
			}
		}
		done <- err
	}()
	for range 150 {
		st, err := h.src.Open(t.Context(), h.acc)
		must(t, err)
		cols, err := st.Collections(t.Context())
		must(t, err)
		seen := 0
		for ch, err := range st.Changes(t.Context(), cols[0], "") {
			must(t, err)
			if ch.Op == model.OpUpsert {
				if seen++; !slices.Contains(ch.Item.Flags.Keywords, "always") {
					t.Fatalf("UID %d has keywords %q", ch.Item.UID, ch.Item.Flags.Keywords)
				}
			}
		}
		if seen != n {
			t.Fatalf("%d messages, want %d", seen, n)
		}
	}
	close(stop)
	must(t, <-done)
}

// A check names the mailboxes that are shared, and with whom; enumerated
// accounts bring the quota along that Courier counts against.
func TestCourierCheck(t *testing.T) {
	t.Parallel()
	srv := startCourier(t, "")
	h := newCourierDisk(t, srv, maildir.ServerCourier)
	h.Create(t, []string{"Team"})
	must(t, h.SetACL("INBOX.Team", "u0@acme.test", goimap.RightModificationReplace, goimap.RightSet("lrs")).Wait())
	must(t, h.SetACL("INBOX.Team", "anyone", goimap.RightModificationReplace, goimap.RightSet("l")).Wait())
	must(t, h.SetACL("INBOX.Team", "-eve@acme.test", goimap.RightModificationReplace, goimap.RightSet("lcda")).Wait())
	list := filepath.Join(h.root, ".Team", "courierimapacl")
	text, err := os.ReadFile(list)
	must(t, err)
	must(t, os.WriteFile(list, append(text, "group=staff lr\n"...), 0o644)) // maildiracl writes it, no client may
	st, err := h.src.Open(t.Context(), h.acc)
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	grants, err := st.(source.Rights).Rights(t.Context(), cols[1])
	must(t, err)
	var told []string
	for _, g := range grants {
		told = append(told, fmt.Sprint(g.Identifier, " ", g.Rights, " ", g.Negative))
	}
	if want := []string{"anyone l false", "eve@acme.test lkxtea true", "group=staff lr false", "u0@acme.test lrs false"}; !slices.Equal(told, want) {
		t.Errorf("rights %q, want %q", told, want)
	}
	must(t, os.WriteFile(filepath.Join(h.root, "maildirsize"), []byte("10000000S,1000C\n100 1\n"), 0o644))
	must(t, os.Mkdir(filepath.Join(h.root, "calendar"), 0o755))
	must(t, os.WriteFile(filepath.Join(h.root, "calendar", "index"), []byte("1.2.host\t1.2.host\tt=1500000000,1500003600\n"), 0o644))
	var found []string
	for _, f := range h.src.Check(t.Context()) {
		found = append(found, f.Message)
	}
	if i := slices.IndexFunc(found, func(m string) bool { return strings.Contains(m, h.acc.Login+": Team with user=u0@acme.test") }); i < 0 {
		t.Errorf("found %q", found)
	}
	if !slices.ContainsFunc(found, func(m string) bool {
		return strings.Contains(m, "calendars of Courier's webmail can be read, with 1 event: "+h.acc.Login)
	}) {
		t.Errorf("the calendar is not named: %q", found)
	}
	for a, err := range h.src.Accounts(t.Context()) {
		must(t, err)
		if want := map[string]int64{h.acc.Login: 10000000}[a.Login]; a.Quota != want {
			t.Errorf("%s has quota %d, want %d", a.Login, a.Quota, want)
		}
	}
}
