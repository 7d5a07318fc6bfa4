package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/verify"
)

// What Outlook, Google, Apple, Thunderbird and Evolution write into calendars
// and address books, and files, moves from each real server and from disk into
// one Stalwart, by two logins: an administrator provisions, the migrator of the
// guide does the rest. What users change meanwhile follows, and nobody gets an
// invitation.
func TestObjectsMove(t *testing.T) {
	t.Parallel()
	to := startObjectTarget(t)
	t.Run("from", func(t *testing.T) {
		for name, start := range objectSites {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				to.moves(t, start(t), strings.ReplaceAll(strings.ToLower(name), " ", "-")+".test")
			})
		}
		t.Run("Cyrus", func(t *testing.T) {
			t.Parallel()
			over, disk := startObjectCyrus(t)
			to.movesAlike(t, over, disk)
		})
	})
	to.sentNothing(t)
}

// From disk all of it moves into the embedded destination, too.
func TestObjectsMoveIntoSandbox(t *testing.T) {
	t.Parallel()
	startObjectSandbox(t).moves(t, objectSites["vdir"](t), "vdir.test")
}

// objectMove is an account on its way.
type objectMove struct {
	administrator
	to      *objectTarget
	site    objectSite
	address string
	accepts map[string]model.Kind // what the old server took, by kind and name
	want    groupware.Result
}

func (to *objectTarget) moves(t *testing.T, site objectSite, domain string) {
	done := lap(t, "fill")
	accepts := site.fill(t)
	done()
	m := to.first(t, site, domain, accepts)
	if !t.Failed() {
		site.change(t)
		m.follows(t)
	}
}

// lap logs how long something takes.
func lap(t *testing.T, what string) (done func()) {
	start := time.Now()
	return func() { t.Logf("%s: %s", what, time.Since(start).Round(100*time.Millisecond)) }
}

// movesAlike moves one account in two ways, with equal results.
func (to *objectTarget) movesAlike(t *testing.T, one, other objectSite) {
	accepts := one.fill(t)
	a, b := to.first(t, one, "one.test", accepts), to.first(t, other, "other.test", accepts)
	alike := func(when string) {
		t.Helper()
		x, y := a.there(t), b.there(t)
		if len(x) != len(y) {
			t.Errorf("%s: %d and %d objects", when, len(x), len(y))
		}
		for name, digest := range x {
			// A group of version 4.0 is given over CardDAV in Apple's words.
			if y[name] != digest && !strings.Contains(name, ": rad-group-1") {
				t.Errorf("%s: %s differs", when, name)
			}
		}
	}
	alike("first")
	if t.Failed() {
		return
	}
	one.change(t)
	a.follows(t)
	b.follows(t)
	alike("changed")
}

// count is how many the old server took.
func (m *objectMove) count() (want groupware.Result) {
	for _, kind := range m.accepts {
		want.Of(kind).Created++
	}
	return want
}

// open writes the engagement files of both logins and provisions.
func (to *objectTarget) open(t *testing.T, site objectSite, domain string) *objectMove {
	t.Helper()
	dir := t.TempDir()
	as := func(user, password string) administrator {
		a := administrator{t: t, config: filepath.Join(dir, user+".yaml"), counts: os.Getenv("MAILHAUL_OBJECTS") != ""}
		text := fmt.Sprintf("engagement: ./state\nsource:\n%s\n  users: {list: [%s], domain: %s}\ndestination: {url: %q, user: %q, password: %q}\n", site.source, site.login(), domain, to.url, user, "inline:"+password)
		if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return a
	}
	address := site.login()
	if !strings.Contains(address, "@") {
		address += "@" + domain
	}
	as(to.user, to.password).run(cli.ExitOK, "provision")
	return &objectMove{administrator: as(to.migrator, migratorPassword), to: to, site: site, address: address}
}

