package groupware_test

import (
	"fmt"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/vcard"
)

// events of many kinds, as lines of the event.
var events = map[string][]string{
	"plain":     {},
	"alarms":    {"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Soon", "END:VALARM", "BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER;RELATED=END:PT0S", "SUMMARY:Mail", "DESCRIPTION:It ends", "ATTENDEE:mailto:anna@example.test", "END:VALARM"},
	"audio":     {"BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM"},
	"rule":      {"RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20280101T000000Z", "EXDATE:20270303T100000Z,20270308T100000Z"},
	"meeting":   {"ORGANIZER;CN=Anna:mailto:anna@lab.test", "ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:bob@example.test", "ATTENDEE;CN=Cy;PARTSTAT=DECLINED;CUTYPE=ROOM:mailto:cy@example.test"},
	"guest":     {"ORGANIZER;CN=Bob:mailto:bob@example.test", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:anna@lab.test"},
	"orphans":   {"ATTENDEE:mailto:bob@example.test"},
	"decorated": {"CATEGORIES:Work,Travel", "CLASS:PRIVATE", "LOCATION:Room 1\\, 2nd floor", "DESCRIPTION:Line one\\nLine two\\; and so on", "URL:https://example.test/x", "STATUS:TENTATIVE", "TRANSP:TRANSPARENT", "PRIORITY:3", "SEQUENCE:4", "GEO:48.2;16.3", "X-FOO;X-BAR=baz:qux", "COMMENT:a comment", "CONTACT:Somebody", "RESOURCES:Beamer", "CREATED:20250101T000000Z", "ATTACH:https://example.test/file.pdf"},
	"rdate":     {"RDATE:20270310T100000Z,20270401T100000Z"},
	"daily":     {"RRULE:FREQ=DAILY;COUNT=5"},
}

// What goes to the destination in bulk by JMAP, and what goes by CalDAV, means
// there what it meant at the source.
func TestMeaningKept(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	e := newEnv(t, s, "anna")
	e.src.PutCollection("anna", calendar("home", "Home"))
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	sent := map[string]string{}
	put := func(uid, text string) {
		sent[uid] = text
		e.src.PutObject("anna", model.KindCalendar, "home", uid+".ics", text)
	}
	for name, lines := range events {
		put(name, ics(name, "Event "+name, lines...))
	}
	zone := func(uid, tzid, extra string) string {
		return strings.NewReplacer("DTSTART:20270301T100000Z", "DTSTART;TZID="+tzid+":20270301T100000", "DTEND:20270301T110000Z", "DTEND;TZID="+tzid+":20270301T113000").Replace(ics(uid, "Zoned", strings.Split(extra, "\n")...))
	}
	put("berlin", zone("berlin", "Europe/Berlin", "RRULE:FREQ=WEEKLY;COUNT=60"))
	put("windows", zone("windows", "W. Europe Standard Time", "RRULE:FREQ=WEEKLY;COUNT=60"))
	put("allday", strings.NewReplacer("DTSTART:20270301T100000Z", "DTSTART;VALUE=DATE:20270301", "DTEND:20270301T110000Z", "DTEND;VALUE=DATE:20270303").Replace(ics("allday", "All day")))
	put("floating", strings.NewReplacer("00000Z", "00000").Replace(ics("floating", "Floating")))
	put("gap", strings.NewReplacer("DTSTART:20270301T100000Z", "DTSTART;TZID=Europe/Berlin:20270328T023000", "DTEND:20270301T110000Z", "DTEND;TZID=Europe/Berlin:20270328T033000").Replace(ics("gap", "In the gap")))
	put("overlap", strings.NewReplacer("DTSTART:20270301T100000Z", "DTSTART;TZID=Europe/Berlin:20271031T023000", "DTEND:20270301T110000Z", "DTEND;TZID=Europe/Berlin:20271031T033000").Replace(ics("overlap", "In the overlap")))
	series := ics("series", "Series", "RRULE:FREQ=DAILY;COUNT=10")
	series = strings.Replace(series, "END:VCALENDAR", "BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T100000Z\r\nRECURRENCE-ID:20270303T100000Z\r\nDTSTART:20270303T150000Z\r\nDTEND:20270303T160000Z\r\nSUMMARY:Later that day\r\nEND:VEVENT\r\nEND:VCALENDAR", 1)
	put("series", series)
	put("task", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:task\r\nDTSTAMP:20260101T100000Z\r\nDUE:20270101T100000Z\r\nSUMMARY:To do\r\nPERCENT-COMPLETE:30\r\nSTATUS:IN-PROCESS\r\nPRIORITY:1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n")
	for i := range 20 {
		put(fmt.Sprint("more-", i), ics(fmt.Sprint("more-", i), "More"))
	}
	cards := map[string]string{
		"ada":   vcf("ada", "Ada", "ADR;TYPE=HOME:;;Street 1;Wien;;1010;Austria", "TEL;TYPE=CELL:+43 1", "item1.EMAIL:ada@example.test", "item1.X-ABLabel:private", "PHOTO;ENCODING=b;TYPE=JPEG:"+strings.Repeat("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", 100), "KEY;ENCODING=b;TYPE=PGP:LS0tLS1CRUdJTiBQR1AgUFVCTElDIEtFWSBCTE9DSy0tLS0tCmFiYwo=", "X-PHONETIC:eyda"),
		"group": vcf("group", "Team", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:ada"),
	}
	for uid, text := range cards {
		e.src.PutObject("anna", model.KindContacts, "book", uid+".vcf", text)
	}
	res := e.must()
	t.Logf("%+v\n%s", res, strings.Join(e.notes, "\n"))
	for uid, got := range e.texts(e.collections(model.KindCalendar)["Home"]) {
		a, _, err1 := icalendar.Prepare([]byte(sent[uid]))
		b, _, err2 := icalendar.Prepare([]byte(got))
		if err1 != nil || err2 != nil || len(a) != 1 || len(b) != 1 {
			t.Errorf("%s: %v, %v", uid, err1, err2)
			continue
		}
		if a[0].Digest != b[0].Digest {
			t.Errorf("%s (%s) means something else:\n%s\n%s", uid, a[0].ByDAV, a[0].Text, got)
		}
		delete(sent, uid)
	}
	if len(sent) > 0 {
		t.Errorf("missing: %s", keys(sent))
	}
	for uid, got := range e.texts(e.collections(model.KindContacts)["Book"]) {
		a, _, _ := vcard.Prepare([]byte(cards[uid]))
		b, _, _ := vcard.Prepare([]byte(got))
		if len(a) != 1 || len(b) != 1 || a[0].Digest != b[0].Digest {
			t.Errorf("%s means something else:\n%s\n%s", uid, cards[uid], got)
		}
		delete(cards, uid)
	}
	if len(cards) > 0 {
		t.Errorf("missing: %s", keys(cards))
	}
	e.unchanged()
}
