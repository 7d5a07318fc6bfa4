package provision_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/provision"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

const hash = "{SHA512-CRYPT}$6$desttestsalt$T17LoCPYtaxPPvZaUBOU4tbO7Nvi2EoX5dv8nXPNfuUp2otNHz7yqbTI7ueVaDUl1ZwC/rtv9t8XePZQOEV1D0"

// bench is one server, one ledger, and a client that can be opened again, as a
// program that was started anew has one.
type bench struct {
	t      *testing.T
	url    string
	ledger *ledger.Ledger
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s := sandbox.New(sandbox.Options{})
	url, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l, err := ledger.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &bench{t, url, l}
}

func (b *bench) destination() *stalwart.Destination {
	b.t.Helper()
	d, err := stalwart.Dial(b.t.Context(), stalwart.Config{URL: b.url, User: "admin", Password: "demo", Retry: jmap.Retry{Min: time.Millisecond, Max: 10 * time.Millisecond, Patience: time.Second, Attempts: 3}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = d.Close() })
	return d
}

func (b *bench) run(org model.Organisation, change func(*provision.Options)) (provision.Result, error) {
	b.t.Helper()
	o := provision.Options{Destination: b.destination(), Organisation: org, Ledger: b.ledger, Whole: true}
	if change != nil {
		change(&o)
	}
	return provision.Run(b.t.Context(), o)
}

func (b *bench) must(org model.Organisation, change func(*provision.Options)) provision.Result {
	b.t.Helper()
	res, err := b.run(org, change)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, a := range res.Actions {
		if a.Err != nil {
			b.t.Errorf("%s %s %s: %v", a.Verb, a.Kind, a.Subject, a.Err)
		}
	}
	return res
}

// lines are what a result writes, as "+ kind subject".
func lines(res provision.Result) []string {
	var out []string
	for _, a := range res.Actions {
		if a.Verb.Writes() && !a.Skipped {
			out = append(out, a.Verb.Sign()+" "+string(a.Kind)+" "+a.Subject)
		}
	}
	return out
}

// before and after are two states of one organisation, with everything in them
// that there is.
func before() model.Organisation {
	return model.Organisation{
		Domains: []model.Domain{{Name: "acme.test"}, {Name: "acme-old.test", AliasOf: "acme.test"}},
		Accounts: []model.Account{
			{Login: "anna", Address: "anna@acme.test", Name: "Anna", Aliases: []string{"a@acme.test"}, Password: hash, Language: "de",
				Identities: []model.Identity{{Name: "Anna at work", Address: "a@acme.test", TextSignature: "-- \nAnna"}}},
			{Login: "ben", Address: "ben@acme.test", Password: hash, Forwards: []string{"b1@outside.test", "b2@outside.test"}},
			{Login: "cleo", Address: "cleo@acme.test", Disabled: true, Vacation: &model.Vacation{Subject: "Away", Text: "Away until Monday."}},
		},
		Groups:    []model.Group{{Address: "desk@acme.test", Members: []string{"anna@acme.test", "ben@acme.test"}}},
		Lists:     []model.List{{Address: "staff@acme.test", Members: []string{"anna@acme.test", "ben@acme.test"}}, {Address: "old@acme.test", Members: []string{"cleo@acme.test"}}},
		CatchAlls: []model.CatchAll{{Domain: "acme.test", Targets: []string{"anna@acme.test", "ben@acme.test"}}},
	}
}

func after() model.Organisation {
	o := before()
	o.Accounts[0].Aliases = []string{"anna.b@acme.test"}
	o.Accounts[0].Name = "Anna B"
	o.Accounts[1].Aliases = []string{"a@acme.test"}
	o.Accounts[1].Forwards = []string{"b1@outside.test"}
	o.Accounts[0].Identities = nil
	o.Accounts[2].Disabled = false
	o.Groups[0].Members = []string{"anna@acme.test"}
	o.Lists = []model.List{{Address: "staff@acme.test", Members: []string{"anna@acme.test", "x@outside.test"}}}
	o.CatchAlls = []model.CatchAll{{Domain: "acme.test", Targets: []string{"anna@acme.test"}}}
	return o
}

// outcome is what a server has in the end, told by a run that remembers
// nothing: what it would have to do.
func (b *bench) outcome(org model.Organisation) string {
	b.t.Helper()
	var out []string
	res := b.must(org, func(o *provision.Options) { o.DryRun = true })
	for _, a := range res.Actions {
		out = append(out, fmt.Sprintf("%s %s %s %v kept %v", a.Verb, a.Kind, a.Subject, a.Changes, a.Kept))
	}
	return strings.Join(out, "\n")
}

var errStop = errors.New("the program ends here")

