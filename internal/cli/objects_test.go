package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/stalwart"
	"mailhaul.org/mailhaul/internal/vcard"
	"mailhaul.org/mailhaul/internal/verify"
)

// What Outlook, Google, Apple, Thunderbird and Evolution write into calendars
// and address books, and files, moves from each real server and from disk into
// one Stalwart, by two logins: an administrator provisions, the migrator of the
// guide does the rest. What users change meanwhile follows, and nobody gets an
// invitation.
func TestObjectsMove(t *testing.T) {
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

// objectTarget is the new server with its two logins.
type objectTarget struct {
	*lab.Stalwart
	admin              *jmap.Client
	migrator, password string
	dst                destination.Destination
}

func startObjectTarget(t *testing.T) *objectTarget {
	t.Helper()
	to := &objectTarget{Stalwart: lab.StartStalwart(t), password: "Staple-Battery-4711-x"}
	to.migrator = "migrator@" + to.Domain
	var err error
	if to.admin, err = jmap.Dial(t.Context(), jmap.Config{URL: to.URL, User: to.AdminUser, Password: to.AdminPassword}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.admin.Close() })
	type object = map[string]any
	var domain struct{ IDs []string }
	to.call(t, "x:Domain/query", object{"filter": object{"name": to.Domain}}, &domain)
	var made struct{ NotCreated map[string]any }
	to.call(t, "x:Account/set", object{"create": object{"m": object{"@type": "User", "name": "migrator", "domainId": domain.IDs[0], "roles": object{"@type": "User"},
		"credentials": object{"0": object{"@type": "Password", "secret": to.password}},
		"permissions": object{"@type": "Merge", "disabledPermissions": object{"calendarSchedulingSend": true}, "enabledPermissions": object{
			"impersonate": true, "unlimitedUploads": true, "unlimitedRequests": true, "sysAccountGet": true, "sysAccountQuery": true}}}}}, &made)
	if len(made.NotCreated) > 0 {
		t.Fatalf("the migrator was not made: %v", made.NotCreated)
	}
	if to.dst, err = stalwart.Dial(t.Context(), stalwart.Config{URL: to.URL, User: to.migrator, Password: to.password}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.dst.Close() })
	return to
}

