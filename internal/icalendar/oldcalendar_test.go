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
		{monday, "D2 1500 0900 0900 1200 #2", "FREQ=DAILY;INTERVAL=2;BYHOUR=9,12,15;BYMINUTE=0;UNTIL=20260304T235959"},
		{monday, "D1 0900 0930 1000 1030 #0", "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,30"},
		{monday, "D1 0900 #2", "FREQ=DAILY;COUNT=2"},
		{monday, "W1 MO 0900 1200 TH 1200 0900 #10", "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9,12;BYMINUTE=0;UNTIL=20260510T235959"},
		{monday, "W1 MO TH 0900 #2", "FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20260315T235959"},
		{monday, "MP1 1+ MO 0900 1800 #2", "FREQ=MONTHLY;BYDAY=1MO;BYHOUR=9,18;BYMINUTE=0;UNTIL=20260430T235959"},
		{monday, "MD1 2 0900 1800 16 1800 0900 #2", "FREQ=MONTHLY;BYMONTHDAY=2,16;BYHOUR=9,18;BYMINUTE=0;UNTIL=20260430T235959"},
		// What has no equivalent stays.
		{monday, "D1 0600 1200 #2", ""}, {monday, "D1 0900 1230 #2", ""}, {monday, "D1 0900 2500 #2", ""}, {"DTSTART;VALUE=DATE:20260302", "D1 0900 #2", ""}, {monday, "M5 0900 #2", ""},
		{monday, "W1 MO TH 0900 1200 #2", ""}, {monday, "W1 MO 0900 TH 1200 #2", ""}, {monday, "W1 TU 1200 1230 TH 1130 1200 #10", ""}, {monday, "YM1 6 MD1 2 0900 1200 #1", ""}, {monday, "D1 1000 #2", ""}, {monday, "W2 MO$ TU #2", ""}, {monday, "D7 0900 #5 M15 #4", ""}, {monday, "MP6 1+ MO #5 D1 #5", ""},
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
		if !strings.Contains(strings.ReplaceAll(string(p.Text), "\r\n ", ""), want) || !named {
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

// Who takes part: name and address apart, in iCalendar's words; who has no address
// stays, and is named.
func TestOldAttendees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind string
		in   []string
		want []string // those of the people, in order
	}{
		{"VEVENT", []string{"ATTENDEE:Anna Berg <anna@acme.test>"}, []string{`ATTENDEE;CN=Anna Berg:mailto:anna@acme.test`}},
		{"VEVENT", []string{"ATTENDEE;ROLE=ATTENDEE;STATUS=NEEDS ACTION;RSVP=YES;EXPECT=REQUIRE:anna@acme.test"}, []string{`ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;ROLE=REQ-PARTICIPANT:mailto:anna@acme.test`}},
		{"VEVENT", []string{"ATTENDEE;STATUS=SENT;EXPECT=FYI;RSVP=NO;X-P=q:MAILTO:anna@acme.test"}, []string{`ATTENDEE;PARTSTAT=NEEDS-ACTION;ROLE=NON-PARTICIPANT;RSVP=FALSE;X-P=q:mailto:anna@acme.test`}},
		{"VEVENT", []string{"ATTENDEE;TYPE=ROOM;STATUS=CONFIRMED:Room\\, 1st floor <room@acme.test>"}, []string{`ATTENDEE;CN="Room, 1st floor";CUTYPE=ROOM;PARTSTAT=ACCEPTED:mailto:room@acme.test`}},
		{"VEVENT", []string{"ATTENDEE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1;EXPECT=REQUEST:J=F6rg <j@acme.test>"}, []string{`ATTENDEE;CN=Jörg;ROLE=OPT-PARTICIPANT:mailto:j@acme.test`}},
		{"VEVENT", []string{"ATTENDEE;ROLE=ORGANIZER;STATUS=ACCEPTED;EXPECT=REQUIRE:Ann <ann@acme.test>", "ATTENDEE;ROLE=OWNER:Ben <ben@acme.test>", "ATTENDEE:cy@acme.test"},
			[]string{`ORGANIZER;CN=Ann:mailto:ann@acme.test`, `ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:ann@acme.test`, `ATTENDEE;CN=Ben;ROLE=OWNER:mailto:ben@acme.test`, `ATTENDEE:mailto:cy@acme.test`}},
		{"VEVENT", []string{"ATTENDEE;ROLE=OWNER;STATUS=ACCEPTED:ben@acme.test", "ATTENDEE;ROLE=DELEGATE;EXPECT=REQUIRE:dee@acme.test"},
			[]string{`ORGANIZER:mailto:ben@acme.test`, `ATTENDEE;PARTSTAT=ACCEPTED:mailto:ben@acme.test`, `ATTENDEE;X-VCALENDAR-ROLE=DELEGATE;ROLE=REQ-PARTICIPANT:mailto:dee@acme.test`}},
		{"VEVENT", []string{"ATTENDEE;ROLE=OWNER:a@acme.test", "ATTENDEE;ROLE=OWNER:b@acme.test"}, []string{`ATTENDEE;ROLE=OWNER:mailto:a@acme.test`, `ATTENDEE;ROLE=OWNER:mailto:b@acme.test`}},
		{"VEVENT", []string{"ORGANIZER:mailto:o@acme.test", "ATTENDEE;ROLE=ORGANIZER:a@acme.test"}, []string{`ORGANIZER:mailto:o@acme.test`, `ATTENDEE;ROLE=ORGANIZER:mailto:a@acme.test`}},
		{"VTODO", []string{"ATTENDEE;STATUS=COMPLETED:a@acme.test"}, []string{`ATTENDEE;PARTSTAT=COMPLETED:mailto:a@acme.test`}},
		{"VEVENT", []string{"ATTENDEE;STATUS=COMPLETED;EXPECT=IMMEDIATE:a@acme.test"}, []string{`ATTENDEE;STATUS=COMPLETED;EXPECT=IMMEDIATE:mailto:a@acme.test`}},
		{"VEVENT", []string{"ATTENDEE;ROLE=ORGANIZER:Anna Berg", "ATTENDEE;VALUE=CONTENT-ID:<part3@acme.test.>", "ATTENDEE:a b@acme.test"}, nil},
	} {
		p, remarks := one(t, lines(append(append([]string{"BEGIN:VCALENDAR", "VERSION:1.0", "BEGIN:" + c.kind, "UID:u", "DTSTART:20260302T090000Z"}, c.in...), "END:"+c.kind, "END:VCALENDAR")...))
		want, named := c.want, true
		if want == nil {
			want, named = c.in, false
			if len(p.Doubts) != len(c.in) {
				t.Errorf("%q: %q", c.in, p.Doubts)
			}
		}
		var got []string
		for l := range strings.SplitSeq(strings.ReplaceAll(string(p.Text), "\r\n ", ""), "\r\n") {
			if strings.HasPrefix(l, "ATTENDEE") || strings.HasPrefix(l, "ORGANIZER") {
				got = append(got, l)
			}
		}
		if !slices.Equal(got, want) || slices.Contains(codes(remarks), "attendee") != named {
			t.Errorf("%q:\n%q, want\n%q: %+v", c.in, got, want, remarks)
		}
		if again, remarks := one(t, string(p.Text)); string(again.Text) != string(p.Text) || len(remarks) > 0 {
			t.Errorf("prepared again: %+v\n%s", remarks, again.Text)
		}
	}
}