// TestStopAtEveryStep stops a first run, and one after the source has changed,
// before every durable step and every effect, and runs it again: the outcome is
// always that of runs that nobody stopped.
func TestStopAtEveryStep(t *testing.T) {
	t.Parallel()
	plain := newBench(t)
	plain.must(before(), nil)
	if again := lines(plain.must(before(), nil)); len(again) > 0 {
		t.Fatalf("the second run writes %q", again)
	}
	plain.must(after(), nil)
	want := plain.outcome(after())
	if again := lines(plain.must(after(), nil)); len(again) > 0 {
		t.Fatalf("the second run after a change writes %q", again)
	}
	stops, stride := 0, 1
	if testing.Short() {
		stride = 5
	}
	for _, changed := range []bool{false, true} {
		for n := 0; ; n += stride {
			b := newBench(t)
			first := before()
			if changed {
				b.must(before(), nil)
				first = after()
			}
			count, at := 0, ""
			_, err := b.run(first, func(o *provision.Options) {
				o.Step = func(what string) error {
					if count++; count > n {
						at = what
						return errStop
					}
					return nil
				}
			})
			if err == nil {
				break // stopped after every step there is
			}
			if !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			stops++
			b.must(first, nil)
			if again := lines(b.must(first, nil)); len(again) > 0 {
				t.Errorf("stopped at %s (changed: %t): a second run after it still writes %q", at, changed, again)
			}
			b.must(after(), nil)
			if got := b.outcome(after()); got != want {
				t.Errorf("stopped at %s (changed: %t): the outcome is\n%s\nwant\n%s", at, changed, got, want)
			}
		}
	}
	if stops < 40/stride {
		t.Errorf("only %d steps to stop at", stops)
	}
}

// TestDeletedByHand: what mailhaul made and somebody deleted stays deleted,
// until the source is given the last word.
func TestDeletedByHand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.must(before(), nil)
	d := b.destination()
	if err := d.Apply(t.Context(), destination.Action{Verb: destination.VerbDelete, Kind: destination.KindList, Subject: "staff@acme.test"}); err != nil {
		t.Fatal(err)
	}
	res := b.must(before(), nil)
	if got := lines(res); len(got) > 0 {
		t.Errorf("a run after a deletion by hand writes %q", got)
	}
	i := slices.IndexFunc(res.Actions, func(o provision.Outcome) bool { return o.Subject == "staff@acme.test" })
	if i < 0 || res.Actions[i].Verb != destination.VerbWait || !strings.Contains(res.Actions[i].Note, "--update") {
		t.Errorf("the deletion is not shown: %+v", res.Actions)
	}
	if got := lines(b.must(before(), func(o *provision.Options) { o.Update = true })); !slices.Equal(got, []string{"+ list staff@acme.test"}) {
		t.Errorf("with --update: %q", got)
	}
}

