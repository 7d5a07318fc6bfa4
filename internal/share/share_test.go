package share_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/share"
	"mailhaul.org/mailhaul/internal/source/memory"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// org is a source with anna, ben and cleo, whose mail has been moved, and
// dora, who is not there yet.
type org struct {
	t        *testing.T
	src      *memory.Source
	dst      *stalwart.Destination
	led      *ledger.Ledger
	accounts []model.Account
}

func newOrg(t *testing.T, url, user, password, domain string) *org {
	t.Helper()
	o := &org{t: t, src: memory.New()}
	var err error
	o.dst, err = stalwart.Dial(t.Context(), stalwart.Config{URL: url, User: user, Password: password})
	o.must(err)
	t.Cleanup(func() { o.dst.Close() })
	o.led, err = ledger.Open(t.TempDir())
	o.must(err)
	t.Cleanup(func() { o.led.Close() })
	for _, login := range []string{"anna", "ben", "cleo", "dora"} {
		a := model.Account{Login: login, Address: login + "@" + domain}
		o.accounts = append(o.accounts, a)
		o.src.AddAccount(a)
		o.src.AddMailbox(login, "Team", model.RoleNone)
		o.src.AddMailbox(login, "Team/Plans", model.RoleNone)
		o.src.Deliver(login, "Team", "Subject: x\r\n\r\n", model.Flags{}, time.Unix(1_500_000_000, 0))
	}
	o.arrive(o.accounts[:3]...)
	return o
}

func (o *org) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// arrive makes accounts at the destination and moves their mail.
func (o *org) arrive(accounts ...model.Account) {
	o.t.Helper()
	plan, err := o.dst.Plan(o.t.Context(), accounts)
	o.must(err)
	for _, a := range plan {
		if a.Verb != destination.VerbKeep {
			o.must(o.dst.Apply(o.t.Context(), a))
		}
	}
	res, err := engine.Sync(o.t.Context(), engine.Options{Source: o.src, Destination: o.dst, Ledger: o.led, SpoolDir: o.t.TempDir()}, accounts)
	o.must(err)
	for _, r := range res.Accounts {
		o.must(r.Err)
	}
}

// run carries anna's lists.
func (o *org) run(dry bool) share.AccountResult {
	o.t.Helper()
	res, err := share.Run(o.t.Context(), share.Options{Source: o.src, Destination: o.dst, Ledger: o.led, Everybody: o.accounts, DryRun: dry}, o.accounts[:1])
	o.must(err)
	o.must(res.Accounts[0].Err)
	return res.Accounts[0]
}

// changes writes what a run did, in one line.
func changes(r share.AccountResult) string {
	var out []string
	for _, c := range r.Changes {
		login, _, _ := strings.Cut(c.Reader, "@")
		out = append(out, fmt.Sprintf("%s %s: %s → %s", c.Mailbox, login, c.From, c.To))
	}
	return strings.Join(out, "; ")
}

