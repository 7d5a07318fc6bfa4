package sandbox_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// conversions are events of which JMAP keeps all, or loses something.
var conversions = map[string]string{
	"a zone that only its definition knows": "BEGIN:VTIMEZONE\r\nTZID:custom/Fiji\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+1200\r\nTZOFFSETTO:+1200\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n" +
		zoned("DTSTART;TZID=custom/Fiji:20270101T100000", "DTEND;TZID=custom/Fiji:20270101T110000"),
	"a Windows zone":              zoned("DTSTART;TZID=W. Europe Standard Time:20270101T100000", "DTEND;TZID=W. Europe Standard Time:20270101T110000"),
	"an end in UTC":               zoned("DTSTART;TZID=Europe/Berlin:20270101T100000", "DTEND:20270101T110000Z"),
	"over a change of the clocks": zoned("DTSTART;TZID=Europe/Berlin:20270327T220000", "DTEND;TZID=Europe/Berlin:20270328T060000"),
	"in UTC":                      zoned("DTSTART:20270101T100000Z", "DTEND:20270101T113000Z", "TRANSP:TRANSPARENT", "X-FOO;X-BAR=1:baz"),
	"floating":                    zoned("DTSTART:20270101T100000", "DTEND:20270101T110000"),
	"whole days":                  zoned("DTSTART;VALUE=DATE:20270101", "DTEND;VALUE=DATE:20270103", "RRULE:FREQ=DAILY;COUNT=9", "EXDATE;VALUE=DATE:20270105"),
	"a duration":                  zoned("DTSTART:20270101T100000Z", "DURATION:PT1H"),
	"a gap of the clocks":         zoned("DTSTART;TZID=Europe/Berlin:20270328T023000", "DURATION:PT1H"),
	"an hour twice":               zoned("DTSTART;TZID=Europe/Berlin:20271031T023000", "DURATION:PT1H"),
	"two rules":                   zoned("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY;COUNT=4"),
	"dates left out and added":    zoned("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;COUNT=20", "EXDATE:20270103T100000Z,20270104T100000Z", "RDATE:20270301T120000Z"),
	"attendees without organizer": zoned("DTSTART:20270101T100000Z", "ATTENDEE:mailto:b@x.test"),
	"a class of its own":          zoned("DTSTART:20270101T100000Z", "CLASS:X-SECRET"),
	"private":                     zoned("DTSTART:20270101T100000Z", "CLASS:PRIVATE", "COMMENT:one", "COMMENT:two"),
	"alarms": zoned("DTSTART:20270101T100000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Soon", "END:VALARM",
		"BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM"),
	"a task": strings.ReplaceAll(zoned("DUE:20270101T100000Z", "PERCENT-COMPLETE:30"), "VEVENT", "VTODO"),
	"an exception in another zone": zoned("DTSTART;TZID=Europe/Berlin:20270101T100000", "RRULE:FREQ=DAILY;COUNT=5") +
		zoned("RECURRENCE-ID;TZID=Europe/Berlin:20270102T100000", "DTSTART;TZID=America/New_York:20270102T100000"),
	"this and all future": zoned("DTSTART:20270101T100000Z", "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20270102T100000Z") +
		zoned("RECURRENCE-ID;RANGE=THISANDFUTURE:20270102T100000Z", "DTSTART:20270102T150000Z", "X-A:b"),
}

func zoned(lines ...string) string {
	return "BEGIN:VEVENT\r\nUID:UID\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Said\\, done\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n"
}

// What JMAP makes of an event on its way from parse to set is on the sandbox what
// it is on a real server.
func TestConvertsLikeStalwart(t *testing.T) {
	t.Parallel()
	want, got := bothStages(t)
	for name, text := range conversions {
		text = calendar(strings.ReplaceAll(text, "UID:UID", "UID:"+strings.ReplaceAll(name, " ", "-")))
		if d := cmp.Diff(want.convert(text), got.convert(text)); d != "" {
			t.Errorf("%s:\n%s\n(-Stalwart +sandbox)\n%s", name, text, d)
		}
	}
}

var unsaid = regexp.MustCompile(`^(DTSTAMP:|PRODID:|JSID:)`)

// convert sends an event through JMAP and returns the lines that come of it, in
// the order of the alphabet.
func (s *stage) convert(text string) []string {
	s.t.Helper()
	raw, _ := json.Marshal(text)
	id := s.ids["anna"]
	// The calendar is there from the first look at it.
	s.jmap("anna", `["Calendar/get",{"accountId":"`+id+`","ids":null},"0"]`)
	answer := s.jmap("migrator", `["Blob/upload",{"accountId":"`+id+`","create":{"b":{"data":[{"data:asText":`+string(raw)+`}]}}},"0"],["CalendarEvent/parse",{"accountId":"`+id+`","blobIds":["#b"]},"1"]`)
	var doc struct{ MethodResponses [][3]json.RawMessage }
	var parsed struct {
		Parsed map[string][]map[string]any
	}
	if err := json.Unmarshal([]byte(answer), &doc); err != nil || json.Unmarshal(doc.MethodResponses[1][1], &parsed) != nil {
		s.t.Fatalf("%v: %s", err, answer)
	}
	create := map[string]any{}
	for _, list := range parsed.Parsed {
		for i, e := range list {
			e["calendarIds"] = map[string]bool{"b": true}
			create[fmt.Sprint(i)] = e
		}
	}
	body, _ := json.Marshal(map[string]any{"accountId": id, "sendSchedulingMessages": false, "create": create})
	var made struct {
		Created    map[string]struct{ ID string }
		NotCreated map[string]any
	}
	s.result(&made, s.jmap("migrator", `["CalendarEvent/set",`+string(body)+`,"0"]`))
	_, _, stored := s.send("migrator", "REPORT", calHome+"default/", `<C:calendar-query `+nsAll+`><D:prop><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`, "Depth", "1")
	lines := []string{fmt.Sprint("refused: ", len(made.NotCreated))}
	for line := range strings.Lines(stored) {
		if line = strings.TrimRight(line, "\r\n"); !unsaid.MatchString(line) && !strings.Contains(line, "<") {
			lines = append(lines, strings.ReplaceAll(line, `"`, "")) // quotes that need not be
		}
	}
	slices.Sort(lines)
	for _, m := range made.Created {
		s.jmap("migrator", `["CalendarEvent/set",{"accountId":"`+id+`","destroy":["`+m.ID+`"]},"0"]`)
	}
	return lines
}
