package verify_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/sample"
)

// Every sample of a calendar object is written to a real Stalwart by CalDAV,
// and by JMAP where Prepare allows it, and read back: nothing but explained
// differences.
func TestCalendarObjectsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	g := startGroupware(t)
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	w := icalendar.Around(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), 24)
	client := g.jmap(byJMAP)
	calendar := g.container(client, "Calendar")
	var parts []icalendar.Part
	names := map[string]string{}
	for _, o := range sample.CalendarObjects() {
		prepared, _, err := icalendar.Prepare(o.Text)
		if err != nil {
			t.Fatalf("%s: %v", o.Name, err)
		}
		for _, p := range prepared {
			parts = append(parts, p)
			names[p.UID] = o.Name
		}
	}
	refused := map[string]string{}
	for i, p := range parts {
		path := fmt.Sprintf("%so%d.ics", home("cal", byDAV), i)
		if status, b := g.dav(byDAV, "PUT", path, "text/calendar; charset=utf-8", p.Text); status != 201 {
			t.Errorf("%s: PUT: %d %s", names[p.UID], status, b)
		}
		if why := g.parsed(client, "CalendarEvent", "calendarIds", calendar, p.Text); why != "" {
			refused[p.UID] = why
		}
	}
	read := func(user string) map[string]icalendar.Part {
		at := map[string]icalendar.Part{}
		for _, text := range g.all(user, home("cal", user)) {
			back, remarks, err := icalendar.Prepare(text)
			if err != nil || len(back) != 1 {
				t.Fatalf("read back: %d parts, %v, %+v\n%s", len(back), err, remarks, text)
			}
			at[back[0].UID] = back[0]
		}
		return at
	}
	dav, jmap := read(byDAV), read(byJMAP)
	for _, p := range parts {
		for way, at := range map[string]map[string]icalendar.Part{"CalDAV": dav, "JMAP": jmap} {
			q, ok := at[p.UID]
			var all []icalendar.Difference
			why := refused[p.UID]
			if ok {
				// From afar, so that a zone that was lost shows.
				all = append(icalendar.Differences(p, q, w, zone), icalendar.Differences(p, q, w, newYork)...)
			}
			real := icalendar.Real(all)
			if way == "JMAP" && p.ByDAV != "" {
				t.Logf("%s: by CalDAV since %s; by JMAP: %q, %d differences", names[p.UID], p.ByDAV, why, len(real))
				for _, d := range real {
					t.Logf("    %s", d)
				}
				if ok && os.Getenv("SHOW") != "" {
					t.Logf("%s", strings.ReplaceAll(string(q.Text), "\r", ""))
				}
				continue
			}
			if !ok {
				t.Errorf("%s by %s: is not there: %s", names[p.UID], way, why)
				continue
			}
			if len(all) == 0 && p.Digest != q.Digest {
				t.Errorf("%s by %s: no difference, but two digests\n%s\n--- is now\n%s", names[p.UID], way, p.Text, strings.ReplaceAll(string(q.Text), "\r", ""))
			}
			for _, d := range all {
				t.Logf("%s by %s: %s", names[p.UID], way, d)
			}
			if len(real) > 0 {
				t.Errorf("%s by %s: %d unexplained differences\n%s\n--- is now\n%s", names[p.UID], way, len(real), p.Text, strings.ReplaceAll(string(q.Text), "\r", ""))
			}
		}
	}
}
