package icalendar_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/sample"
)

var window = icalendar.Around(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), 24)

// home is where the user is.
func home(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func parts(t testing.TB, o sample.Object) []icalendar.Part {
	t.Helper()
	all, _, err := icalendar.Prepare(o.Text)
	if err != nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	return all
}

// Each line of each sample is left out in turn: that must show, both as a
// difference and in the digest, and in nothing else.
func TestEachLineCounts(t *testing.T) {
	t.Parallel()
	zone := home(t)
	// Lines that say nothing of their own.
	silent := []string{"BEGIN", "END", "UID", "DTSTAMP", "LAST-MODIFIED", "PRODID", "VERSION", "CALSCALE", "METHOD",
		"X-WR-CALNAME", "X-WR-TIMEZONE", "X-MS-OLK-FORCEINSPECTOROPEN", "TZ", "DAYLIGHT"}
	silentText := []string{"DTEND;VALUE=DATE:20260305", "DTEND;VALUE=DATE:19800301", "CLASS:PUBLIC", "TRANSP:OPAQUE", "SEQUENCE:0", "PRIORITY:0", "LOCATION:", "SUMMARY:", "DURATION:PT0S"}
	tried := 0
	for _, o := range sample.CalendarObjects() {
		for _, p := range parts(t, o) {
			if all := icalendar.Differences(p, p, window, zone); len(all) > 0 {
				t.Errorf("%s differs from itself: %v", o.Name, all)
			}
			lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(p.Text), "\r\n ", ""), "\r\n"), "\r\n")
			within := ""
			for i, l := range lines {
				name := l[:strings.IndexAny(l, ";:")]
				if name == "BEGIN" && within == "" && l == "BEGIN:VTIMEZONE" {
					within = l
				}
				inZone := within != ""
				if l == "END:VTIMEZONE" {
					within = ""
				}
				if inZone || slices.Contains(silent, name) || slices.Contains(silentText, l) || o.Name == "radicale-same-twice" || strings.HasSuffix(o.Name, "needless") {
					continue
				}
				without := strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\r\n") + "\r\n"
				q, _, err := icalendar.Prepare([]byte(without))
				if err != nil || len(q) != 1 {
					t.Fatalf("%s without %s: %d parts, %v", o.Name, l, len(q), err)
				}
				tried++
				all := icalendar.Differences(p, q[0], window, zone)
				if len(contentline.Real(all)) == 0 && !explained(all, l) {
					t.Errorf("%s without %q: no difference, but %v", o.Name, l, all)
				}
				if p.Digest == q[0].Digest {
					t.Errorf("%s without %q has the same digest", o.Name, l)
				}
			}
		}
	}
	if tried < 300 {
		t.Errorf("only %d lines tried", tried)
	}
}

// explained: leaving out what is the default of its property.
func explained(all []icalendar.Difference, line string) bool {
	return line == "STATUS:CONFIRMED" && len(all) > 0
}

func ics(lines ...string) icalendar.Part {
	all, _, err := icalendar.Prepare([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil || len(all) != 1 {
		return icalendar.Part{}
	}
	return all[0]
}

func TestDifferencesByMeaning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b []string
		// real and explained differences, by property.
		real, explained []string
	}{
		"the same end by a length":   {[]string{"DTSTART:20260302T100000Z", "DTEND:20260302T110000Z"}, []string{"DTSTART:20260302T100000Z", "DURATION:PT1H"}, nil, []string{"DTEND"}},
		"the same end in a zone":     {[]string{"DTSTART;TZID=Europe/Berlin:20260302T100000", "DTEND:20260302T100000Z"}, []string{"DTSTART;TZID=Europe/Berlin:20260302T100000", "DTEND;TZID=Europe/Berlin:20260302T110000"}, nil, []string{"DTEND"}},
		"another name of the zone":   {[]string{"DTSTART;TZID=Europe/Berlin:20260302T100000"}, []string{"DTSTART;TZID=Europe/Vienna:20260302T100000"}, nil, []string{"DTSTART's zone"}},
		"a zone with other rules":    {[]string{"DTSTART;TZID=Europe/Berlin:20260302T100000"}, []string{"DTSTART;TZID=Africa/Lagos:20260302T100000"}, []string{"DTSTART's zone"}, nil},
		"UTC by name":                {[]string{"DTSTART;TZID=Etc/UTC:20260302T100000"}, []string{"DTSTART:20260302T100000Z"}, nil, nil},
		"an hour later":              {[]string{"DTSTART:20260302T100000Z"}, []string{"DTSTART:20260302T110000Z"}, []string{"DTSTART", "instances", "instances"}, nil},
		"EXDATE in another zone":     {[]string{"DTSTART:20260302T100000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260303T100000Z"}, []string{"DTSTART:20260302T100000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20260303T110000"}, nil, nil},
		"an answer":                  {[]string{"DTSTART:20260302T100000Z", "ORGANIZER:mailto:o@x", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@x"}, []string{"DTSTART:20260302T100000Z", "ORGANIZER:mailto:o@x", "ATTENDEE;PARTSTAT=DECLINED:mailto:a@x"}, []string{"ATTENDEE"}, nil},
		"busy":                       {[]string{"DTSTART:20260302T100000Z", "TRANSP:TRANSPARENT"}, []string{"DTSTART:20260302T100000Z"}, []string{"TRANSP"}, nil},
		"a rule that ends otherwise": {[]string{"DTSTART:20260302T100000Z", "RRULE:FREQ=YEARLY;UNTIL=20400302T100000Z"}, []string{"DTSTART:20260302T100000Z", "RRULE:FREQ=YEARLY;UNTIL=20410302T100000Z"}, []string{"RRULE"}, nil},
		"an alarm":                   {[]string{"DTSTART:20260302T100000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT1H", "END:VALARM"}, []string{"DTSTART:20260302T100000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT2H", "END:VALARM"}, []string{"VALARM"}, nil},
		"an alarm's JSID":            {[]string{"DTSTART:20260302T100000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT60M", "END:VALARM"}, []string{"DTSTART:20260302T100000Z", "BEGIN:VALARM", "JSID:k1", "ACTION:DISPLAY", "TRIGGER:-PT1H", "END:VALARM"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var real, explained []string
			for _, d := range icalendar.Differences(ics(c.a...), ics(c.b...), window, home(t)) {
				if d.Explained == "" {
					real = append(real, d.Property)
				} else {
					explained = append(explained, d.Property)
				}
			}
			if !slices.Equal(real, c.real) || !slices.Equal(explained, c.explained) {
				t.Errorf("real %q, explained %q", real, explained)
			}
		})
	}
}

// FuzzDifferences: nothing that can be read makes the comparison fail or never
// end, and nothing differs from itself.
func FuzzDifferences(f *testing.F) {
	for _, o := range sample.CalendarObjects() {
		f.Add(o.Text)
	}
	zone := home(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, _, err := icalendar.Prepare(raw)
		if err != nil {
			return
		}
		for _, p := range all {
			if d := icalendar.Differences(p, p, window, zone); len(d) > 0 {
				t.Fatalf("differs from itself: %v\n%s", d, p.Text)
			}
			for _, q := range all {
				_ = icalendar.Differences(p, q, window, zone)
			}
		}
	})
}
