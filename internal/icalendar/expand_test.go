package icalendar

import (
	"slices"
	"testing"
)

func calendar(components ...string) string {
	s := lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN")
	for _, c := range components {
		s += c
	}
	return s + lines("END:VCALENDAR")
}

func vevent(more ...string) string {
	return lines(append(append([]string{"BEGIN:VEVENT", "UID:one@test"}, more...), "END:VEVENT")...)
}

// What the calendar of a user in New York shows.
func TestExpansion(t *testing.T) {
	t.Parallel()
	fiji := lines("BEGIN:VTIMEZONE", "TZID:custom_Pacific/Fiji_x", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+1200", "TZOFFSETTO:+1200", "END:STANDARD", "END:VTIMEZONE")
	outlook := lines("BEGIN:VTIMEZONE", "TZID:Customized Time Zone",
		"BEGIN:STANDARD", "DTSTART:16010101T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10", "END:STANDARD",
		"BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3", "END:DAYLIGHT", "END:VTIMEZONE")
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"exceptions, dates and what is left out": {calendar(
			vevent("DTSTART;TZID=America/New_York:20260302T090000", "RRULE:FREQ=DAILY;COUNT=6", "EXDATE;TZID=America/New_York:20260303T090000", "EXDATE:20260304T140000Z",
				"RDATE;TZID=America/New_York:20260310T080000", "RDATE;VALUE=PERIOD:20260311T120000Z/PT1H"),
			vevent("RECURRENCE-ID;TZID=Europe/Berlin:20260305T150000", "DTSTART;TZID=Europe/London:20260305T200000")),
			[]string{"0302T0900", "0305T1500", "0306T0900", "0307T0900", "0310T0800", "0311T0800"}},
		"this and all future": {calendar(
			vevent("DTSTART;TZID=America/New_York:20260302T090000", "RRULE:FREQ=WEEKLY;COUNT=4"),
			vevent("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/New_York:20260316T090000", "DTSTART;TZID=America/New_York:20260317T103000")),
			[]string{"0302T0900", "0309T0900", "0317T1030", "0324T1030"}},
		"all future twice, and one of them by itself, in any order": {calendar(
			vevent("RECURRENCE-ID:20260330T140000Z", "DTSTART:20260401T140000Z"),
			vevent("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/New_York:20260316T090000", "DTSTART;TZID=America/New_York:20260317T103000"),
			vevent("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/New_York:20260406T090000", "DTSTART;TZID=America/New_York:20260406T200000"),
			vevent("DTSTART;TZID=America/New_York:20260302T090000", "RRULE:FREQ=WEEKLY;COUNT=7", "EXDATE;TZID=America/New_York:20260330T090000")),
			[]string{"0302T0900", "0309T0900", "0317T1030", "0324T1030", "0401T1000", "0406T2000", "0413T2000"}},
		"all future, half a year later": {calendar(
			vevent("DTSTART:20250901T140000Z", "RRULE:FREQ=WEEKLY;COUNT=4"),
			vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20250915T140000Z", "DTSTART:20260316T130000Z")),
			[]string{"0316T0900", "0323T0900"}},
		"a day that an exception gives a time, beside its neighbour": {calendar(
			vevent("DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;COUNT=3"),
			vevent("RECURRENCE-ID;VALUE=DATE:20260303", "DTSTART;TZID=America/New_York:20260303T100000"),
			vevent("RECURRENCE-ID;VALUE=DATE:20260302", "DTSTART;TZID=America/New_York:20260302T110000")),
			[]string{"0302T1100", "0303T1000", "0304"}},
		"an exception by a time, of a day": {calendar(
			vevent("DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;COUNT=3"),
			vevent("RECURRENCE-ID:20260303T000000", "DTSTART;VALUE=DATE:20260310")),
			[]string{"0302", "0304", "0310"}},
		"an old rule that leaves the start in place": {calendar(vevent("DTSTART:20260302T140000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXRULE:FREQ=WEEKLY;BYDAY=TU")), []string{"0302T0900", "0304T0900"}},
		"an old rule of long ago":                    {calendar(vevent("DTSTART:19700101T140000Z", "RRULE:FREQ=HOURLY;INTERVAL=8;UNTIL=20260102T060000Z", "EXRULE:FREQ=HOURLY;INTERVAL=12")), []string{"0101T0100", "0101T1700", "0102T0100"}},
		"a period of a year that began before":       {calendar(vevent("DTSTART:20240302T140000Z", "RDATE;VALUE=PERIOD:20250301T140000Z/P400D")), []string{"0301T0900"}},
		"every minute since a year":                  {calendar(vevent("DTSTART:20250101T000000Z", "RRULE:FREQ=MINUTELY;UNTIL=20260101T000200Z")), []string{"1231T1900", "1231T1901", "1231T1902"}},
		"days":                                       {calendar(vevent("DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260303")), []string{"0302", "0304"}},
		"floating":                                   {calendar(vevent("DTSTART:20260302T090000", "DURATION:PT1H")), []string{"0302T0900"}},
		"a time that there is not":                   {calendar(vevent("DTSTART;TZID=America/New_York:20260307T023000", "RRULE:FREQ=DAILY;COUNT=3")), []string{"0307T0230", "0308T0330", "0309T0230"}},
		"a time that is there twice":                 {calendar(vevent("DTSTART;TZID=America/New_York:20261031T013000", "RRULE:FREQ=DAILY;COUNT=3")), []string{"1031T0130", "1101T0130", "1102T0130"}},
		"a zone by its definition":                   {calendar(fiji, vevent("DTSTART;TZID=custom_Pacific/Fiji_x:20260303T020000")), []string{"0302T0900"}},
		"a zone by Outlook's":                        {calendar(outlook, vevent("DTSTART;TZID=Customized Time Zone:20260327T150000", "RRULE:FREQ=DAILY;COUNT=3")), []string{"0327T1000", "0328T1000", "0329T0900"}},
		"a zone by Windows' name":                    {calendar(vevent("DTSTART;TZID=W. Europe Standard Time:20260302T150000")), []string{"0302T0900"}},
		"a date that ends a rule of times":           {calendar(vevent("DTSTART;TZID=America/New_York:20260302T090000", "RRULE:FREQ=DAILY;UNTIL=20260304")), []string{"0302T0900", "0303T0900", "0304T0900"}},
		"a date that leaves out a time":              {calendar(vevent("DTSTART;TZID=America/New_York:20260302T090000", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260303")), []string{"0302T0900", "0304T0900"}},
		"a start outside of its rule":                {calendar(vevent("DTSTART;TZID=America/New_York:20260302T090000", "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3")), []string{"0302T0900", "0304T0900", "0311T0900"}},
		"an exception without its series":            {calendar(vevent("RECURRENCE-ID:20260302T140000Z", "DTSTART:20260302T150000Z")), []string{"0302T1000"}},
		"an old rule to leave out":                   {calendar(vevent("DTSTART;TZID=America/New_York:20260302T090000", "RRULE:FREQ=DAILY;COUNT=4", "EXRULE:FREQ=DAILY;INTERVAL=2")), []string{"0303T0900", "0305T0900"}},
		"a task by its due date":                     {calendar(lines("BEGIN:VTODO", "UID:t", "DUE:20260302T140000Z", "END:VTODO")), []string{"0302T0900"}},
		"one of long ago, every day":                 {calendar(vevent("DTSTART;TZID=America/New_York:19700101T090000", "RRULE:FREQ=DAILY;UNTIL=20260103T140000Z")), []string{"0101T0900", "0102T0900", "0103T0900"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := expand(t, c.text, "2026-01-01", "2027-01-01", 1000); !slices.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

// A day on the wall and 24 hours differ when the clocks change, if not for the
// first of all that an exception stands for.
func TestADayOfAllFutureIsNot24Hours(t *testing.T) {
	t.Parallel()
	of := func(length string) [32]byte {
		p, _ := one(t, calendar(vevent("DTSTART;TZID=Europe/Berlin:20260302T090000", "RRULE:FREQ=DAILY"),
			vevent("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260310T090000", "DTSTART;TZID=Europe/Berlin:20260310T090000", "DURATION:"+length)))
		return p.Digest
	}
	if of("P1D") == of("PT24H") || of("P1D") != of("+P1D") || of("PT24H") != of("PT1440M") {
		t.Error("P1D and PT24H have one digest, or two spellings of one have two")
	}
}
