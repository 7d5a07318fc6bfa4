package verify_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/randomtest"
	"mailhaul.org/mailhaul/internal/sample"
)

// Properties in combinations that no client was seen to write. What JMAP
// changes among them must be known to icalendar. MAILHAUL_SEED tries others.
func TestCombinationsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	seed, ok := randomtest.Given(t)
	if !ok {
		seed = 1
	}
	t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
		e := newEventTest(t)
		for i := range 120 {
			c := &combination{r: rand.New(rand.NewPCG(seed, uint64(i))), uid: fmt.Sprintf("c-%d-%d", seed, i)}
			e.add(sample.Object{Name: c.uid, Text: []byte(c.write())})
		}
		e.byBothWays()
	})
}

// combination writes one object of properties drawn at random.
type combination struct {
	r                *rand.Rand
	uid              string
	kind, zone, form string
	month            string // "202603"
	b                strings.Builder
}

func (c *combination) pick(s ...string) string { return s[c.r.IntN(len(s))] }

// add writes lines, or nothing for "".
func (c *combination) add(lines string) {
	if lines != "" {
		c.b.WriteString(strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n")
	}
}

// at is a date property of the object's form.
func (c *combination) at(name, day, clock string) string {
	switch c.form {
	case "date":
		return name + ";VALUE=DATE:" + day
	case "floating":
		return name + ":" + day + "T" + clock
	case "utc":
		return name + ":" + day + "T" + clock + "Z"
	}
	return name + ";TZID=" + c.zone + ":" + day + "T" + clock
}

func (c *combination) write() string {
	c.kind = c.pick("VEVENT", "VEVENT", "VEVENT", "VTODO")
	c.zone = c.pick("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Etc/UTC", "GMT", "Etc/GMT-3", "Africa/Casablanca", "US/Eastern")
	c.form = c.pick("date", "floating", "utc", "zone", "zone", "zone")
	c.month = fmt.Sprintf("2026%02d", 1+c.r.IntN(12))
	c.add("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Made up//EN\nBEGIN:" + c.kind + "\nUID:" + c.uid + "\nDTSTAMP:20260101T000000Z")
	rule := c.when()
	c.texts()
	c.links()
	c.people()
	for n := range c.r.IntN(3) {
		c.alarm(n)
	}
	c.add("END:" + c.kind)
	if strings.HasPrefix(rule, "FREQ=DAILY") && !strings.Contains(rule, "BY") && c.r.IntN(3) > 0 {
		c.exception()
	}
	c.add("END:VCALENDAR")
	return c.b.String()
}

func (c *combination) when() (rule string) {
	c.add(c.at("DTSTART", fmt.Sprintf("%s%02d", c.month, 1+c.r.IntN(27)), "101500"))
	if c.kind == "VEVENT" {
		c.add(c.pick("", c.at("DTEND", c.month+"28", "113000"), "DURATION:PT1H30M", "DURATION:P1D", "DURATION:P1W", "DURATION:P1DT2H", "DURATION:PT0S", "DTEND:"+c.month+"28T235959Z"))
	} else {
		c.add(c.pick("", c.at("DUE", c.month+"28", "113000"), "DURATION:PT1H", "COMPLETED:20260301T100000Z\nPERCENT-COMPLETE:100", "PERCENT-COMPLETE:0"))
	}
	rule = c.pick("", "", "FREQ=DAILY", "FREQ=DAILY;COUNT=9", "FREQ=WEEKLY;BYDAY=MO,TU;WKST=SU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;COUNT=12", "FREQ=MONTHLY;BYDAY=2TU,-1FR",
		"FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY;BYMONTH=3,9;BYDAY=1SU", "FREQ=YEARLY;BYWEEKNO=20", "FREQ=YEARLY;BYYEARDAY=100,-1", "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30;COUNT=20",
		"FREQ=HOURLY;INTERVAL=6;COUNT=10", "FREQ=DAILY;UNTIL=20271231", "FREQ=DAILY;UNTIL=20271231T120000Z", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=8",
		"RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD;BYMONTHDAY=31;COUNT=6")
	if rule == "" || c.form == "date" && (strings.Contains(rule, "HOUR") || strings.Contains(rule, "Z")) {
		return ""
	}
	c.add("RRULE:" + rule)
	if c.r.IntN(3) == 0 {
		c.add(c.at("EXDATE", fmt.Sprintf("%s%02d", c.month, 1+c.r.IntN(28)), "101500"))
	}
	if c.r.IntN(6) == 0 {
		c.add(c.pick(c.at("RDATE", "20270115", "120000"), "RDATE;VALUE=PERIOD:20270115T120000Z/PT2H", "RDATE:20270115T120000Z,20270116T120000Z"))
	}
	return rule
}

func (c *combination) texts() {
	c.add("SUMMARY:" + c.pick("Plain", `a\, b\; c \\ d`, `quote "x" 'y'`, "tab\there", `back\nslash`, "emoji 👩‍👩‍👧", "percent %20 &amp; <b>", "  spaces  ", "trailing space ", "colon: x", "=equals", "^n caret ^^"))
	c.add(c.pick("", `DESCRIPTION:l1\nl2\n\nl4`, "DESCRIPTION;LANGUAGE=de:Text", "DESCRIPTION:"+strings.Repeat("long ", 60), `DESCRIPTION:\n`, `DESCRIPTION:x\n`))
	c.add(c.pick("", "LOCATION:Here", `LOCATION;LANGUAGE=de;ALTREP="https://a.test/x":Hier`, `LOCATION:a\, b\nc`))
	c.add(c.pick("", "", "STATUS:CONFIRMED", "STATUS:CANCELLED"))
	c.add(c.pick("", "", "CLASS:PRIVATE", "CLASS:CONFIDENTIAL", "CLASS:PUBLIC", "CLASS:X-OWN"))
	c.add(c.pick("", "", "TRANSP:TRANSPARENT", "TRANSP:OPAQUE"))
	c.add(c.pick("", "PRIORITY:9", "PRIORITY:0", "SEQUENCE:3", "SEQUENCE:0"))
	c.add(c.pick("", "CATEGORIES:a,b,c", `CATEGORIES:a\,b`, "CATEGORIES;LANGUAGE=en:x\nCATEGORIES:y", "CATEGORIES:Ünï,ünï"))
	c.add(c.pick("", "X-A:plain", `X-A;X-B=c;X-D="e;f":g\,h\;i\nj`, "X-APPLE-SORT-ORDER:1", "X-MOZ-LASTACK:20260101T000000Z", "X-DUR;VALUE=DURATION:PT1H", "X-BOOL;VALUE=BOOLEAN:TRUE", "X-INT;VALUE=INTEGER:5",
		"X-DT;VALUE=DATE-TIME:20260101T000000Z", "X-EMPTY:", "X-LOOKS-LIKE-DATE:20260101", "X-LOOKS-LIKE-NUMBER:007", `X-T;VALUE=TEXT:a\,b`, "X-U;VALUE=URI:https://a.test/;b"))
}

func (c *combination) links() {
	c.add(c.pick("", "GEO:1.5;-2.25", "GEO:48.85299;2.36885", "URL:https://a.test/b?c=d", "URL:mailto:x@y.test", "COLOR:crimson", "COMMENT:c1\nCOMMENT:c2", "CONTACT:x", "RESOURCES:A,B", "RELATED-TO;RELTYPE=CHILD:k1", "REQUEST-STATUS:3.1;Invalid;DTSTART:x"))
	c.add(c.pick("", "ATTACH:https://a.test/f.pdf", "ATTACH;FMTTYPE=text/html;X-Y=1;SIZE=12:https://a.test/f", "ATTACH:CID:part1@x.test", `CONFERENCE;VALUE=URI;FEATURE=PHONE;LABEL="Call, now":tel:+1-555`, "IMAGE;VALUE=URI:https://a.test/i.png"))
}

func (c *combination) people() {
	if c.r.IntN(3) > 0 {
		return
	}
	c.add("ORGANIZER;" + c.pick("CN=Anna", `CN="A, B"`, `SENT-BY="mailto:s@a.test"`, "SCHEDULE-AGENT=CLIENT", "X-O=1") + ":mailto:anna@acme.test")
	for n := range c.r.IntN(4) {
		who := c.pick(fmt.Sprintf("mailto:u%d@acme.test", n), fmt.Sprintf("MAILTO:U%d@acme.test", n), fmt.Sprintf("urn:uuid:%d", n), fmt.Sprintf("/principals/u%d/", n), "mailto:anna@acme.test")
		c.add("ATTENDEE;" + c.pick("CN=B", "PARTSTAT=ACCEPTED;ROLE=CHAIR", "CUTYPE=ROOM;PARTSTAT=DECLINED", "ROLE=NON-PARTICIPANT", "RSVP=TRUE;PARTSTAT=NEEDS-ACTION", "CUTYPE=X-FOO;ROLE=X-BAR", "PARTSTAT=TENTATIVE;X-NUM-GUESTS=2;LANGUAGE=de",
			"EMAIL=other@a.test;CN=Q", `SCHEDULE-STATUS="2.0";SCHEDULE-AGENT=NONE`, `PARTSTAT=DELEGATED;DELEGATED-TO="mailto:z@a.test"`, `DIR="ldap://x"`) + ":" + who)
	}
}

func (c *combination) alarm(n int) {
	c.add("BEGIN:VALARM\nACTION:" + c.pick("DISPLAY", "DISPLAY", "AUDIO", "EMAIL\nSUMMARY:s\nATTENDEE:mailto:a@b.test", "NONE", "X-ALARM"))
	c.add(c.pick("TRIGGER:-PT15M", "TRIGGER;RELATED=END:PT5M", "TRIGGER;VALUE=DATE-TIME:20260101T080000Z", "TRIGGER:-P1W", "TRIGGER:P0D", "TRIGGER;VALUE=DURATION:-P2DT3H", "TRIGGER;RELATED=START:PT9H"))
	c.add(c.pick("", "REPEAT:3\nDURATION:PT10M", fmt.Sprintf("UID:alarm-%d-of-%s", n, c.uid), "ACKNOWLEDGED:20260101T070000Z", "ATTACH:https://a.test/s.wav", "X-WR-ALARMUID:w", "RELATED-TO;RELTYPE=SNOOZE:al-0"))
	c.add(`DESCRIPTION:d\, e` + "\nEND:VALARM")
}

func (c *combination) exception() {
	c.add("BEGIN:" + c.kind + "\nUID:" + c.uid + "\nDTSTAMP:20260101T000000Z")
	c.add(c.at("RECURRENCE-ID", c.month+"28", "101500"))
	c.add(c.at("DTSTART", c.month+"28", c.pick("101500", "180000")))
	c.add(c.pick("", "SUMMARY:changed", "SUMMARY:x\nLOCATION:y\nSTATUS:CANCELLED", "DURATION:PT3H", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT1M\nEND:VALARM",
		"ORGANIZER:mailto:anna@acme.test\nATTENDEE;PARTSTAT=DECLINED:mailto:u1@acme.test", "X-ONLY-HERE:1", "CATEGORIES:other", "TRANSP:TRANSPARENT\nCLASS:PRIVATE"))
	c.add("END:" + c.kind)
}