// first provisions, checks, assesses, syncs and verifies, as an administrator
// does.
func (to *objectTarget) first(t *testing.T, site objectSite, domain string, accepts map[string]model.Kind) *objectMove {
	t.Helper()
	m := to.open(t, site, domain)
	m.accepts = accepts
	if out := m.run(cli.ExitOK, "check"); !strings.Contains(out, site.checks) || !strings.Contains(out, "none are sent for what is written") {
		t.Errorf("the check does not say %q, or whether invitations are sent:\n%s", site.checks, out)
	}
	var assessed struct {
		Total struct{ Objects assess.Objects }
	}
	m.result(cli.ExitOK, &assessed, "assess")
	resources := m.count()
	if o := assessed.Total.Objects; 1+o.Events+o.Tasks+o.Journals < resources.Calendar.Created || o.Contacts+o.Groups < resources.Contacts.Created || o.Files != resources.Files.Created {
		t.Errorf("assessed %+v of %+v", o, resources)
	}
	var dry, done, again struct {
		Total    struct{ Objects groupware.Result }
		Accounts []struct {
			Notes []struct{ Mailbox, Item, Code, Text string }
		}
	}
	m.result(cli.ExitOK, &dry, "sync", "--dry-run")
	if o := dry.Total.Objects; o.Calendar.Created != resources.Calendar.Created || o.Contacts.Created != resources.Contacts.Created || o.Files.Created != resources.Files.Created {
		t.Errorf("the dry run would move %+v of %+v", o, resources)
	}
	m.result(cli.ExitOK, &done, "sync")
	m.want = done.Total.Objects
	for _, kind := range site.kinds {
		got, want := m.want.Of(kind), resources.Of(kind)
		// Some resources hold several objects, one holds the same twice.
		if got.Created < want.Created || got.Created > want.Created+8 || got.Refused+got.NotTaken+got.Kept+got.Changed+got.Removed > 0 {
			t.Errorf("%s: moved %+v of %d; %+v", kind, *got, want.Created, done.Accounts)
		}
	}
	m.verified(t)
	m.result(cli.ExitOK, &again, "sync")
	if again.Total.Objects != (groupware.Result{}) {
		t.Errorf("a second sync did %+v", again.Total.Objects)
	}
	return m
}

// verified demands that all objects are there, and only they.
func (m *objectMove) verified(t *testing.T) {
	t.Helper()
	var v struct {
		Objects  verify.ObjectCounts
		Accounts []struct{ Findings []verify.Difference }
	}
	var out, problem bytes.Buffer
	code := m.try(&out, &problem, "verify", "--json")
	doc := struct{ Result any }{&v}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatalf("%s: %v: %s", m.address, err, problem.String())
	}
	o := v.Objects
	if code != cli.ExitOK || o.Source < int64(len(m.accepts))-1 || o.Exact+o.Explained+o.Merged != o.Source || o.Extra != 0 {
		t.Errorf("%s: verify ends with %d: %+v", m.address, code, o)
		for _, a := range v.Accounts {
			for _, f := range a.Findings {
				t.Errorf("%s: %s %s: %s: %s", m.address, f.Mailbox, f.Item, f.Kind, f.Text)
			}
		}
	}
}

// follows moves what users have changed.
func (m *objectMove) follows(t *testing.T) {
	t.Helper()
	var r struct {
		Total struct{ Objects groupware.Result }
	}
	m.result(cli.ExitOK, &r, "sync")
	o := r.Total.Objects
	o.Calendar.Octets, o.Contacts.Octets, o.Files.Octets = 0, 0, 0
	var want groupware.Result
	if m.site.has(model.KindCalendar) {
		want.Calendar = groupware.Counts{Changed: 1, Removed: 1, Moved: 1, Collections: 1}
	}
	if m.site.has(model.KindContacts) {
		want.Contacts = groupware.Counts{Created: 1}
	}
	if m.site.has(model.KindFiles) {
		want.Files = groupware.Counts{Created: 1, Changed: 1, Removed: 1, Moved: 1}
	}
	if o != want {
		t.Errorf("what changed was moved as %+v, want %+v", o, want)
	}
	m.verified(t)
	if m.site.has(model.KindCalendar) {
		m.shows(t)
	}
	m.result(cli.ExitOK, &r, "sync")
	if r.Total.Objects != (groupware.Result{}) {
		t.Errorf("a sync after that did %+v", r.Total.Objects)
	}
}

// An event that no parser takes is refused by name; sync and verify end with
// the code for that, and a mended one moves.
func TestRefusedObjectsMatter(t *testing.T) {
	t.Parallel()
	to := startObjectTarget(t)
	site := objectSites["vdir"](t)
	site.client.make(t, model.KindCalendar, "Work")
	site.client.put(t, model.KindCalendar, "Work", "good.ics", booked("Later"))
	site.client.put(t, model.KindCalendar, "Work", "bad.ics", []byte("this is no calendar\r\n"))
	m := to.open(t, site, "refused.test")
	var r struct {
		Total struct{ Objects groupware.Result }
	}
	m.result(cli.ExitRefused, &r, "sync")
	if c := r.Total.Objects.Calendar; c.Created != 1 || c.Refused != 1 {
		t.Errorf("%+v", c)
	}
	if out := m.run(cli.ExitRefused, "verify", "--json"); !strings.Contains(out, "bad.ics") {
		t.Errorf("verify does not name it:\n%s", out)
	}
	site.client.put(t, model.KindCalendar, "Work", "bad.ics", []byte(strings.ReplaceAll(string(booked("Mended")), "booked@", "mended@")))
	m.run(cli.ExitOK, "sync")
	m.run(cli.ExitOK, "verify")
}
