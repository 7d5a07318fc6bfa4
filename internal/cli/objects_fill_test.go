package cli_test

import (
	"fmt"
	"iter"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
)

// some are how many events, contacts and files there are besides those that
// clients have written: MAILHAUL_OBJECTS, half and a fifth of it.
func some(t *testing.T) (events, contacts, files int) {
	t.Helper()
	events = 30
	if v := os.Getenv("MAILHAUL_OBJECTS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			t.Fatalf("MAILHAUL_OBJECTS=%s is no number of objects", v)
		}
		events = n
	}
	return events, max(events/2, 20), max(events/5, 30)
}

// What users will remove, move and change.
const goneName, movedName, bookedName = "google-appointment-utc", "evolution-appointment", "booked"

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
	events, contacts, files := some(t)
	accepts := map[string]model.Kind{}
	put := func(kind model.Kind, collection, name string, content []byte) {
		t.Helper()
		if refused := s.client.put(t, kind, collection, name, content); refused != "" {
			t.Logf("the old server refuses %s: %s", name, refused)
			return
		}
		accepts[key(kind, name)] = kind
	}
	many := func(kind model.Kind, collection string, objects iter.Seq2[string, []byte]) {
		t.Helper()
		refused := s.client.fill(t, kind, collection, objects)
		for name := range objects {
			if why, no := refused[name]; no {
				t.Logf("the old server refuses %s: %s", name, why)
			} else {
				accepts[key(kind, name)] = kind
			}
		}
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
		many(model.KindCalendar, "Private", named(sample.Events(events, 5), ".ics"))
		put(model.KindCalendar, "Work", bookedName+".ics", booked("Later this time"))
	}
	if s.has(model.KindContacts) {
		s.client.make(t, model.KindContacts, "People")
		for _, o := range sample.Cards() {
			put(model.KindContacts, "People", o.Name+".vcf", o.Text)
		}
		many(model.KindContacts, "People", named(sample.Contacts(contacts, 5), ".vcf"))
	}
	if s.has(model.KindFiles) {
		// Cyrus takes no folder whose name is not ASCII: its files are put where
		// a user would, into the folder above.
		made := map[string]string{"": ""} // where the files of a folder are
		in := map[string][]sample.File{}
		for f := range sample.Files(files, 5) {
			above, folder := "", ""
			for i := range len(f.Path) - 1 {
				above, folder = folder, strings.Join(f.Path[:i+1], "/")
				if _, ok := made[folder]; !ok {
					made[folder] = folder
					if refused := s.client.make(t, model.KindFiles, folder); refused != "" {
						t.Logf("the old server refuses the folder %s: %s", folder, refused)
						made[folder] = made[above]
					}
				}
			}
			in[made[folder]] = append(in[made[folder]], f)
		}
		for folder, list := range in {
			many(model.KindFiles, folder, func(yield func(string, []byte) bool) {
				for _, f := range list {
					if !yield(f.Path[len(f.Path)-1], f.Content()) {
						return
					}
				}
			})
		}
		s.client.make(t, model.KindFiles, "Inbox of files")
		for _, n := range []string{"to change.txt", "to remove.txt", "to move.txt"} {
			put(model.KindFiles, "Inbox of files", n, []byte("This is "+n+".\n"))
		}
	}
	return accepts
}

// named are objects with the names of their files.
func named(objects iter.Seq[sample.Object], suffix string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for o := range objects {
			if !yield(o.Name+suffix, o.Text) {
				return
			}
		}
	}
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

// davRequests sums up what -vv tells of the requests to a server.
func davRequests(log string) string {
	count := map[string]int{}
	var thought, longest time.Duration
	for line := range strings.Lines(log) {
		if !strings.Contains(line, `msg="DAV request"`) {
			continue
		}
		for field := range strings.FieldsSeq(line) {
			name, value, _ := strings.Cut(field, "=")
			switch name {
			case "method":
				count[value]++
			case "answered":
				d, _ := time.ParseDuration(value) // what is none counts as nothing
				thought, longest = thought+d, max(longest, d)
			}
		}
	}
	return fmt.Sprintf("requests %v, answered after %v in all and %v at most", count, thought.Round(time.Millisecond), longest.Round(time.Millisecond))
}
