package verify_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/sample"
)

func TestExplore(t *testing.T) {
	if os.Getenv("EXPLORE") == "" {
		t.Skip()
	}
	e := newEventTest(t)
	var seed uint64
	fmt.Sscan(os.Getenv("EXPLORE"), &seed)
	for i := range 250 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		pick := func(s ...string) string { return s[r.IntN(len(s))] }
		var l []string
		add := func(s string) {
			if s != "" {
				l = append(l, strings.Split(s, "\n")...)
			}
		}
		kind := pick("VEVENT", "VEVENT", "VEVENT", "VTODO")
		uid := fmt.Sprintf("x-%d-%d", seed, i)
		tz := pick("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Etc/UTC", "GMT", "Etc/GMT-3", "Africa/Casablanca", "US/Eastern")
		style := pick("date", "float", "utc", "tz", "tz", "tz")
		day := fmt.Sprintf("2026%02d%02d", 1+r.IntN(12), 1+r.IntN(28))
		f := func(name, day, clock string) string {
			switch style {
			case "date":
				return name + ";VALUE=DATE:" + day
			case "float":
				return name + ":" + day + "T" + clock
			case "utc":
				return name + ":" + day + "T" + clock + "Z"
			}
			return name + ";TZID=" + tz + ":" + day + "T" + clock
		}
		add("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:" + kind + "\nUID:" + uid + "\nDTSTAMP:20260101T000000Z")
		add(f("DTSTART", day, "101500"))
		if kind == "VEVENT" {
			add(pick("", f("DTEND", day[:6]+"28", "113000"), "DURATION:PT1H30M", "DURATION:P1D", "DURATION:P1W", "DURATION:P1DT2H", "DURATION:PT0S", pick("DTEND:"+day+"T235959Z", "")))
		} else {
			add(pick("", f("DUE", day[:6]+"28", "113000"), "DURATION:PT1H", "COMPLETED:20260301T100000Z\nSTATUS:COMPLETED\nPERCENT-COMPLETE:100", "STATUS:CANCELLED", "PERCENT-COMPLETE:0"))
		}
		rule := pick("", "", "FREQ=DAILY", "FREQ=DAILY;COUNT=9", "FREQ=WEEKLY;BYDAY=MO,TU;WKST=SU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;COUNT=12", "FREQ=MONTHLY;BYDAY=2TU,-1FR", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY;BYMONTH=3,9;BYDAY=1SU", "FREQ=YEARLY;BYWEEKNO=20", "FREQ=YEARLY;BYYEARDAY=100,-1", "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30;COUNT=20", "FREQ=HOURLY;INTERVAL=6;COUNT=10", "FREQ=DAILY;UNTIL=20271231", "FREQ=DAILY;UNTIL=20271231T120000Z", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=8", "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;BYMONTHDAY=31;COUNT=6")
		if style == "date" && (strings.Contains(rule, "HOUR") || strings.Contains(rule, "Z")) {
			rule = ""
		}
		if rule != "" {
			add("RRULE:" + rule)
			if r.IntN(3) == 0 {
				next := fmt.Sprintf("%s%02d", day[:6], 1+r.IntN(28))
				add(f("EXDATE", next, "101500"))
			}
		}
		if r.IntN(6) == 0 {
			add(pick(f("RDATE", "20270115", "120000"), "RDATE;VALUE=PERIOD:20270115T120000Z/PT2H", "RDATE:20270115T120000Z,20270116T120000Z"))
		}
		add("SUMMARY:" + pick("Plain", "a\\, b\\; c \\\\ d", "quote \"x\" 'y'", "tab\there", "back\\nslash", "emoji 👩‍👩‍👧", "percent %20 &amp; <b>", "  spaces  ", "trailing space ", "colon: x", "=equals", "^n caret ^^"))
		add(pick("", "DESCRIPTION:l1\\nl2\\n\\nl4", "DESCRIPTION;LANGUAGE=de:Text", "DESCRIPTION:"+strings.Repeat("long ", 60), "DESCRIPTION:\\n", "DESCRIPTION:x\\n"))
		add(pick("", "LOCATION:Here", "LOCATION;LANGUAGE=de;ALTREP=\"https://a.test/x\":Hier", "LOCATION:a\\, b\\nc"))
		add(pick("", "", "STATUS:TENTATIVE", "STATUS:CONFIRMED", "STATUS:CANCELLED"))
		add(pick("", "", "CLASS:PRIVATE", "CLASS:CONFIDENTIAL", "CLASS:PUBLIC"))
		add(pick("", "", "TRANSP:TRANSPARENT", "TRANSP:OPAQUE"))
		add(pick("", "PRIORITY:9", "PRIORITY:0", "SEQUENCE:3", "SEQUENCE:0"))
		add(pick("", "CATEGORIES:a,b,c", "CATEGORIES:a\\,b", "CATEGORIES;LANGUAGE=en:x\nCATEGORIES:y", "CATEGORIES:Ünï,ünï"))
		add(pick("", "GEO:1.5;-2.25", "GEO:48.85299;2.36885", "URL:https://a.test/b?c=d", "URL:mailto:x@y.test", "COLOR:crimson", "COMMENT:c1\nCOMMENT:c2", "CONTACT:x", "RESOURCES:A,B", "RELATED-TO;RELTYPE=CHILD:k1", "REQUEST-STATUS:3.1;Invalid;DTSTART:x"))
		add(pick("", "ATTACH:https://a.test/f.pdf", "ATTACH;FMTTYPE=text/html;X-Y=1;SIZE=12:https://a.test/f", "ATTACH:CID:part1@x.test", "CONFERENCE;VALUE=URI;FEATURE=PHONE;LABEL=\"Call, now\":tel:+1-555", "IMAGE;VALUE=URI:https://a.test/i.png"))
		add(pick("", "X-A:plain", "X-A;X-B=c;X-D=\"e;f\":g\\,h\\;i\\nj", "X-APPLE-SORT-ORDER:1", "X-MOZ-LASTACK:20260101T000000Z", "X-DUR;VALUE=DURATION:PT1H", "X-BOOL;VALUE=BOOLEAN:TRUE", "X-INT;VALUE=INTEGER:5", "X-DT;VALUE=DATE-TIME:20260101T000000Z", "X-EMPTY:", "X-LOOKS-LIKE-DATE:20260101", "X-LOOKS-LIKE-NUMBER:007", "X-T;VALUE=TEXT:a\\,b", "X-U;VALUE=URI:https://a.test/;b"))
		if r.IntN(3) == 0 {
			add("ORGANIZER;" + pick("CN=Anna", "CN=\"A, B\"", "SENT-BY=\"mailto:s@a.test\"", "SCHEDULE-AGENT=CLIENT", "X-O=1") + ":mailto:anna@acme.test")
			for n := range r.IntN(4) {
				add(fmt.Sprintf("ATTENDEE;%s:%s", pick("CN=B", "PARTSTAT=ACCEPTED;ROLE=CHAIR", "CUTYPE=ROOM;PARTSTAT=DECLINED", "ROLE=NON-PARTICIPANT", "RSVP=TRUE;PARTSTAT=NEEDS-ACTION", "CUTYPE=X-FOO;ROLE=X-BAR", "PARTSTAT=TENTATIVE;X-NUM-GUESTS=2;LANGUAGE=de", "EMAIL=other@a.test;CN=Q", "SCHEDULE-STATUS=\"2.0\";SCHEDULE-AGENT=NONE", "PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:z@a.test\"", "DIR=\"ldap://x\""), pick(fmt.Sprintf("mailto:u%d@acme.test", n), fmt.Sprintf("MAILTO:U%d@acme.test", n), fmt.Sprintf("urn:uuid:%d", n), fmt.Sprintf("/principals/u%d/", n), "mailto:anna@acme.test")))
			}
		}
		if kind == "VTODO" && r.IntN(3) == 0 {
			add(pick("RELATED-TO:parent", "X-APPLE-X:1"))
		}
		for n := range r.IntN(3) {
			add("BEGIN:VALARM\nACTION:" + pick("DISPLAY", "DISPLAY", "AUDIO", "EMAIL\nSUMMARY:s\nATTENDEE:mailto:a@b.test", "NONE", "X-ALARM") + "\n" +
				pick("TRIGGER:-PT15M", "TRIGGER;RELATED=END:PT5M", "TRIGGER;VALUE=DATE-TIME:20260101T080000Z", "TRIGGER:-P1W", "TRIGGER:P0D", "TRIGGER;VALUE=DURATION:-P2DT3H", "TRIGGER;RELATED=START:PT9H") +
				pick("", "\nREPEAT:3\nDURATION:PT10M", fmt.Sprintf("\nUID:al-%d-%d", i, n), "\nACKNOWLEDGED:20260101T070000Z", "\nATTACH:https://a.test/s.wav", "\nX-WR-ALARMUID:w", "\nRELATED-TO;RELTYPE=SNOOZE:al-0") + "\nDESCRIPTION:d\\, e\nEND:VALARM")
		}
		add("END:" + kind)
		if rule == "FREQ=DAILY" || rule == "FREQ=DAILY;COUNT=9" {
			d2 := fmt.Sprintf("%s%02d", day[:6], 28)
			add("BEGIN:" + kind + "\nUID:" + uid + "\nDTSTAMP:20260101T000000Z")
			add(f("RECURRENCE-ID", d2, "101500"))
			add(f("DTSTART", d2, pick("101500", "180000")))
			add(pick("", "SUMMARY:changed", "SUMMARY:x\nLOCATION:y\nSTATUS:CANCELLED", "DURATION:PT3H", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT1M\nEND:VALARM", "ORGANIZER:mailto:anna@acme.test\nATTENDEE;PARTSTAT=DECLINED:mailto:u1@acme.test", "X-ONLY-HERE:1", "CATEGORIES:other", "TRANSP:TRANSPARENT\nCLASS:PRIVATE"))
			add("END:" + kind)
		}
		add("END:VCALENDAR")
		e.add(sample.Object{Name: uid, Text: []byte(strings.Join(l, "\r\n") + "\r\n")})
	}
	e.byBothWays()
}
