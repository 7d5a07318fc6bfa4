package groupware_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/vcard"
)

func text(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

// cal is a calendar of these components.
func cal(lines ...string) string {
	return text(append(append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x"}, lines...), "END:VCALENDAR")...)
}

func ev(lines ...string) []string {
	return append(append([]string{"BEGIN:VEVENT", "DTSTAMP:20260101T000000Z"}, lines...), "END:VEVENT")
}

func cat(lists ...[]string) []string { return slices.Concat(lists...) }

var wrongBerlin = []string{"BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:-0500", "TZOFFSETTO:-0500", "END:STANDARD", "END:VTIMEZONE"}
var ownZone = []string{"BEGIN:VTIMEZONE", "TZID:Custom", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:+0213", "TZOFFSETTO:+0213", "END:STANDARD", "END:VTIMEZONE"}

// oddEvents are what clients and exports have been seen to write, and what no RFC
// allows.
var oddEvents = map[string]string{
	"wrongzone":    cal(cat(wrongBerlin, ev("UID:wrongzone", "DTSTART;TZID=Europe/Berlin:20260701T100000", "DTEND;TZID=Europe/Berlin:20260701T110000", "SUMMARY:x"))...),
	"customzone":   cal(cat(ownZone, ev("UID:customzone", "DTSTART;TZID=Custom:20260701T100000", "DTEND;TZID=Custom:20260701T110000", "RRULE:FREQ=DAILY;COUNT=3"))...),
	"undefined":    cal(ev("UID:undefined", "DTSTART;TZID=Nirgendwo:20260701T100000", "SUMMARY:x")...),
	"future":       cal(cat(ev("UID:future", "DTSTART;TZID=Europe/Berlin:20260601T100000", "RRULE:FREQ=DAILY;COUNT=20", "SUMMARY:x"), ev("UID:future", "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260610T100000", "DTSTART;TZID=Europe/Berlin:20260610T140000", "SUMMARY:later"))...),
	"rdateperiod":  cal(ev("UID:rdateperiod", "DTSTART:20260601T100000Z", "DTEND:20260601T110000Z", "RDATE;VALUE=PERIOD:20260605T100000Z/PT3H,20260607T100000Z/20260607T150000Z")...),
	"exdatedate":   cal(ev("UID:exdatedate", "DTSTART;TZID=Europe/Berlin:20260601T100000", "RRULE:FREQ=DAILY;COUNT=9", "EXDATE;VALUE=DATE:20260603,20260604")...),
	"exdateutc":    cal(ev("UID:exdateutc", "DTSTART;TZID=Europe/Berlin:20260601T100000", "RRULE:FREQ=DAILY;COUNT=9", "EXDATE:20260603T080000Z")...),
	"exdatefloat":  cal(ev("UID:exdatefloat", "DTSTART;TZID=Europe/Berlin:20260601T100000", "RRULE:FREQ=DAILY;COUNT=9", "EXDATE:20260603T100000")...),
	"floating":     cal(ev("UID:floating", "DTSTART:20260329T023000", "DTEND:20260329T033000", "RRULE:FREQ=WEEKLY;COUNT=4")...),
	"alldaydst":    cal(ev("UID:alldaydst", "DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260331", "RRULE:FREQ=YEARLY")...),
	"alldaynoend":  cal(ev("UID:alldaynoend", "DTSTART;VALUE=DATE:20260328")...),
	"overzone":     cal(cat(ev("UID:overzone", "DTSTART;TZID=Europe/Berlin:20260601T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5"), ev("UID:overzone", "RECURRENCE-ID:20260603T080000Z", "DTSTART;TZID=America/New_York:20260603T090000", "DURATION:PT2H"))...),
	"freebusy":     cal("BEGIN:VFREEBUSY", "UID:freebusy", "DTSTAMP:20260101T000000Z", "DTSTART:20260601T000000Z", "DTEND:20260630T000000Z", "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260605T100000Z/PT3H", "END:VFREEBUSY"),
	"transp":       cal(ev("UID:transp", "DTSTART:20260601T100000Z", "TRANSP:TRANSPARENT", "X-MICROSOFT-CDO-BUSYSTATUS:OOF", "X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY")...),
	"mailalarm":    cal(ev("UID:mailalarm", "DTSTART:20270601T100000Z", "BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-PT1H", "SUMMARY:s", "DESCRIPTION:d", "ATTENDEE:mailto:a@example.test", "ATTENDEE:mailto:b@example.test", "ATTACH:cid:x", "END:VALARM", "BEGIN:VALARM", "ACTION:PROCEDURE", "TRIGGER:PT0S", "ATTACH:file:///x", "END:VALARM")...),
	"procalarm":    cal(ev("UID:procalarm", "DTSTART:20270601T100000Z", "BEGIN:VALARM", "TRIGGER:-PT1H", "END:VALARM", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:no trigger", "END:VALARM")...),
	"attach":       cal(ev("UID:attach", "DTSTART:20270601T100000Z", "ATTACH;ENCODING=BASE64;VALUE=BINARY;FMTTYPE=application/pdf;FILENAME=a.pdf;X-FILENAME=a.pdf:"+strings.Repeat("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", 10000))...),
	"empties":      cal(ev("UID:empties", "DTSTART:20270601T100000Z", "SUMMARY:", "LOCATION:", "DESCRIPTION:", "CATEGORIES:", "URL:", "GEO:", "CLASS:", "STATUS:", "PRIORITY:", "SEQUENCE:", "RRULE:", "EXDATE:", "RDATE:", "DTEND:", "ORGANIZER:", "ATTENDEE:", "ATTACH:")...),
	"badnumbers":   cal(ev("UID:badnumbers", "DTSTART:20270601T100000Z", "PRIORITY:high", "SEQUENCE:-1", "GEO:here", "DURATION:1h", "CREATED:yesterday", "LAST-MODIFIED:1/1/2026")...),
	"baddate":      cal(ev("UID:baddate", "DTSTART:2027-06-01T10:00:00Z", "DTEND:2027-06-01T11:00:00Z", "SUMMARY:iso dates")...),
	"baddate2":     cal(ev("UID:baddate2", "DTSTART:20270631T100000Z", "SUMMARY:31 June")...),
	"dtenddate":    cal(ev("UID:dtenddate", "DTSTART;TZID=Europe/Berlin:20270601T100000", "DTEND;VALUE=DATE:20270602", "SUMMARY:mixed")...),
	"endbefore":    cal(ev("UID:endbefore", "DTSTART:20270601T100000Z", "DTEND:20270601T090000Z", "SUMMARY:back")...),
	"dtenddur":     cal(ev("UID:dtenddur", "DTSTART:20270601T100000Z", "DTEND:20270601T110000Z", "DURATION:PT3H", "SUMMARY:both")...),
	"datevaluedt":  cal(ev("UID:datevaluedt", "DTSTART:20270601", "DTEND:20270602", "SUMMARY:no VALUE=DATE")...),
	"tzutc":        cal(ev("UID:tzutc", "DTSTART;TZID=UTC:20270601T100000Z", "DTEND;TZID=Europe/Berlin:20270601T130000Z", "SUMMARY:TZID with Z")...),
	"old":          cal(ev("UID:old", "DTSTART;VALUE=DATE:16010101", "RRULE:FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1", "SUMMARY:birthday 1601")...),
	"far":          cal(ev("UID:far", "DTSTART;VALUE=DATE:99991231", "SUMMARY:never")...),
	"minutely":     cal(ev("UID:minutely", "DTSTART:20260601T100000Z", "RRULE:FREQ=MINUTELY", "SUMMARY:m")...),
	"until":        cal(ev("UID:until", "DTSTART;TZID=Europe/Berlin:20260601T100000", "RRULE:FREQ=DAILY;UNTIL=20260610T100000;COUNT=3", "SUMMARY:both")...),
	"longuid":      cal(ev("UID:"+strings.Repeat("long", 300), "DTSTART:20270601T100000Z", "SUMMARY:long uid")...),
	"slash/uid":    cal(ev("UID:slash/uid", "DTSTART:20270601T100000Z", "SUMMARY:slash")...),
	"comma":        cal(ev("UID:a\\,b;c", "DTSTART:20270601T100000Z", "SUMMARY:odd uid")...),
	"cancelled":    cal(cat(ev("UID:cancelled", "DTSTART:20260601T100000Z", "RRULE:FREQ=DAILY;COUNT=5", "ORGANIZER:mailto:o@example.test", "ATTENDEE:mailto:anna@lab.test"), ev("UID:cancelled", "RECURRENCE-ID:20260603T100000Z", "DTSTART:20260603T100000Z", "STATUS:CANCELLED", "ORGANIZER:mailto:o@example.test", "ATTENDEE;PARTSTAT=DECLINED:mailto:anna@lab.test"))...),
	"xcomp":        cal(cat(ev("UID:xcomp", "DTSTART:20270601T100000Z", "BEGIN:X-COMP", "X-A:b", "END:X-COMP"), []string{"BEGIN:X-THING", "UID:thing", "X-A:b", "END:X-THING"})...),
	"overrideonly": cal(ev("UID:overrideonly", "RECURRENCE-ID:20260603T100000Z", "DTSTART:20260603T100000Z", "SUMMARY:only me")...),
	"overridefar":  cal(cat(ev("UID:overridefar", "DTSTART:20260601T100000Z", "RRULE:FREQ=DAILY;COUNT=5"), ev("UID:overridefar", "RECURRENCE-ID:20260801T100000Z", "DTSTART:20260801T120000Z", "SUMMARY:not an instance"))...),
	"taskrecur":    cal("BEGIN:VTODO", "UID:taskrecur", "DTSTAMP:20260101T000000Z", "DTSTART;VALUE=DATE:20260601", "DUE;VALUE=DATE:20260602", "RRULE:FREQ=WEEKLY", "STATUS:COMPLETED", "COMPLETED:20260601T100000Z", "RELATED-TO:parent", "X-APPLE-SORT-ORDER:5", "END:VTODO"),
	"tasknone":     cal("BEGIN:VTODO", "UID:tasknone", "SUMMARY:only a title", "END:VTODO"),
	"applestruct":  cal(ev("UID:applestruct", "DTSTART:20270601T100000Z", "LOCATION:Apple Park\\n1 Way", `X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="1 Way\nCupertino";X-APPLE-RADIUS=70;X-TITLE="Apple Park":geo:37.33,-122.0`, "X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT30M", "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC")...),
	"altdesc":      cal(ev("UID:altdesc", "DTSTART:20270601T100000Z", "DESCRIPTION;ALTREP=\"data:text/html,%3Cb%3Ex\":x", `X-ALT-DESC;FMTTYPE=text/html:<html><body>a\, b\n<a href="x">c</a></body></html>`, "STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<b>x</b>")...),
	"qp":           "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nUID:qp\r\nDTSTART:20260601T100000Z\r\nDTEND:20260601T110000Z\r\nSUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Gr=FC=DFe=\r\n aus Wien\r\nRRULE:W1 MO TU #5\r\nDALARM:20260601T094500Z;;;Wake\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
	"oldphone":     "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nUID:oldphone\r\nDTSTART:20260601T100000\r\nDTEND:20260601T110000\r\nSUMMARY:Old\r\nRRULE:MP1 1+ MO #5\r\nEXDATE:20260706T100000;20260803T100000\r\nAALARM;VALUE=URL:20260601T094500;PT5M;2;file:///ring.wav\r\nMALARM:20260601T094500;;;anna@lab.test;Go\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
	"oldbirthday":  "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nUID:oldbirthday\r\nDTSTART;VALUE=DATE:20260612\r\nSUMMARY:Old\r\nRRULE:YM1 6 #0\r\nDALARM:20260611T180000;;;Buy a cake\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
	"oldmeeting": text("BEGIN:VCALENDAR", "VERSION:1.0", "TZ:+01", "DAYLIGHT:TRUE;+02;20260329T020000;20261025T030000;;", "DAYLIGHT:TRUE;+02;20270328T020000;20271031T030000;;", "BEGIN:VEVENT", "UID:oldmeeting", "DTSTART:20270601T090000", "DTEND:20270601T100000", "SUMMARY:Old",
		"RRULE:D1 0900 1400 #5", "DALARM:20270601T084500;;;Go", "ATTENDEE;ROLE=ORGANIZER;STATUS=ACCEPTED;EXPECT=REQUIRE:Anna Berg <anna@lab.test>", "ATTENDEE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1;STATUS=SENT;RSVP=YES:J=F6rg <joerg@example.test>", "END:VEVENT", "END:VCALENDAR"),
	"oldguests":    text("BEGIN:VCALENDAR", "VERSION:1.0", "TZ:+01", "DAYLIGHT:TRUE;+03;20270301T020000;20271001T040000;;", "BEGIN:VEVENT", "UID:oldguests", "DTSTART:20270601T090000", "DTEND:20270601T100000", "ATTENDEE;ROLE=OWNER:Anna", "ATTENDEE;TYPE=ROOM;EXPECT=FYI:Room 1 <room@example.test>", "END:VEVENT", "END:VCALENDAR"),
	"bom":          "\xef\xbb\xbf" + cal(ev("UID:bom", "DTSTART:20270601T100000Z", "SUMMARY:bom")...),
	"latin1":       cal(ev("UID:latin1", "DTSTART:20270601T100000Z", "SUMMARY:Gr\xfc\xdfe", "LOCATION:K\xf6ln")...),
	"nul":          cal(ev("UID:nul", "DTSTART:20270601T100000Z", "SUMMARY:a\x00b\x07c")...),
	"lf":           strings.ReplaceAll(cal(ev("UID:lf", "DTSTART:20270601T100000Z", "SUMMARY:"+strings.Repeat("ümläut ", 100))...), "\r\n", "\n"),
	"participants": cal(ev("UID:participants", "DTSTART:20270601T100000Z", "ORGANIZER;CN=\"Doe, J\":MAILTO:anna@lab.test", "ATTENDEE;PARTSTAT=ACCEPTED;CN=Anna:mailto:anna@lab.test", "ATTENDEE:invalid:nomail", "ATTENDEE;CN=No address:", "ATTENDEE;CUTYPE=GROUP;MEMBER=\"mailto:l@x.test\":mailto:l@example.test", "ATTENDEE;DELEGATED-FROM=\"mailto:z@x.test\":mailto:q@example.test", "ATTENDEE:plain@example.test")...),
	"lowercase":    strings.ToLower(cal(ev("UID:lowercase", "SUMMARY:lower")...)),
	"lowercase2":   "begin:vcalendar\r\nversion:2.0\r\nbegin:vevent\r\nuid:lowercase2\r\ndtstart;tzid=Europe/Berlin:20270601T100000\r\nrrule:freq=daily;count=3\r\nsummary:lower\r\nbegin:valarm\r\naction:display\r\ntrigger:-PT5M\r\nend:valarm\r\nend:vevent\r\nend:vcalendar\r\n",
	"islamic":      cal(ev("UID:islamic", "DTSTART;VALUE=DATE:20260601", "RRULE:RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L;BYMONTHDAY=8;SKIP=FORWARD", "SUMMARY:heb")...),
	"manyexdate":   cal(ev("UID:manyexdate", "DTSTART:20260601T100000Z", "RRULE:FREQ=DAILY", "EXDATE:"+strings.TrimSuffix(strings.Repeat("20260603T100000Z,", 1), ","), "EXDATE:20260604T100000Z", "EXDATE:20260605T100000Z")...),
	"conf":         cal(ev("UID:conf", "DTSTART:20270601T100000Z", "X-GOOGLE-CONFERENCE:https://meet.google.com/abc", "CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://zoom.example/j/1?pwd=a,b", "X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams/x")...),
}

// Odd events mean at a real Stalwart what they meant, whichever way they went; what
// nobody reads as it was meant is named. Nothing is sent because of them.
func TestOddEvents(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	e := newEnv(t, s, "anna")
	e.src.PutCollection("anna", calendar("home", "Home"))
	sent := map[string]icalendar.Part{}
	for name, raw := range oddEvents {
		e.src.PutObject("anna", model.KindCalendar, "home", name+".ics", raw)
		parts, _, err := icalendar.Prepare([]byte(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, p := range parts {
			sent[p.UID] = p
		}
	}
	res := e.must()
	if n := int64(len(sent)); res.Calendar.Created != n || res.Calendar.Refused != 0 {
		t.Errorf("%+v of %d\n%s", res.Calendar, n, strings.Join(e.notes, "\n"))
	}
	for _, note := range []string{
		`Home|wrongzone|doubtful|the time zone "Europe/Berlin" is defined as -05:00 from Greenwich at that time, which is +02:00 there: the name counts, as for most clients`,
		`Home|undefined|doubtful|the time zone "Nirgendwo" is neither known nor defined: clients take the time for their own`,
		`Home|baddate2|doubtful|DTSTART: "20270631T100000Z" is no date or time; kept as it is, and shown by no client`,
		`Home|oldphone|doubtful|MALARM: an alarm in the words of vCalendar 1.0 that has no equivalent; kept as it is, and no program rings: 20260601T094500;;;anna@lab.test;Go`,
		`Home|oldbirthday|repaired|RRULE:YM1 6 #0, in the words of vCalendar 1.0, becomes FREQ=YEARLY;BYMONTH=6; DALARM, an alarm in the words of vCalendar 1.0, becomes a VALARM; VERSION:1.0 becomes 2.0`,
		`Home|oldguests|doubtful|ATTENDEE: "Anna" is no address as iCalendar has them; kept as it is, and left out by most programs`,
		`Home|xcomp|repaired|X-THING is no calendar object that a server keeps; left out`,
		`Home|bom|repaired|began with a byte order mark, which is left out`,
		`Home|latin1|repaired|was not UTF-8; taken for windows-1252`,
	} {
		if !slices.Contains(e.notes, note) {
			t.Errorf("no note %q among\n%s", note, strings.Join(e.notes, "\n"))
		}
	}
	for uid, lines := range map[string][]string{
		"oldmeeting": {"DTSTART;TZID=Europe/Berlin:20270601T090000", "RRULE:FREQ=DAILY;BYHOUR=9,14;BYMINUTE=0;UNTIL=20270605T215959Z", "ORGANIZER;CN=Anna Berg:mailto:anna@lab.test",
			"ATTENDEE;CN=Anna Berg;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:anna@lab.test", "ATTENDEE;CN=Jörg;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:joerg@example.test", "TRIGGER:-PT15M"},
		"oldguests": {"DTSTART;TZID=vCalendar +0100 +0300 2027-2027:20270601T090000", "TZOFFSETTO:+0300", "ATTENDEE;CN=Room 1;CUTYPE=ROOM;ROLE=NON-PARTICIPANT:mailto:room@example.test"},
	} {
		for _, l := range lines {
			if !strings.Contains(strings.ReplaceAll(string(sent[uid].Text), "\r\n ", ""), "\r\n"+l+"\r\n") {
				t.Errorf("%s: no %s in\n%s", uid, l, sent[uid].Text)
			}
		}
	}
	window := icalendar.Around(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), 24)
	for uid, got := range e.texts(e.collections(model.KindCalendar)["Home"]) {
		back, _, err := icalendar.Prepare([]byte(got))
		was, ours := sent[uid]
		if err != nil || len(back) != 1 || !ours {
			t.Errorf("%s: %d objects, %v", uid, len(back), err)
			continue
		}
		delete(sent, uid)
		for _, name := range []string{"Europe/Berlin", "America/New_York"} {
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			all := icalendar.Differences(was, back[0], window, zone)
			if real := contentline.Real(all); len(real) > 0 || len(all) == 0 && was.Digest != back[0].Digest {
				t.Errorf("%s (%s) differs: %v\n%s\n--- is now\n%s", uid, was.ByDAV, real, was.Text, got)
			}
		}
	}
	if len(sent) > 0 {
		t.Errorf("missing: %s", keys(sent))
	}
	e.unchanged()
	if n := s.sent(t); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

func vc(v string, lines ...string) string {
	return text(append(append([]string{"BEGIN:VCARD", "VERSION:" + v}, lines...), "END:VCARD")...)
}

// oddCards are of clients of twenty years, and of none.
var oddCards = map[string]string{
	"qp21":       vc("2.1", "UID:qp21", "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg", "FN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:J=F6rg M=FCller", "TEL;HOME;VOICE;PREF:+43 1", "TEL;CELL:+43 2", "ADR;WORK;ENCODING=QUOTED-PRINTABLE:;;Stra=DFe 1=0D=0AHof;Wien;;1010;=D6", "EMAIL;INTERNET:a@b.test", "NOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab=", "c", "PHOTO;JPEG;BASE64:", " /9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", " /9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", "", "URL;WORK:http://x.test/a;b"),
	"qpsj":       vc("2.1", "UID:qpsj", "N;CHARSET=SHIFT_JIS:\x8e\x52\x93\x63;\x91\xbe\x98\x59", "SOUND;X-IRMC-N;CHARSET=SHIFT_JIS:\xd4\xcf\xc0\xde;\xc0\xdb\xb3;;;"),
	"latin3":     vc("3.0", "UID:latin3", "FN:J\xf6rg", "N:M\xfcller;J\xf6rg;;;"),
	"bomcard":    "\xef\xbb\xbf" + vc("3.0", "UID:bomcard", "FN:x", "N:x;;;;"),
	"utf16":      utf16le(vc("3.0", "UID:utf16", "FN:Jörg", "N:x;;;;")),
	"nouid":      vc("3.0", "FN:No uid", "N:x;;;;"),
	"nofn":       vc("3.0", "UID:nofn", "N:Doe;John;;Dr.;"),
	"noversion":  "BEGIN:VCARD\r\nUID:noversion\r\nFN:x\r\nEND:VCARD\r\n",
	"label":      vc("3.0", "UID:label", "FN:x", "N:x;;;;", "item1.X-ABDATE;type=pref:2010-05-05", "item1.X-ABLabel:_$!<Anniversary>!$_", "item2.X-ABRELATEDNAMES;type=pref:Jane", "item2.X-ABLabel:_$!<Spouse>!$_", "item3.TEL:+1", "item3.X-ABLabel:Gr\\, oß", "item4.IMPP;X-SERVICE-TYPE=Jabber;type=HOME:xmpp:a@b.test", "X-ABShowAs:COMPANY", "X-ABUID:5AD380FD-B2DE-4261-BA99-DE1D1DB52FBE\\:ABPerson"),
	"photouri":   vc("3.0", "UID:photouri", "FN:x", "N:x;;;;", "PHOTO;VALUE=URI;TYPE=JPEG:https://x.test/a,b;c.jpg", "LOGO;VALUE=uri:https://x.test/l.png", "SOUND;VALUE=URI:https://x.test/s.ogg", "KEY;VALUE=URI:https://x.test/k.asc"),
	"photoapple": vc("3.0", "UID:photoapple", "FN:x", "N:x;;;;", "PHOTO;X-ABCROP-RECTANGLE=ABClipRect_1&-9&20&283&283&WGHe9zKmBvRvhyIyYvN/1g==;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD"),
	"badphoto":   vc("3.0", "UID:badphoto", "FN:x", "N:x;;;;", "PHOTO;ENCODING=b;TYPE=JPEG:not base64!"),
	"group4":     vc("4.0", "UID:urn:uuid:group4", "FN:G", "KIND:group", "MEMBER:urn:uuid:a", "MEMBER:mailto:b@x.test", "MEMBER:tel:+1"),
	"groupA":     vc("3.0", "UID:groupA", "FN:G", "N:G;;;;", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:a", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:b"),
	"params":     vc("4.0", "UID:params", "FN;X-P=\"a;b:c,d\":x", "TEL;TYPE=\"home,cell\";VALUE=uri:tel:+1;ext=5", "ADR;LABEL=\"a\\nb\";TYPE=home;PREF=2:;;s;c;r;p;cn", "EMAIL;PREF=50;PID=1.1:a@b.test", "CLIENTPIDMAP:1;urn:uuid:53e374d9-337e-4727-8803-a1e9c14e0556"),
	"several":    vc("3.0", "UID:sev1", "FN:a", "N:a;;;;") + vc("3.0", "UID:sev2", "FN:b", "N:b;;;;") + vc("3.0", "UID:sev1", "FN:other a", "N:a;;;;"),
	"empty":      vc("3.0", "UID:empty", "FN:", "N:;;;;", "ORG:;", "TEL:", "EMAIL:", "ADR:;;;;;;", "NOTE:", "BDAY:", "PHOTO:", "URL:", "CATEGORIES:", "TITLE:", "REV:", "GEO:", "TZ:", "KEY:"),
	"comma":      vc("3.0", "UID:comma", "FN:a\\, b", "N:Doe\\, Jr.;John,Jack;;;", "ORG:A\\; B;C", "NICKNAME:a,b\\,c", "CATEGORIES:x,y\\,z", "ADR:;;a\\;b,c;d;;;"),
	"bday":       vc("3.0", "UID:bday", "FN:x", "N:x;;;;", "BDAY;VALUE=date:--0412", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12"),
	"longuid":    vc("3.0", "UID:"+strings.Repeat("x", 1000), "FN:x", "N:x;;;;"),
	"unfolded":   vc("3.0", "UID:unfolded", "FN:x", "N:x;;;;", "NOTE:line one", "line two without colon", "line: three", "TITLE:x"),
	"lower":      "begin:vcard\r\nversion:3.0\r\nuid:lower\r\nfn:x\r\nn:x;;;;\r\nemail;type=internet:a@b.test\r\nend:vcard\r\n",
	"v5":         vc("5.0", "UID:v5", "FN:x"),
	"notend":     "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:notend\r\nFN:x\r\nN:x;;;;\r\n",
	"same":       vc("3.0", "UID:same", "FN:x", "N:x;;;;", "EMAIL:a@b.test", "EMAIL:a@b.test"),
	"xml":        vc("4.0", "UID:xml", "FN:x", "XML:<a xmlns=\"http://x\">b</a>", "GENDER:;it's complicated", "LANG:en", "RELATED;TYPE=spouse;VALUE=text:Jane"),
	// Habits of clients: what the user sees is looked for in what comes back (keptLines).
	"google":    vc("3.0", "UID:google", "N:Doe;Jane;;;", "FN:Jane Doe", "EMAIL;TYPE=INTERNET;TYPE=HOME:z@x.test", "EMAIL;TYPE=INTERNET;TYPE=WORK:a@x.test", "item1.URL:http\\://www.google.com/profiles/1\\,4?a=1", "item1.X-ABLabel:_$!<HomePage>!$_", "item2.X-ABRELATEDNAMES:Bob", "item2.X-ABLabel:_$!<Spouse>!$_", "CATEGORIES:myContacts,Friends"),
	"macos":     vc("3.0", "UID:macos", "N:Muster;Max;Paul,Karl;Dr.;", "FN:Dr. Max Muster", "ORG:Firma\\; Sohn;Abt.", "item1.ADR;type=HOME;type=pref:;;Weg 1\\nHaus 2;Wien;;1010;Austria", "item1.X-ABADR:at", "item2.X-ABDATE;type=pref:2015-09-03", "item2.X-ABLabel:_$!<Anniversary>!$_", "IMPP;X-SERVICE-TYPE=Jabber;type=HOME;type=pref:xmpp:max@x.test", "X-SOCIALPROFILE;type=twitter;x-user=max:http\\://twitter.com/max", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29"),
	"outlook":   vc("2.1", "UID:outlook", "N;LANGUAGE=de;CHARSET=Windows-1252:M\xfcller;J\xf6rg", "FN;CHARSET=Windows-1252:J\xf6rg M\xfcller", "ORG:Firma, Inc;Abt", "TEL;PREF;CELL;VOICE:3", "ADR;WORK;PREF;ENCODING=QUOTED-PRINTABLE;CHARSET=windows-1252:;Raum 2;Weg 1=0D=0A=", "Hinten, 3;Wien;;1010;=D6", "URL;WORK:http://x.test/a,b;c", "EMAIL;PREF;INTERNET:z@x.test", "X-MS-CARDPICTURE;TYPE=JPEG;ENCODING=BASE64:", " /9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", ""),
	"android":   vc("2.1", "UID:android", "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=96tt=C3=B6;Anna;;;", "FN:Anna", "TEL;X-Custom(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=C3=96ffi):+2", "AGENT:", "BEGIN:VCARD", "VERSION:2.1", "N:Ag;Ent", "END:VCARD", "HOME.ADR:;;Home 1;;;;", "HOME.LABEL:Home label", "OFF.ADR:;;Off 1;;;;", "OFF.LABEL:Off label"),
	"evolution": vc("3.0", "UID:evolution", "FN:Ed", "N:E;d;;;", "EMAIL;X-EVOLUTION-UI-SLOT=1;TYPE=WORK:e2@x.test", "EMAIL;X-EVOLUTION-UI-SLOT=2;TYPE=HOME:e1@x.test", "TEL;TYPE=\"WORK,VOICE\":+1", "X-EVOLUTION-FILE-AS:E\\, d", "CALURI:http://x/c,d", "X-AIM;X-EVOLUTION-UI-SLOT=1:aim", "ORG:Unescaped, Inc"),
	"evolist":   vc("3.0", "UID:evolist", "FN:List", "N:List;;;;", "X-EVOLUTION-LIST:TRUE", "EMAIL;X-EVOLUTION-DEST-CONTACT-UID=google;X-EVOLUTION-DEST-NAME=Jane;X-EVOLUTION-DEST-EMAIL=z@x.test:Jane <z@x.test>"),
	"links":     vc("3.0", "UID:links", "FN:x", "N:x;;;;", "PHOTO;VALUE=uri;TYPE=WORK:https://x.test/p,q;r.jpg", "LOGO;VALUE=URI:data:image/png;base64,iVBORw0KGgo/+w==", "X-PATH:C:\\dir\\temp", "URL:https://x.test/a?b=1;c=2,3"),
	"names":     vc("4.0", "UID:names", "FN;LANGUAGE=de;ALTID=1:Hans", "FN;LANGUAGE=en;ALTID=1:John", "BDAY:20090808T003000+0200", "RELATED;VALUE=text:Call\\, me", "ADR;PREF=1;LABEL=\"a, b\":;;s1,s2;c;;;", "TZ:+01:00", "KEY;TYPE=PGP;ENCODING=b:iVBORw0KGgo/+w=="),
	"members":   vc("3.0", "UID:members", "N:GA;;;;", "FN:GA", "X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:google", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:macos"),
	"ctrl":      vc("3.0", "UID:ctrl", "FN:a\x0bb", "N:x;;;;", "NOTE:tab\there\x00"),
}

// keptLines are what must stand in what CardDAV gives of a card, in this order.
var keptLines = map[string][]string{
	"google":    {"EMAIL;TYPE=INTERNET,HOME:z@x.test", "EMAIL;TYPE=INTERNET,WORK:a@x.test", "item1.URL:http://www.google.com/profiles/1,4?a=1", "item1.X-ABLABEL:_$!<HomePage>!$_", "item2.X-ABRELATEDNAMES:Bob", "item2.X-ABLABEL:_$!<Spouse>!$_", "CATEGORIES:myContacts,Friends"},
	"macos":     {"N:Muster;Max;Paul,Karl;Dr.;", `ORG:Firma\; Sohn;Abt.`, `item1.ADR;TYPE=HOME,pref:;;Weg 1\nHaus 2;Wien;;1010;Austria`, "item1.X-ABADR:at", "item2.X-ABDATE;TYPE=pref:2015-09-03", "item2.X-ABLabel:_$!<Anniversary>!$_", "IMPP;X-SERVICE-TYPE=Jabber;TYPE=HOME,pref:xmpp:max@x.test", "X-SOCIALPROFILE;TYPE=twitter;x-user=max:http://twitter.com/max", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29"},
	"outlook":   {`ORG:Firma\, Inc;Abt`, "TEL;TYPE=PREF,CELL,VOICE:3", `ADR;TYPE=WORK,PREF;CHARSET=UTF-8:;Raum 2;Weg 1\nHinten\, 3;Wien;;1010;Ö`, "URL;TYPE=WORK:http://x.test/a,b;c", "EMAIL;TYPE=PREF,INTERNET:z@x.test", "X-MS-CARDPICTURE;TYPE=JPEG;ENCODING=b:/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD"},
	"android":   {"item1.TEL:+2", "item1.X-ABLABEL;CHARSET=UTF-8:Öffi", `AGENT:BEGIN:VCARD\nVERSION:2.1\nN:Ag\;Ent\nEND:VCARD\n`, "HOME.ADR:;;Home 1;;;;", "HOME.LABEL:Home label", "OFF.ADR:;;Off 1;;;;", "OFF.LABEL:Off label"},
	"evolution": {"EMAIL;X-EVOLUTION-UI-SLOT=1;TYPE=WORK:e2@x.test", "EMAIL;X-EVOLUTION-UI-SLOT=2;TYPE=HOME:e1@x.test", `X-EVOLUTION-FILE-AS:E\, d`, "CALURI:http://x/c,d", "X-AIM;X-EVOLUTION-UI-SLOT=1:aim", `ORG:Unescaped\, Inc`},
	"evolist":   {"X-EVOLUTION-LIST:TRUE", "EMAIL;X-EVOLUTION-DEST-CONTACT-UID=google;X-EVOLUTION-DEST-NAME=Jane;X-EVOLUTION-DEST-EMAIL=z@x.test:Jane <z@x.test>"},
	"links":     {"PHOTO;TYPE=WORK;VALUE=URI:https://x.test/p,q;r.jpg", "LOGO;ENCODING=b;TYPE=PNG:iVBORw0KGgo/+w==", `X-PATH:C:\\dir\\temp`, "URL:https://x.test/a?b=1;c=2,3"},
	"names":     {"FN;LANGUAGE=de;ALTID=1:Hans", "FN;LANGUAGE=en;ALTID=1:John", "BDAY:20090808T003000+0200", `RELATED;VALUE=TEXT:Call\, me`, `ADR;PREF=1;LABEL="a, b":;;s1,s2;c;;;`, "TZ:+01", `KEY;TYPE=PGP:data:application/pgp-keys;base64\,iVBORw0KGgo/+w==`},
	"members":   {"X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:google", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:macos", "KIND:GROUP", "MEMBER:urn:uuid:google", "MEMBER:urn:uuid:macos"},
}

func utf16le(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

// Odd cards, too.
func TestOddCards(t *testing.T) {
	t.Parallel()
	e := newEnv(t, startServer(t), "anna")
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	sent := map[string]vcard.Card{}
	for name, raw := range oddCards {
		e.src.PutObject("anna", model.KindContacts, "book", name+".vcf", raw)
		cards, _, err := vcard.Prepare([]byte(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, c := range cards {
			sent[c.UID] = c
		}
	}
	for _, line := range []string{"N:Müller;Jörg\r\n", "ADR;TYPE=WORK:;;Straße 1\\nHof;Wien;;1010;Ö\r\n", "TEL;TYPE=HOME,VOICE,PREF:+43 1\r\n", "NOTE:a\\nbc\r\n"} {
		if !strings.Contains(string(sent["qp21"].Text), line) {
			t.Errorf("vCard 2.1 becomes\n%s", sent["qp21"].Text)
		}
	}
	e.src.PutObject("anna", model.KindContacts, "book", "page.vcf", "<html>log in</html>")
	e.src.PutObject("anna", model.KindContacts, "book", "none.vcf", "")
	if res := e.must(); res.Contacts.Created != int64(len(sent)) || res.Contacts.Refused != 2 {
		t.Errorf("%+v of %d\n%s", res.Contacts, len(sent), strings.Join(e.notes, "\n"))
	}
	for _, note := range e.notes {
		if strings.Contains(note, "|altered|") {
			t.Error(note)
		}
	}
	for uid, got := range e.texts(e.collections(model.KindContacts)["Book"]) {
		rest := strings.ReplaceAll(got, "\r\n ", "")
		for _, l := range keptLines[uid] {
			_, after, found := strings.Cut(rest, "\r\n"+l+"\r\n")
			if !found {
				t.Errorf("%s: no %s in its place in\n%s", uid, l, got)
				break
			}
			rest = "\r\n" + after
		}
		back, _, err := vcard.Prepare([]byte(got))
		was, ours := sent[uid]
		if err != nil || len(back) != 1 || !ours {
			t.Errorf("%s: %d cards, %v", uid, len(back), err)
			continue
		}
		delete(sent, uid)
		all := vcard.Differences(was, back[0])
		if real := contentline.Real(all); len(real) > 0 || len(all) == 0 && was.Digest != back[0].Digest {
			t.Errorf("%s differs: %v\n%s\n--- is now\n%s", uid, real, was.Text, got)
		}
	}
	if len(sent) > 0 {
		t.Errorf("missing: %s", keys(sent))
	}
	e.unchanged()
}