// TestQuotas: none while mail arrives, then the source's, never less than what
// has arrived.
func TestQuotas(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	org := model.Organisation{Accounts: []model.Account{{Login: "big", Address: "big@acme.test", Quota: 1_000_000}, {Login: "fine", Address: "fine@acme.test", Quota: 500_000_000}, {Login: "later", Address: "later@acme.test", Quota: 7},
		{Login: model.PublicLogin, Address: "public@acme.test", Quota: 1_000_000, Public: &model.Public{}}}, Groups: []model.Group{{Address: "desk@acme.test", Quota: 4_000_000}}}
	res := b.must(org, nil)
	for _, a := range res.Actions {
		if (a.Kind == destination.KindAccount || a.Subject == "public@acme.test") && (!strings.Contains(a.Note, "quota") || slices.ContainsFunc(a.Changes, func(c destination.Change) bool { return c.Property == "quota" })) {
			t.Errorf("before the mail: %s %q %v", a.Subject, a.Note, a.Changes)
		}
	}
	arrive := func(login string, octets int64) {
		t.Helper()
		acc, err := b.ledger.Account(t.Context(), login, login+"@acme.test")
		if err != nil {
			t.Fatal(err)
		}
		err = b.ledger.Write(t.Context(), func(tx *ledger.Tx) error {
			c := ledger.Collection{Account: acc.ID, SourceID: "INBOX", UIDValidity: 1, Native: "INBOX", Path: []string{"INBOX"}}
			if err := tx.PutCollection(&c); err != nil {
				return err
			}
			return tx.PutItem(ledger.Item{Collection: c.ID, UID: 1, State: ledger.Moved, Size: octets})
		})
		if err == nil {
			err = b.ledger.Finish(t.Context(), acc.ID, "done", "", time.Now())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	arrive("big", 2_500_000)
	arrive(model.PublicLogin, 2_500_000)
	arrive("fine", 1000)
	got := map[string]string{}
	for _, a := range b.must(org, nil).Actions {
		for _, c := range a.Changes {
			got[a.Subject] += c.Property + "=" + c.New
		}
	}
	if got["big@acme.test"] != "quota=3000000" || got["fine@acme.test"] != "quota=500000000" || got["later@acme.test"] != "" || got["public@acme.test"] != "quota=3000000" || got["desk@acme.test"] != "" {
		t.Errorf("after the mail of two: %v", got)
	}
	if again := lines(b.must(org, nil)); len(again) > 0 {
		t.Errorf("again: %q", again)
	}
}

// TestOnly applies what the patterns choose and nothing else.
func TestOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	only := func(patterns ...string) func(*provision.Options) {
		f, err := provision.ParseFilter(patterns)
		if err != nil {
			t.Fatal(err)
		}
		return func(o *provision.Options) { o.Only = f }
	}
	if got := lines(b.must(before(), only("domain", "accounts/anna@*"))); !slices.Equal(got, []string{"+ domain acme.test", "~ domain acme.test", "+ account anna@acme.test"}) {
		t.Errorf("domains and one account: %q", got)
	}
	b.must(before(), only("account/cleo@*"))
	if got := lines(b.must(before(), only("*/ben@acme.test", "list/forward-*"))); !slices.Equal(got, []string{"+ account ben@acme.test", "+ list forward-ben@acme.test", "+ forward ben@acme.test"}) {
		t.Errorf("all of ben: %q", got)
	}
	if got := lines(b.must(before(), only("*/desk@acme.test"))); !slices.Equal(got, []string{"+ group desk@acme.test", "~ member desk@acme.test"}) {
		t.Errorf("all of the desk: %q", got)
	}
	for _, bad := range []string{"people", "list/[", "/x"} {
		if _, err := provision.ParseFilter([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	b = newBench(t)
	f := provision.Filter{Addresses: map[string]bool{"ben@acme.test": true}}
	if got := lines(b.must(before(), func(o *provision.Options) { o.Only = f })); !slices.Equal(got, []string{"+ domain acme.test", "~ domain acme.test", "+ account ben@acme.test", "+ list forward-ben@acme.test", "+ forward ben@acme.test"}) {
		t.Errorf("one account: %q", got)
	}
}

// TestOneFails: a destination that fails for one does not keep the
// others from being made, and the next run makes up for it.
func TestOneFails(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	lame := &failing{Organiser: b.destination(), subject: "ben@acme.test"}
	res, err := b.run(before(), func(o *provision.Options) { o.Destination = lame })
	if err != nil {
		t.Fatal(err)
	}
	if failed, _ := res.Failed(); failed == 0 || len(lines(res)) < 10 {
		t.Errorf("%d failed of %q", failed, lines(res))
	}
	b.must(before(), nil)
	if again := lines(b.must(before(), nil)); len(again) > 0 {
		t.Errorf("a third run writes %q", again)
	}
}

type failing struct {
	destination.Organiser
	subject string
}

func (f *failing) Apply(ctx context.Context, a destination.Action) error {
	if a.Subject == f.subject {
		return model.Faultf(model.ClassItem, "test", "refused")
	}
	return f.Organiser.Apply(ctx, a)
}

// TestPasswordFollows: a password that changes at the source before the user
// moves is written again; one whose hash is the same is not.
func TestPasswordFollows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	org := model.Organisation{Accounts: []model.Account{{Login: "anna", Address: "anna@acme.test", Password: hash}, {Login: "ben", Address: "ben@acme.test", Password: "{PLAIN}quite-a-long-password-7"}}}
	b.must(org, nil)
	org.Accounts[0].Password = "{PLAIN}another-long-password-9"
	res := b.must(org, nil)
	if got := lines(res); !slices.Equal(got, []string{"~ account anna@acme.test"}) {
		t.Fatalf("after one changed: %q", got)
	}
	if _, err := stalwart.Dial(t.Context(), stalwart.Config{URL: b.url, User: "anna@acme.test", Password: "another-long-password-9"}); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if again := lines(b.must(org, nil)); len(again) > 0 {
		t.Errorf("again: %q", again)
	}
}

// TestShrunkSource: an organisation that is suddenly gone, as when a table could
// not be read, is not taken back without being asked.
func TestShrunkSource(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	org := model.Organisation{Accounts: []model.Account{{Login: "anna", Address: "anna@acme.test"}, {Login: "ben", Address: "ben@acme.test"}}}
	for i := range 30 {
		org.Lists = append(org.Lists, model.List{Address: fmt.Sprintf("list%d@acme.test", i), Members: []string{"anna@acme.test", "ben@acme.test"}})
		org.Accounts[0].Aliases = append(org.Accounts[0].Aliases, fmt.Sprintf("alias%d@acme.test", i))
	}
	b.must(org, nil)
	less := org
	less.Lists = org.Lists[3:]
	if got := lines(b.must(less, nil)); len(got) != 3 {
		t.Errorf("three lists are gone: %q", got)
	}
	gone := less
	gone.Lists = nil
	gone.Accounts = []model.Account{{Login: "anna", Address: "anna@acme.test"}, org.Accounts[1]}
	res := b.must(gone, nil)
	if got := lines(res); len(got) > 0 {
		t.Errorf("all lists and aliases are gone: %q", got)
	}
	i := slices.IndexFunc(res.Actions, func(o provision.Outcome) bool { return o.Subject == "list7@acme.test" })
	if i < 0 || res.Actions[i].Verb != destination.VerbWait || !strings.Contains(res.Actions[i].Note, "--update") {
		t.Errorf("the lists that are gone are not told of")
	}
	if got := lines(b.must(gone, func(o *provision.Options) { o.Update = true })); len(got) != 27+30 {
		t.Errorf("asked for: %d removals, want 57", len(got))
	}
}