func codes(r share.AccountResult) []string {
	var out []string
	for _, n := range r.Notes {
		out = append(out, n.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// seen is what a reader sees of anna's mailboxes.
func (o *org) seen(login string) map[string]destination.Rights {
	o.t.Helper()
	at, err := o.dst.Open(o.t.Context(), o.accounts[0].Address)
	o.must(err)
	seen, err := at.(destination.Sharer).SeenBy(o.t.Context(), login+strings.TrimPrefix(o.accounts[0].Address, "anna"))
	o.must(err)
	boxes, err := at.Mailboxes(o.t.Context())
	o.must(err)
	out := map[string]destination.Rights{}
	for _, b := range boxes {
		if r, ok := seen[b.ID]; ok {
			out[b.Name] = r
		}
	}
	return out
}

func grant(id, rights string) model.Grant {
	return model.Grant{Identifier: id, Rights: model.ParseRights(rights)}
}

func TestSandbox(t *testing.T) {
	t.Parallel()
	box := sandbox.New(sandbox.Options{})
	url, err := box.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	life(newOrg(t, url, "admin", "demo", "acme.test"))
}

func TestStalwart(t *testing.T) {
	t.Parallel()
	s := lab.StartStalwart(t)
	life(newOrg(t, s.URL, s.AdminUser, s.AdminPassword, s.Domain))
}

// life is that of anna's shares, from the first run to the last.
func life(o *org) {
	t := o.t
	const reading, all = "read seen keywords", "read add remove seen keywords create rename delete share"
	o.src.SetRights("anna", "Team", grant("anna", "lrswipkxtea"), grant("ben", "lrsw"), grant("cleo", "lrswipkxtea"), grant("dora", "lr"), grant("nobody", "lr"))
	o.src.SetRights("anna", "Team/Plans", grant("ben", "lr"), model.Grant{Identifier: "ben", Rights: model.RightRead, Negative: true})

	want := "Team ben: none → " + reading + "; Team cleo: none → " + all
	if r := o.run(true); changes(r) != want || len(o.seen("ben")) != 0 {
		t.Errorf("a rehearsal says %q, want %q; ben sees %v", changes(r), want, o.seen("ben"))
	}
	r := o.run(false)
	if changes(r) != want || r.Shares != 2 || len(r.Waiting) != 1 || r.Waiting[0].Mailbox != "Team" || !strings.HasPrefix(r.Waiting[0].Reader, "dora@") {
		t.Errorf("the first run: %q, %+v", changes(r), r)
	}
	if got := codes(r); !slices.Equal(got, []string{"nobody", "rights"}) {
		t.Errorf("notes %v: %+v", got, r.Notes)
	}
	if got := o.seen("ben"); len(got) != 1 || got["Team"].String() != reading {
		t.Errorf("ben sees %v", got)
	}
	if r := o.run(false); changes(r) != "" || r.Shares != 2 || r.Kept != 0 {
		t.Errorf("a second run: %q, %+v", changes(r), r)
	}

	// Dora arrives; ben loses what he had; anna gives cleo less, there.
	o.arrive(o.accounts[3])
	o.src.SetRights("anna", "Team", grant("cleo", "lrswipkxtea"), grant("dora", "lr"))
	at, err := o.dst.Open(t.Context(), o.accounts[0].Address)
	o.must(err)
	cleo, err := o.dst.Open(t.Context(), o.accounts[2].Address)
	o.must(err)
	boxes, err := at.Mailboxes(t.Context())
	o.must(err)
	team := boxes[slices.IndexFunc(boxes, func(b destination.Mailbox) bool { return b.Name == "Team" })].ID
	o.must(at.(destination.Sharer).Share(t.Context(), team, map[string]destination.Rights{cleo.ID(): destination.MayRead}))
	r = o.run(false)
	got := strings.Split(changes(r), "; ")
	slices.Sort(got)
	if len(got) != 2 || got[0] != "Team ben: "+reading+" → none" || got[1] != "Team dora: none → read" {
		t.Errorf("the next wave: %q", got)
	}
	if r.Kept != 1 || len(o.seen("ben")) != 0 || o.seen("dora")["Team"] != destination.MayRead || o.seen("cleo")["Team"] != destination.MayRead {
		t.Errorf("kept %d; ben %v, dora %v, cleo %v", r.Kept, o.seen("ben"), o.seen("dora"), o.seen("cleo"))
	}
	for range 2 { // and it stays kept
		if r := o.run(false); changes(r) != "" || r.Kept != 1 || o.seen("cleo")["Team"] != destination.MayRead {
			t.Errorf("after that: %q, kept %d", changes(r), r.Kept)
		}
	}
}

// Everybody is everybody of today, unless that is more than the destination
// allows for one mailbox.
func TestAnyone(t *testing.T) {
	t.Parallel()
	box := sandbox.New(sandbox.Options{})
	url, err := box.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	o := newOrg(t, url, "admin", "demo", "acme.test")
	o.src.SetRights("anna", "Team", grant("anyone", "lr"), model.Grant{Identifier: "cleo", Rights: model.RightRead, Negative: true}, grant("group:staff", "lrs"))
	r := o.run(false)
	if changes(r) != "Team ben: none → read" || !slices.Equal(codes(r), []string{"anyone", "group", "rights"}) || len(r.Waiting) != 1 {
		t.Errorf("%q, %+v", changes(r), r)
	}
	for n := range 12 {
		a := model.Account{Login: fmt.Sprint("more", n), Address: fmt.Sprintf("more%d@acme.test", n)}
		o.accounts = append(o.accounts, a)
	}
	o.src.SetRights("anna", "Team/Plans", grant("anyone", "lr"), grant("ben", "lrsw"))
	r = o.run(false)
	if !strings.Contains(changes(r), "Team/Plans ben: none → read seen keywords") || strings.Contains(changes(r), "Plans cleo") {
		t.Errorf("%q", changes(r))
	}
}

// Whose mail is not there yet is waited for.
func TestAbsentOwner(t *testing.T) {
	t.Parallel()
	box := sandbox.New(sandbox.Options{})
	url, err := box.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	o := newOrg(t, url, "admin", "demo", "acme.test")
	res, err := share.Run(t.Context(), share.Options{Source: o.src, Destination: o.dst, Ledger: o.led, Everybody: o.accounts}, o.accounts[3:])
	if err != nil || res.Accounts[0].Err != nil || !res.Accounts[0].Absent {
		t.Errorf("%+v, %v", res, err)
	}
}