// Local times are those of TZ and DAYLIGHT where these say all that is needed.
func TestOldZones(t *testing.T) {
	t.Parallel()
	helsinki := []string{"TZ:+02", "DAYLIGHT:TRUE;+03;20160327T030000;20161030T040000;;", "DAYLIGHT:TRUE;+03;20170326T010000Z;20171029T010000Z;;"}
	berlin := []string{"TZ:+0100", "DAYLIGHT:TRUE;+02;20260329T020000;20261025T030000;CET;CEST"}
	odd := []string{"TZ:+01:00", "DAYLIGHT:TRUE;+03;20260301T020000;20261001T040000;;"}
	for _, c := range []struct {
		calendar, object []string
		want             string
		start            string // in UTC
	}{
		{helsinki, []string{"DTSTART:20160701T090000", "DTEND:20160701T100000"}, "DTSTART;TZID=Europe/Bucharest:20160701T090000", "20160701T060000Z"},
		{berlin, []string{"DTSTART:20260701T090000", "RRULE:W1 WE #0", "EXDATE:20260708T090000;20260715T090000"}, "EXDATE;TZID=Europe/Berlin:20260708T090000,20260715T090000", "20260701T070000Z"},
		{berlin, []string{"DTSTART:20260701T090000", "RRULE:D1 20260710T090000"}, "RRULE:FREQ=DAILY;UNTIL=20260710T070000Z", "20260701T070000Z"},
		{berlin, []string{"DTSTART:20260701T070000Z", "DALARM:20260701T084500;;;x"}, "TRIGGER:-PT15M", "20260701T070000Z"},
		{odd, []string{"DTSTART:20260701T090000"}, "DTSTART;TZID=vCalendar +0100 +0300 2026-2026:20260701T090000", "20260701T060000Z"},
		{odd, []string{"DTSTART:20260201T090000"}, "DTSTART;TZID=vCalendar +0100 +0300 2026-2026:20260201T090000", "20260201T080000Z"},
		{[]string{"TZ:+09:00", "DAYLIGHT:FALSE"}, []string{"DTSTART:20260701T090000", "RRULE:D1 #0"}, "DTSTART;TZID=Etc/GMT-9:20260701T090000", "20260701T000000Z"},
		// What is not whole stays.
		{[]string{"TZ:+01", "DAYLIGHT:FALSE"}, []string{"DTSTART:20260701T090000"}, "DTSTART:20260701T090000", ""},
		{[]string{"TZ:+01"}, []string{"DTSTART:20260701T090000"}, "DTSTART:20260701T090000", ""},
		{[]string{"DAYLIGHT:TRUE;+02;20260329T020000;20261025T030000"}, []string{"DTSTART:20260701T090000"}, "DTSTART:20260701T090000", ""},
		{[]string{"TZ:+01", "DAYLIGHT:TRUE;+02;20260329T020000"}, []string{"DTSTART:20260701T090000"}, "DTSTART:20260701T090000", ""},
		{[]string{"TZ:+01", "DAYLIGHT:TRUE;+02;20261025T020000;20260329T030000", "DAYLIGHT:TRUE;+02;20261025T020000;20270329T030000"}, []string{"DTSTART:20260701T090000"}, "DTSTART:20260701T090000", ""},
		{berlin, []string{"DTSTART:20251001T090000"}, "DTSTART:20251001T090000", ""},             // before
		{berlin, []string{"DTSTART:20260329T023000"}, "DTSTART:20260329T023000", ""},             // never
		{odd, []string{"DTSTART:20260701T090000", "RRULE:D1 #0"}, "DTSTART:20260701T090000", ""}, // after its years
		// Days are days everywhere.
		{berlin, []string{"DTSTART:20260701T000000", "DTEND:20260701T235900"}, "DTSTART:20260701T000000", "-"},
		{berlin, []string{"DTSTART:20260701T090000Z"}, "DTSTART:20260701T090000Z", "-"},
	} {
		p, remarks := one(t, lines(slices.Concat([]string{"BEGIN:VCALENDAR", "VERSION:1.0"}, c.calendar, []string{"BEGIN:VEVENT", "UID:u"}, c.object, []string{"END:VEVENT", "END:VCALENDAR"})...))
		if named := slices.Contains(codes(remarks), "zone"); !strings.Contains(string(p.Text), "\r\n"+c.want+"\r\n") || named != (c.start != "-" && !strings.Contains(c.object[0], "Z")) || strings.Contains(c.want, "vCalendar") != strings.Contains(string(p.Text), "BEGIN:VTIMEZONE") {
			t.Errorf("%q %q: want %q, named %t: %+v\n%s", c.calendar, c.object, c.want, named, remarks, p.Text)
		}
		if len(c.start) > 1 {
			at, _ := time.Parse("20060102T150405Z", c.start)
			if all, _, err := Expand(p, Around(at, 1), time.UTC); err != nil || len(all) == 0 || !all[0].Start.Equal(at) {
				t.Errorf("%q %q: %v %v", c.calendar, c.object, all, err)
			}
		}
		if again, remarks := one(t, string(p.Text)); string(again.Text) != string(p.Text) || len(remarks) > 0 {
			t.Errorf("prepared again: %+v\n%s", remarks, again.Text)
		}
	}
}
