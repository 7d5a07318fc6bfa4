package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/sample"
)

// eventTest writes calendar objects to a real server and reads them back.
type eventTest struct {
	*groupware
	window icalendar.Window
	zones  []*time.Location // whose user looks at them
	names  map[string]string
	parts  []icalendar.Part
}

func newEventTest(t *testing.T) *eventTest {
	e := &eventTest{groupware: startGroupware(t), names: map[string]string{},
		window: icalendar.Around(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), 24)}
	// One that is at home, one that is far away: a zone that was lost shows.
	for _, name := range []string{"Europe/Berlin", "America/New_York"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		e.zones = append(e.zones, zone)
	}
	return e
}

func (e *eventTest) add(o sample.Object) {
	e.t.Helper()
	prepared, _, err := icalendar.Prepare(o.Text)
	if err != nil {
		e.t.Fatalf("%s: %v", o.Name, err)
	}
	for _, p := range prepared {
		e.parts = append(e.parts, p)
		e.names[p.UID] = o.Name
	}
}

// read returns what a user's calendar holds.
func (e *eventTest) read(user string) map[string]icalendar.Part {
	e.t.Helper()
	at := map[string]icalendar.Part{}
	for _, text := range e.all(user, home("cal", user)) {
		back, remarks, err := icalendar.Prepare(text)
		if err != nil || len(back) != 1 {
			e.t.Fatalf("read back: %d parts, %v, %+v\n%s", len(back), err, remarks, text)
		}
		at[back[0].UID] = back[0]
	}
	return at
}

func (e *eventTest) differences(p, q icalendar.Part) (all []icalendar.Difference) {
	for _, zone := range e.zones {
		all = append(all, icalendar.Differences(p, q, e.window, zone)...)
	}
	return all
}

// compare fails the test for whatever nothing explains.
func (e *eventTest) compare(way string, p icalendar.Part, at map[string]icalendar.Part, refused string) {
	e.t.Helper()
	q, ok := at[p.UID]
	if !ok {
		e.t.Errorf("%s by %s: is not there: %s", e.names[p.UID], way, refused)
		return
	}
	all := e.differences(p, q)
	for _, d := range all {
		e.t.Logf("%s by %s: %s", e.names[p.UID], way, d)
	}
	both := fmt.Sprintf("%s\n--- is now\n%s", p.Text, q.Text)
	if real := contentline.Real(all); len(real) > 0 {
		e.t.Errorf("%s by %s: %d unexplained differences\n%s", e.names[p.UID], way, len(real), both)
	}
	if len(all) == 0 && p.Digest != q.Digest {
		e.t.Errorf("%s by %s: no difference, but two digests\n%s", e.names[p.UID], way, both)
	}
}

// byBothWays writes all parts by CalDAV, and by JMAP what Prepare leaves to
// it, and compares.
func (e *eventTest) byBothWays() {
	e.t.Helper()
	client := e.jmap(byJMAP)
	calendar := e.container(client, "Calendar")
	refused := map[string]string{}
	for i, p := range e.parts {
		path := fmt.Sprintf("%so%d.ics", home("cal", byDAV), i)
		if status, b := e.dav(byDAV, "PUT", path, "text/calendar; charset=utf-8", p.Text); status != 201 {
			e.t.Errorf("%s: PUT: %d %s", e.names[p.UID], status, b)
		}
		if p.ByDAV == "" {
			refused[p.UID] = e.parsed(client, "CalendarEvent", "calendarIds", calendar, p.Text)
		}
	}
	dav, jmap := e.read(byDAV), e.read(byJMAP)
	for _, p := range e.parts {
		e.compare("CalDAV", p, dav, "")
		if p.ByDAV == "" {
			e.compare("JMAP", p, jmap, refused[p.UID])
		}
	}
}

// What clients wrote means the same at a real Stalwart, by CalDAV, and by JMAP
// where Prepare allows it.
func TestCalendarObjectsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	e := newEventTest(t)
	for _, o := range sample.CalendarObjects() {
		e.add(o)
	}
	e.byBothWays()
	reasons := map[string]bool{}
	for _, p := range e.parts {
		if p.ByDAV != "" {
			reasons[e.names[p.UID]] = true
		}
	}
	for _, name := range []string{"apple-series-moved", "evolution-memo", "outlook-customized-zone", "radicale-this-and-future"} {
		if !reasons[name] {
			t.Errorf("%s may go by JMAP, which changes it", name)
		}
	}
}

func TestMadeEventsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	e := newEventTest(t)
	for o := range sample.Events(150, 20260302) {
		e.add(o)
	}
	e.byBothWays()
	byJMAP := slices.DeleteFunc(slices.Clone(e.parts), func(p icalendar.Part) bool { return p.ByDAV != "" })
	if len(byJMAP) < 120 {
		t.Errorf("only %d of %d go by JMAP: %s", len(byJMAP), len(e.parts), strings.Join(reasonsOf(e.parts), "; "))
	}
}

func reasonsOf(parts []icalendar.Part) (all []string) {
	for _, p := range parts {
		if p.ByDAV != "" {
			all = append(all, p.ByDAV)
		}
	}
	return all
}
