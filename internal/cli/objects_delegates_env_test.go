package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// What readers may do with a calendar, as they are told at the new server.
const (
	seesAll   = "free/busy read"
	keepsIt   = "free/busy read write own reply"
	delegated = keepsIt
)

// team are the people of the tests of who may use whose calendars.
var team = []string{"anna", "ben", "carla", "dora", "eve"}

// teamLogins is a file of everybody's password.
func teamLogins(t *testing.T) string {
	t.Helper()
	text := ""
	for _, p := range team {
		text += p + "," + annaSecret + "\n"
	}
	file := filepath.Join(t.TempDir(), "logins.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// plainEvent is one of nobody else's.
func plainEvent(summary string) []byte {
	return []byte(strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Client//EN
BEGIN:VEVENT
UID:plain@acme.test
DTSTAMP:20260101T100000Z
DTSTART:20270104T100000Z
DTEND:20270104T110000Z
SUMMARY:`+summary+`
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n"))
}

// calendars are those of an account at the new server, with who asks for them.
func calendars(t *testing.T, to target, owner string) (destination.Account, []destination.ObjectCollection) {
	t.Helper()
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: to.url, User: to.user, Password: to.password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	at, err := d.Open(t.Context(), owner+"@acme.test")
	if err != nil {
		t.Fatal(err)
	}
	all, err := at.(destination.ObjectStore).ObjectCollections(t.Context(), model.KindCalendar)
	if err != nil {
		t.Fatal(err)
	}
	return at, all
}

// defaultCalendar is the name of the calendar that takes what names none.
func defaultCalendar(t *testing.T, to target, owner string) string {
	t.Helper()
	_, all := calendars(t, to, owner)
	for _, c := range all {
		if c.Default {
			return c.Name
		}
	}
	return ""
}

// calendarsSeen is what readers may do with the calendars of an account, by
// calendar and reader.
func calendarsSeen(t *testing.T, to target, owner string, readers ...string) map[string]string {
	t.Helper()
	at, all := calendars(t, to, owner)
	out := map[string]string{}
	for _, c := range all {
		if strings.HasPrefix(c.Name, "Stalwart ") {
			continue // a server's own
		}
		for _, r := range readers {
			seen, err := at.(destination.ObjectSharer).ObjectsSeenBy(t.Context(), c.Collection, r+"@acme.test")
			if err != nil {
				t.Fatal(err)
			}
			if seen != 0 && r != owner {
				out[c.Name+" "+r] = seen.String()
			}
		}
	}
	return out
}

// busy reports that a reader is told when the owner of calendars is busy, as who
// plans a meeting is.
func busy(t *testing.T, to target, owner, reader string) bool {
	t.Helper()
	return len(busyTimes(t, to, owner, reader)) > 0
}

// busyTimes are the beginnings of what a reader is told, sorted.
func busyTimes(t *testing.T, to target, owner, reader string) (out []string) {
	t.Helper()
	var found struct{ IDs []string }
	to.call(t, "x:Account/query", map[string]any{"filter": map[string]any{"name": reader}}, &found)
	const principals = "urn:ietf:params:jmap:principals"
	as := to
	as.user = reader + "@acme.test%" + to.user
	var whose struct{ IDs []string }
	as.callUsing(t, principals, "Principal/query", map[string]any{"accountId": found.IDs[0], "filter": map[string]any{"email": owner + "@acme.test"}}, &whose)
	if len(found.IDs) != 1 || len(whose.IDs) != 1 {
		t.Fatalf("%s is %v, %s is %v", reader, found.IDs, owner, whose.IDs)
	}
	var told struct {
		List []struct{ UTCStart time.Time }
	}
	now := time.Now().UTC()
	as.callUsing(t, principals, "Principal/getAvailability", map[string]any{"accountId": found.IDs[0], "id": whose.IDs[0], "showDetails": false,
		"utcStart": now.AddDate(-2, 0, 0).Format(time.RFC3339), "utcEnd": now.AddDate(2, 0, 0).Format(time.RFC3339)}, &told)
	for _, p := range told.List {
		out = append(out, p.UTCStart.Format(time.RFC3339))
	}
	slices.Sort(out)
	return out
}

// movesCalendars moves from a source into the new server, each step twice where
// the second time has to do nothing: an administrator provisions and shares, the
// migrator does the rest. It returns both.
func (to *objectTarget) movesCalendars(t *testing.T, source string, events int64) (admin, migrator administrator) {
	t.Helper()
	dir := t.TempDir()
	admin, migrator = to.as(t, dir, to.user, to.password, source), to.as(t, dir, to.migrator, migratorPassword, source)
	migrator.run(cli.ExitOK, "check")
	admin.run(cli.ExitOK, "provision")
	var r struct {
		Total struct{ Objects groupware.Result }
	}
	migrator.result(cli.ExitOK, &r, "sync")
	if c := r.Total.Objects.Calendar; c.Created != events {
		t.Errorf("moved %+v, want %d events", c, events)
	}
	migrator.run(cli.ExitOK, "verify")
	migrator.result(cli.ExitOK, &r, "sync")
	if r.Total.Objects != (groupware.Result{}) {
		t.Errorf("a second sync did %+v", r.Total.Objects)
	}
	notes := admin.shared()
	if again := admin.shared(); len(again["changes"])+len(again["kept"]) > 0 {
		t.Errorf("sharing again did %q", again)
	}
	for _, code := range []string{"seen", "refused", "unreadable", "nobody", "group"} {
		if len(notes[code]) > 0 {
			t.Errorf("%s: %q", code, notes[code])
		}
	}
	to.sentNothing(t)
	return admin, migrator
}

// as writes an engagement file of one login in a folder.
func (to *objectTarget) as(t *testing.T, dir, user, password, source string) administrator {
	t.Helper()
	a := administrator{t: t, config: filepath.Join(dir, user+".yaml")}
	at := to.target
	at.user, at.password = user, password
	a.source(at, source)
	text, err := os.ReadFile(a.config)
	if err == nil {
		err = os.WriteFile(a.config, bytes.ReplaceAll(text, []byte("env:NEW_ADMIN"), []byte(fmt.Sprintf("%q", "inline:"+password))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}