func (to *objectTarget) call(t *testing.T, method string, arguments map[string]any, v any) {
	t.Helper()
	r := jmap.NewRequest("urn:stalwart:jmap")
	id := r.Call(method, arguments)
	resp, err := to.admin.Do(context.WithoutCancel(t.Context()), r)
	if err == nil {
		err = resp.Decode(id, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// sentNothing demands that no message waits in the queue, and that none ever
// did: what cannot be delivered leaves it at once, and only the log tells.
func (to *objectTarget) sentNothing(t *testing.T) {
	t.Helper()
	var waiting struct{ IDs []string }
	to.call(t, "x:QueuedMessage/query", map[string]any{}, &waiting)
	log := to.Log(t)
	if n, m := strings.Count(log, "-queued)"), strings.Count(log, "(calendar.itip-message-sent)"); len(waiting.IDs)+n+m > 0 {
		t.Errorf("%d messages wait, %d were queued, %d are about meetings", len(waiting.IDs), n, m)
	}
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
	accepts := site.fill(t)
	m := to.first(t, site, domain, accepts)
	if !t.Failed() {
		site.change(t)
		m.follows(t)
	}
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

// There are some of everything, so that bulk requests are made.
const someEvents, someContacts, someFiles = 30, 20, 30

// series and its like are what users will change.
const (
	seriesName, goneName, movedName = "thunderbird-monthly", "google-appointment-utc", "evolution-appointment"
	bookedName                      = "booked"
)

// booked is a weekly meeting with guests, an exception and an alarm by mail.
func booked(summary string) []byte {
	return []byte(strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:booked@acme.test
DTSTAMP:20260101T100000Z
DTSTART;TZID=Europe/Berlin:20270104T100000
DTEND;TZID=Europe/Berlin:20270104T110000
RRULE:FREQ=WEEKLY;COUNT=30
SUMMARY:Room booked
ORGANIZER;CN=Anna:mailto:anna@acme.test
ATTENDEE;CN=Anna;PARTSTAT=ACCEPTED:mailto:anna@acme.test
ATTENDEE;CN=Guest;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:guest@outside.test
BEGIN:VALARM
ACTION:EMAIL
TRIGGER:-PT15M
SUMMARY:Soon
DESCRIPTION:Soon
ATTENDEE:mailto:guest@outside.test
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:booked@acme.test
DTSTAMP:20260101T100000Z
RECURRENCE-ID;TZID=Europe/Berlin:20270111T100000
DTSTART;TZID=Europe/Berlin:20270111T143000
DTEND;TZID=Europe/Berlin:20270111T153000
SUMMARY:`+summary+`
ORGANIZER;CN=Anna:mailto:anna@acme.test
ATTENDEE;CN=Anna;PARTSTAT=ACCEPTED:mailto:anna@acme.test
ATTENDEE;CN=Guest;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:guest@outside.test
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n"))
}

const newContact = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:newcomer@acme.test\r\nFN:Nora Newcomer\r\nN:Newcomer;Nora;;;\r\nEMAIL;TYPE=WORK:nora@acme.test\r\nEND:VCARD\r\n"

// fill writes what the clients write. It returns what the server took.
func (s objectSite) fill(t *testing.T) map[string]model.Kind {
	t.Helper()
	accepts := map[string]model.Kind{}
	put := func(kind model.Kind, collection, name string, content []byte) {
		t.Helper()
		if refused := s.client.put(t, kind, collection, name, content); refused != "" {
			t.Logf("the old server refuses %s: %s", name, refused)
			return
		}
		if slices.Contains(s.drops, name) {
			return
		}
		accepts[key(kind, name)] = kind
	}
	if s.has(model.KindCalendar) {
		s.client.make(t, model.KindCalendar, "Work")
		s.client.make(t, model.KindCalendar, "Private")
		clients := map[string]bool{}
		for _, o := range sample.CalendarObjects() {
			put(model.KindCalendar, "Work", o.Name+".ics", o.Text)
			if _, ok := accepts[key(model.KindCalendar, o.Name+".ics")]; ok {
				clients[o.Client()] = true
			}
		}
		for _, c := range []string{"outlook", "exchange", "google", "apple", "thunderbird", "evolution"} {
			if !clients[c] {
				t.Errorf("the old server takes nothing of %s", c)
			}
		}
		for o := range sample.Events(someEvents, 5) {
			put(model.KindCalendar, "Private", o.Name+".ics", o.Text)
		}
		put(model.KindCalendar, "Work", bookedName+".ics", booked("Later this time"))
	}
	if s.has(model.KindContacts) {
		s.client.make(t, model.KindContacts, "People")
		for _, o := range sample.Cards() {
			put(model.KindContacts, "People", o.Name+".vcf", o.Text)
		}
		for o := range sample.Contacts(someContacts, 5) {
			put(model.KindContacts, "People", o.Name+".vcf", o.Text)
		}
	}
	if s.has(model.KindFiles) {
		made := map[string]string{"": ""} // and why they were refused
		for f := range sample.Files(someFiles, 5) {
			folder := ""
			for i := range len(f.Path) - 1 {
				folder = strings.Join(f.Path[:i+1], "/")
				if _, ok := made[folder]; !ok {
					made[folder] = s.client.make(t, model.KindFiles, folder)
				}
			}
			if made[folder] != "" {
				t.Logf("the old server refuses the folder %s: %s", folder, made[folder])
				continue
			}
			put(model.KindFiles, folder, f.Path[len(f.Path)-1], f.Content())
		}
		s.client.make(t, model.KindFiles, "Inbox of files")
		for _, n := range []string{"to change.txt", "to remove.txt", "to move.txt"} {
			put(model.KindFiles, "Inbox of files", n, []byte("This is "+n+".\n"))
		}
	}
	return accepts
}

// change does what users do between two runs.
func (s objectSite) change(t *testing.T) {
	t.Helper()
	must := func(refused string) {
		t.Helper()
		if refused != "" {
			t.Fatal(refused)
		}
	}
	if s.has(model.KindCalendar) {
		must(s.client.put(t, model.KindCalendar, "Work", bookedName+".ics", booked("Earlier again")))
		s.client.remove(t, model.KindCalendar, "Work", goneName+".ics")
		s.client.move(t, model.KindCalendar, "Work", "Private", movedName+".ics")
		s.client.paint(t, "Private", "At home", "#112233")
	}
	if s.has(model.KindContacts) {
		must(s.client.put(t, model.KindContacts, "People", "newcomer.vcf", []byte(newContact)))
	}
	if s.has(model.KindFiles) {
		must(s.client.put(t, model.KindFiles, "Inbox of files", "to change.txt", []byte("It says something else, and more.\n")))
		s.client.remove(t, model.KindFiles, "Inbox of files", "to remove.txt")
		s.client.move(t, model.KindFiles, "Inbox of files", "Documents", "to move.txt")
		must(s.client.put(t, model.KindFiles, "Documents", "new & shiny.txt", []byte("new\n")))
	}
}

// count is how many the old server took.
func (m *objectMove) count() (want groupware.Result) {
	for _, kind := range m.accepts {
		want.Of(kind).Created++
	}
	return want
}

// first checks, assesses, provisions, syncs and verifies, as an administrator
// does.
func (to *objectTarget) first(t *testing.T, site objectSite, domain string, accepts map[string]model.Kind) *objectMove {
	t.Helper()
	dir := t.TempDir()
	as := func(user, password string) administrator {
		a := administrator{t: t, config: filepath.Join(dir, user+".yaml")}
		text := fmt.Sprintf("engagement: ./state\nsource:\n%s\n  users: {list: [%s], domain: %s}\ndestination: {url: %q, user: %q, password: %q}\n", site.source, site.login(), domain, to.URL, user, "inline:"+password)
		if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return a
	}
	address := site.login()
	if !strings.Contains(address, "@") {
		address += "@" + domain
	}
	m := &objectMove{administrator: as(to.migrator, to.password), to: to, site: site, address: address, accepts: accepts}
	as(to.AdminUser, to.AdminPassword).run(cli.ExitOK, "provision")
	m.run(cli.ExitOK, "check")
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
	code := cli.Run(t.Context(), cli.Streams{Out: &out, Err: &problem}, "test", []string{"-c", m.config, "verify", "--json"})
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

// shows looks at the changed calendars themselves.
func (m *objectMove) shows(t *testing.T) {
	t.Helper()
	texts := map[string]string{}
	color := ""
	m.each(t, model.KindCalendar, func(c destination.ObjectCollection, uid, text string) {
		texts[c.Name+" "+uid] = text
		if c.Name == "At home" {
			color = c.Color
		}
	})
	uid := func(name string) string {
		all := sample.CalendarObjects()
		parts, _, err := icalendar.Prepare(all[slices.IndexFunc(all, func(o sample.Object) bool { return o.Name == name })].Text)
		if err != nil {
			t.Fatal(err)
		}
		return parts[0].UID
	}
	if got := texts["Work booked@acme.test"]; !strings.Contains(got, "Earlier again") || strings.Contains(got, "Later this time") || !strings.Contains(got, "mailto:guest@outside.test") {
		t.Errorf("the changed exception is\n%s", got)
	}
	if texts["Work "+uid(goneName)] != "" || texts["Work "+uid(movedName)] != "" || texts["At home "+uid(movedName)] == "" {
		t.Errorf("what was removed and moved is not where it belongs")
	}
	if color != "#112233" {
		t.Errorf("the recoloured calendar is %q", color)
	}
}

// each yields the objects of a kind as the new server gives them.
func (m *objectMove) each(t *testing.T, kind model.Kind, fn func(c destination.ObjectCollection, uid, text string)) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	account, err := m.to.dst.Open(t.Context(), m.address)
	must(err)
	at := account.(destination.ObjectStore)
	all, err := at.ObjectCollections(t.Context(), kind)
	must(err)
	for _, c := range all {
		list, err := at.Objects(t.Context(), c.Collection)
		must(err)
		ids, uids := []string{}, map[string]string{}
		for _, o := range list {
			ids = append(ids, o.ID)
			uids[o.ID] = o.UID
		}
		texts := map[string]string{}
		must(at.ReadObjects(t.Context(), c.Collection, ids, func(o destination.Object, r io.Reader, err error) error {
			if err != nil {
				return err
			}
			var b bytes.Buffer
			_, err = b.ReadFrom(r)
			texts[o.ID] = b.String()
			return err
		}))
		for id, text := range texts {
			fn(c, uids[id], strings.ReplaceAll(text, "\r\n ", ""))
		}
	}
}

// there is what the account has, by collection and UID, as digests of the
// meaning.
func (m *objectMove) there(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, kind := range m.site.kinds {
		m.each(t, kind, func(c destination.ObjectCollection, uid, text string) {
			digest := fmt.Sprintf("%x", text)
			switch kind {
			case model.KindCalendar:
				parts, _, err := icalendar.Prepare([]byte(text))
				if err != nil || len(parts) != 1 {
					t.Fatalf("%s: %v", uid, err)
				}
				digest = fmt.Sprintf("%x", parts[0].Digest)
			case model.KindContacts:
				cards, _, err := vcard.Prepare([]byte(text))
				if err != nil || len(cards) != 1 {
					t.Fatalf("%s: %v", uid, err)
				}
				digest = fmt.Sprintf("%x", cards[0].Digest)
			}
			out[fmt.Sprintf("%s %s %s: %s", kind, c.Name, c.Color, uid)] = digest
		})
	}
	return out
}
