package icalendar

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Rules of vCalendar 1.0, those of its own examples among them.
func TestOldRules(t *testing.T) {
	t.Parallel()
	const monday = "DTSTART:20260302T090000" // the first of its month
	for _, c := range []struct{ start, rule, want string }{
		{monday, "D1 #10", "FREQ=DAILY;COUNT=10"},
		{monday, "D2", "FREQ=DAILY;INTERVAL=2;COUNT=2"}, // what is said when nothing is
		{monday, "D1 #0", "FREQ=DAILY"},
		{monday, "d1 0900 #3", "FREQ=DAILY;COUNT=3"},
		{monday, "D1 20260310", "FREQ=DAILY;UNTIL=20260310T235959"},
		{monday + "Z", "D1 20260310", "FREQ=DAILY;UNTIL=20260310T235959Z"},
		{"DTSTART;VALUE=DATE:20260302", "D1 20260310T000000Z", "FREQ=DAILY;UNTIL=20260310"},
		{"DTSTART;VALUE=DATE:20260302", "W1 MO TU #2", "FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20260315"},
		{monday, "D1 #5 20260305T090000", "FREQ=DAILY;UNTIL=20260305T090000"},
		{monday, "D1 #3 20260309T090000", "FREQ=DAILY;UNTIL=20260304T235959"},
		{monday + "Z", "W1 MO TU 20251231T000000Z", "FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20251231T000000Z"},
		{monday, "W1 #4", "FREQ=WEEKLY;COUNT=4"},
		{monday, "W2 MO #4", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=4"},
		{monday, "W2 TU TH #3", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;UNTIL=20260405T235959"},
		{"DTSTART;TZID=Europe/Berlin:20260302T090000", "W1 MO WE #5", "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260405T215959Z"},
		{monday, "MP1 1+ MO #5", "FREQ=MONTHLY;BYDAY=1MO;COUNT=5"},
		{monday, "MP1 #12", "FREQ=MONTHLY;BYDAY=1MO;COUNT=12"},
		{monday, "MP1 1+ #12", "FREQ=MONTHLY;BYDAY=1MO;COUNT=12"},
		{monday, "MP2 1+ 1- FR #3", "FREQ=MONTHLY;INTERVAL=2;BYDAY=1FR,-1FR;UNTIL=20260731T235959"},
		{monday, "MP6 1+ SU MO 2- TU #0", "FREQ=MONTHLY;INTERVAL=6;BYDAY=1SU,1MO,-2TU"},
		{monday, "MP1 5+ MO #2", "FREQ=MONTHLY;BYDAY=5MO;UNTIL=20260430T235959"},
		{monday, "MD1 2- #5", "FREQ=MONTHLY;BYMONTHDAY=-2;COUNT=5"},
		{monday, "MD1 LD #5", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=5"},
		{monday, "MD1 7 14+ 21 #12", "FREQ=MONTHLY;BYMONTHDAY=7,14,21;UNTIL=20270228T235959"},
		{monday, "MD1 31 #2", "FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20260430T235959"},
		{monday, "MD1 #2", "FREQ=MONTHLY;COUNT=2"},
		{monday, "YM1 6 #3", "FREQ=YEARLY;BYMONTH=6;COUNT=3"},
		{monday, "YM1 #0", "FREQ=YEARLY"},
		{monday, "YM1 1 6 #2", "FREQ=YEARLY;BYMONTH=1,6;UNTIL=20271231T235959"},
		{monday, "YM2 6 #3 MD1 12", "FREQ=YEARLY;INTERVAL=2;BYMONTH=6;BYMONTHDAY=12;COUNT=3"},
		{monday, "YM1 6 9 #10 MP1 1+ 2+ SA SU #1", "FREQ=YEARLY;BYMONTH=6,9;BYDAY=1SA,2SA,1SU,2SU;UNTIL=20351231T235959"},
		{monday, "YD1 1 100 200 #4", "FREQ=YEARLY;BYYEARDAY=1,100,200;UNTIL=20291231T235959"},
		{monday, "YD1 366 #4", "FREQ=YEARLY;BYYEARDAY=366;UNTIL=20291231T235959"},
		{monday, "M15 #4", "FREQ=MINUTELY;INTERVAL=15;COUNT=4"},
		// What has no equivalent stays.
		{monday, "D1 0600 1200 #2", ""}, {monday, "D1 1000 #2", ""}, {monday, "W2 MO$ TU #2", ""}, {monday, "D7 0900 #5 M15 #4", ""}, {monday, "MP6 1+ MO #5 D1 #5", ""},
		{monday, "YM1 6 #10 W1 TU TH #4", ""}, {monday, "MP1 MO #2", ""}, {monday, "MD1 32 #2", ""}, {monday, "YM1 13 #2", ""}, {monday, "D0", ""}, {monday, "D #2", ""},
		{monday, "D1 #x", ""}, {monday, "D1 #99999999", ""}, {monday, "Q1", ""}, {monday, "  ", "-"}, {"SUMMARY:no date", "D1 #2", ""}, {monday, "MP1 6+ MO #1", ""}, {monday, "YM1 6 MP1 #1", ""},
	} {
		p, remarks := one(t, lines("BEGIN:VCALENDAR", "VERSION:1.0", "BEGIN:VEVENT", "UID:u", c.start, "RRULE:"+c.rule, "END:VEVENT", "END:VCALENDAR"))
		want := "RRULE:" + c.want + "\r\n"
		named := slices.Contains(codes(remarks), "rule")
		switch c.want {
		case "":
			want, named = "RRULE:"+c.rule+"\r\n", strings.Contains(strings.Join(p.Doubts, ""), c.rule)
		case "-":
			want = "DTSTART"
		}
		if !strings.Contains(string(p.Text), want) || !named {
			t.Errorf("%s, %s: want %q, named %t: %+v %q\n%s", c.start, c.rule, want, named, remarks, p.Doubts, p.Text)
		}
	}
}

// Alarms ring when they rang: fifteen minutes before, wherever the start is told.
func TestOldAlarms(t *testing.T) {
	t.Parallel()
	const utc, wall, zone, day = "DTSTART:20260302T090000Z", "DTSTART:20260302T090000", "DTSTART;TZID=Europe/Berlin:20260302T090000", "DTSTART;VALUE=DATE:20260302"
	for _, c := range []struct {
		start, alarm string
		want         []string // empty: it stays, and is named
	}{
		{utc, "DALARM:20260302T084500Z;PT5M;2;Your Taxes\\; Are Due!", []string{"ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Your Taxes\\; Are Due!", "DURATION:PT5M", "REPEAT:2"}},
		{wall, "DALARM:20260302T084500", []string{"ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Lunch"}},
		{zone, "DALARM:20260302T074500Z;;;x", []string{"TRIGGER:-PT15M"}},
		{zone, "DALARM:20260228T083000;;;x", []string{"TRIGGER:-P2DT30M"}},
		{day, "DALARM:20260302T080000;PT5M;0;x", []string{"TRIGGER:PT8H"}},
		{wall, "DALARM:20260302T074500Z;;;x", []string{"TRIGGER;VALUE=DATE-TIME:20260302T074500Z"}},
		{wall, "DALARM;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:20260302T090000;;;=DCber=3B=0D=0Amorgen", []string{"TRIGGER:PT0S", "DESCRIPTION:Über\\;\\nmorgen"}},
		{utc, "AALARM;TYPE=WAVE;VALUE=URL:20260302T084500Z;;;file:///mmedia/taps.wav", []string{"ACTION:AUDIO", "TRIGGER:-PT15M", "ATTACH:file:///mmedia/taps.wav"}},
		{utc, "AALARM;TYPE=WAVE;ENCODING=BASE64:20260302T084500Z;;;/+Ag", []string{"ACTION:AUDIO", "ATTACH;ENCODING=BASE64;VALUE=BINARY:/+Ag"}},
		{utc, "AALARM:20260302T084500Z;;0;", []string{"ACTION:AUDIO", "TRIGGER:-PT15M"}},
		{"DUE:20260302T090000", "DALARM:20260302T084500;;;x", []string{"TRIGGER;RELATED=END:-PT15M"}},
		{utc, "DALARM:20260302T084500;;;whose time?", nil},
		{utc, "DALARM:soon;;;x", nil},
		{utc, "MALARM:20260302T084500Z;;;anna@acme.test;Go", nil},
		{utc, "PALARM:20260302T084500Z;;;rm", nil},
	} {
		kind := "VEVENT"
		if strings.HasPrefix(c.start, "DUE") {
			kind = "VTODO"
		}
		p, remarks := one(t, lines("BEGIN:VCALENDAR", "VERSION:1.0", "BEGIN:"+kind, "UID:u", "SUMMARY:Lunch", c.start, c.alarm, "END:"+kind, "END:VCALENDAR"))
		text := string(p.Text)
		if c.want == nil {
			if !strings.Contains(text, "\r\n"+c.alarm+"\r\n") || strings.Contains(text, "VALARM") || len(p.Doubts) != 1 {
				t.Errorf("%s, %s: %q\n%s", c.start, c.alarm, p.Doubts, text)
			}
			continue
		}
		for _, want := range append(c.want, "BEGIN:VALARM") {
			if !strings.Contains(text, "\r\n"+want+"\r\n") || strings.Contains(text, "\n"+c.alarm[:6]) || !slices.Contains(codes(remarks), "alarm") || len(p.Doubts) > 0 {
				t.Errorf("%s, %s: no %s: %q\n%s", c.start, c.alarm, want, p.Doubts, text)
			}
		}
		if strings.Contains(c.alarm, ";0;") && strings.Contains(text, "REPEAT") {
			t.Errorf("%s repeats\n%s", c.alarm, text)
		}
	}
}

// An entry of an old phone: all that it says is said in iCalendar, and takes place
// when it did.
func TestOldCalendar(t *testing.T) {
	t.Parallel()
	p, _ := one(t, lines("BEGIN:VCALENDAR", "VERSION:1.0", "TZ:+01", "BEGIN:VEVENT", "UID:nokia-1", "SUMMARY;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Gr=FC=DFe, =",
		"und mehr", "DESCRIPTION;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Zeile=0D=0A=C3=84nderung\\; neu", "LOCATION;QUOTED-PRINTABLE;CHARSET=windows-1252:Caf=E9 =80",
		"DTSTART:20260302T090000", "DTEND:20260302T100000", "RRULE:W1 MO WE #3", "EXDATE:20260309T090000;20260311T090000", "CATEGORIES:APPOINTMENT;WORK, HOME", "STATUS:NEEDS ACTION", "TRANSP:1",
		"DALARM:20260302T084500;;;", "AALARM:;;;", "END:VEVENT", "END:VCALENDAR"))
	text := string(p.Text)
	for _, want := range []string{"VERSION:2.0", `SUMMARY:Grüße\, und mehr`, `DESCRIPTION:Zeile\nÄnderung\; neu`, "LOCATION:Café €", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260322T235959", "EXDATE:20260309T090000,20260311T090000",
		"CATEGORIES:APPOINTMENT,WORK, HOME", "STATUS:NEEDS-ACTION", "TRANSP:TRANSPARENT", "TRIGGER:-PT15M"} {
		if !strings.Contains(text, "\r\n"+want+"\r\n") {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "AALARM") || len(p.Doubts) > 0 {
		t.Errorf("%q\n%s", p.Doubts, text)
	}
	all, _, err := Expand(p, Around(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), 24), time.UTC)
	var days []string
	for _, i := range all {
		days = append(days, i.Start.Format("0102"))
	}
	if want := []string{"0302", "0304", "0316", "0318"}; err != nil || !slices.Equal(days, want) {
		t.Errorf("%q, want %q: %v", days, want, err)
	}
	again, remarks := one(t, text)
	if string(again.Text) != text || again.Digest != p.Digest || len(remarks) > 0 {
		t.Errorf("prepared again: %+v\n%s", remarks, again.Text)
	}
}
