package icalendar

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

func lines(s ...string) string { return strings.Join(s, "\r\n") + "\r\n" }

// event is one event in a calendar, with more lines in the event.
func event(more ...string) string {
	return lines(append(append([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:one@test", "DTSTAMP:20260101T000000Z",
		"DTSTART:20260302T090000Z"}, more...), "END:VEVENT", "END:VCALENDAR")...)
}

func prepare(t *testing.T, raw string) ([]Part, []Remark) {
	t.Helper()
	parts, remarks, err := Prepare([]byte(raw))
	if err != nil {
		t.Fatalf("Prepare: %v", err)
	}
	return parts, remarks
}

func one(t *testing.T, raw string) (Part, []Remark) {
	t.Helper()
	parts, remarks := prepare(t, raw)
	if len(parts) != 1 {
		t.Fatalf("got %d parts, want 1", len(parts))
	}
	return parts[0], remarks
}

func codes(remarks []Remark) (all []string) {
	for _, r := range remarks {
		all = append(all, r.Code)
	}
	return all
}

func TestAnOrdinaryObjectStaysAsItIs(t *testing.T) {
	t.Parallel()
	raw := event("SUMMARY:Planning\\, part 2", "ORGANIZER:mailto:ann@acme.test", `ATTENDEE;CN="Doe, John":mailto:john@acme.test`)
	p, remarks := one(t, raw)
	if len(remarks) > 0 {
		t.Errorf("remarks %+v", remarks)
	}
	if string(p.Text) != raw {
		t.Errorf("text changed:\n%s", p.Text)
	}
	if p.UID != "one@test" || !slices.Equal(p.Components, []string{"VEVENT"}) || p.ByDAV != "" {
		t.Errorf("got %q %v %q", p.UID, p.Components, p.ByDAV)
	}
}

func TestBrokenTextIsReadAndNamed(t *testing.T) {
	t.Parallel()
	whole := event("SUMMARY:Früh am Morgen – Bäckerei")
	latin, err := charmap.Windows1252.NewEncoder().String(whole)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(whole)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := one(t, whole)
	cut := strings.Replace(whole, "Fr\xc3\xbch", "Fr\xc3\r\n \xbch", 1)
	for name, c := range map[string]struct {
		raw  string
		code string
	}{
		"a fold inside a character": {cut, ""},
		"bare LF":                   {strings.ReplaceAll(whole, "\r\n", "\n"), ""},
		"bare CR":                   {strings.ReplaceAll(whole, "\r\n", "\r"), "folding"},
		"byte order mark":           {"\ufeff" + whole, "charset"},
		"windows-1252":              {latin, "charset"},
		"UTF-16":                    {wide, "charset"},
		"blank lines":               {strings.ReplaceAll(whole, "\r\n", "\r\n\r\n"), ""},
		"no END":                    {strings.TrimSuffix(whole, lines("END:VEVENT", "END:VCALENDAR")), "end"},
		"no END of the event":       {strings.Replace(whole, "END:VEVENT\r\n", "", 1), "end"},
		"no calendar":               {strings.TrimSuffix(whole[strings.Index(whole, "BEGIN:VEVENT"):], lines("END:VCALENDAR")), "outside"},
		"NULs":                      {strings.Replace(whole, "Morgen", "Mor\x00gen", 1), "control"},
		"METHOD":                    {strings.Replace(whole, "VERSION:2.0", "VERSION:2.0\r\nMETHOD:PUBLISH", 1), "method"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, remarks := one(t, c.raw)
			if p.Digest != want.Digest {
				t.Errorf("means something else:\n%s", p.Text)
			}
			if c.code == "" && len(remarks) > 0 || c.code != "" && !slices.Contains(codes(remarks), c.code) {
				t.Errorf("remarks %+v, want %q", remarks, c.code)
			}
		})
	}
}

func TestALineThatIsNoPropertyIsKept(t *testing.T) {
	t.Parallel()
	p, remarks := one(t, event("DESCRIPTION:First\\, second", "and a third, by hand", "https://acme.test/a?b"))
	if !bytes.Contains(p.Text, []byte("DESCRIPTION:First\\, second\\nand a third\\, by hand\\nhttps://acme.test/a?b\r\n")) {
		t.Errorf("text:\n%s", p.Text)
	}
	if !slices.Equal(codes(remarks), []string{"line", "line"}) {
		t.Errorf("remarks %+v", remarks)
	}
	p, _ = one(t, event("PRIORITY:1", "garbage, by somebody"))
	if !bytes.Contains(p.Text, []byte("X-MAILHAUL-UNREADABLE:garbage\\, by somebody")) {
		t.Errorf("text:\n%s", p.Text)
	}
}

// Dates that clients do not read are written as they read them; a rule that says
// nothing goes, for a server makes one of it that is broken.
func TestDatesOfISO8601AndEmptyRules(t *testing.T) {
	t.Parallel()
	p, remarks := one(t, lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:u", "DTSTART:2026-03-02T10:00:00Z", "DTEND;TZID=Europe/Berlin:2026-03-02T12:30:00",
		"EXDATE:2026-03-03,20260304", "RRULE:", "END:VEVENT", "END:VCALENDAR"))
	for _, want := range []string{"\r\nDTSTART:20260302T100000Z\r\n", "\r\nDTEND;TZID=Europe/Berlin:20260302T123000\r\n", "\r\nEXDATE;VALUE=DATE:20260303,20260304\r\n"} {
		if !strings.Contains(string(p.Text), want) {
			t.Errorf("no %q in\n%s", want, p.Text)
		}
	}
	if strings.Contains(string(p.Text), "RRULE") || !slices.Equal(codes(remarks), []string{"date", "date", "date", "rule"}) {
		t.Errorf("%+v\n%s", remarks, p.Text)
	}
}

// What is carried as it is, and read by few, is said.
func TestDoubtsAreNamed(t *testing.T) {
	t.Parallel()
	zone := func(id, offset string) string {
		return lines("BEGIN:VTIMEZONE", "TZID:"+id, "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:"+offset, "TZOFFSETTO:"+offset, "END:STANDARD", "END:VTIMEZONE")
	}
	at := func(zones string, more ...string) string {
		return lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x") + zones + lines(append(append([]string{"BEGIN:VEVENT", "UID:u"}, more...), "END:VEVENT", "END:VCALENDAR")...)
	}
	for name, c := range map[string]struct{ raw, want string }{
		"none":                          {at(zone("Asia/Kolkata", "+0530"), "DTSTART;TZID=Asia/Kolkata:20260701T100000", "RRULE:FREQ=DAILY"), ""},
		"no definition":                 {at("", "DTSTART;TZID=Europe/Berlin:20260701T100000"), ""},
		"its own zone":                  {at(zone("Here", "+0137"), "DTSTART;TZID=Here:20260701T100000"), ""},
		"other offsets":                 {at(zone("Europe/Berlin", "-0500"), "DTSTART;TZID=Europe/Berlin:20260701T100000"), "-05:00 from Greenwich at that time, which is +02:00"},
		"right in winter":               {at(zone("Europe/Berlin", "+0100"), "DTSTART;TZID=Europe/Berlin:20260101T100000"), ""},
		"wrong in summer":               {at(zone("Europe/Berlin", "+0100"), "DTSTART;TZID=Europe/Berlin:20260101T100000", "RRULE:FREQ=DAILY"), "not defined as its clocks go"},
		"an unknown zone":               {at("", "DTSTART;TZID=Nowhere:20260701T100000"), "neither known nor defined"},
		"no date":                       {at("", "DTSTART:tomorrow"), `"tomorrow" is no date`},
		"an attachment of the server's": {at("", "DTSTART:20260701T100000Z", "ATTACH;MANAGED-ID=7;FILENAME=a.pdf:https://old.test/a"), "only its address is carried, and leads nowhere once that server is gone: https://old.test/a"},
		"who takes part, in vCalendar":  {at("", "DTSTART:20260701T100000Z", "ATTENDEE;ROLE=OWNER;STATUS=ACCEPTED:Anna <anna@acme.test>"), `ATTENDEE: "Anna <anna@acme.test>" is no address`},
		"who takes part":                {at("", "DTSTART:20260701T100000Z", "ORGANIZER:mailto:a@acme.test", "ATTENDEE:MAILTO:anna@acme.test"), ""},
		"an attachment elsewhere":       {at("", "DTSTART:20260701T100000Z", "ATTACH:https://old.test/a"), ""},
		"31 June":                       {at("", "DTSTART:20260631T100000Z"), "is no date"},
		"vCalendar's rule":              {at("", "DTSTART:20260701T100000Z", "RRULE:W1 MO$ WE #5"), `rule "W1 MO$ WE #5"`},
		"vCalendar's mail":              {at("", "DTSTART:20260701T100000Z", "MALARM:20260701T094500Z;;;anna@acme.test;Go"), "MALARM"},
		"another calendar's":            {at("", "DTSTART;VALUE=DATE:20260701", "RRULE:RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L"), "RSCALE"},
		"a period that is":              {at("", "DTSTART:20260701T100000Z", "RDATE;VALUE=PERIOD:20260702T100000Z/PT2H"), ""},
		"an exception's date":           {at("", "DTSTART:20260701T100000Z", "RECURRENCE-ID:never"), "RECURRENCE-ID"},
	} {
		p, _ := one(t, c.raw)
		if got := strings.Join(p.Doubts, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSeveralObjectsArePartedWithTheirZones(t *testing.T) {
	t.Parallel()
	zone := func(id string) string {
		return lines("BEGIN:VTIMEZONE", "TZID:"+id, "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE")
	}
	raw := lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x") + zone("Here") + zone("There") + lines(
		"BEGIN:VEVENT", "UID:a", "DTSTART;TZID=Here:20260101T100000", "RRULE:FREQ=DAILY", "END:VEVENT",
		"BEGIN:VTODO", "UID:b", "DUE;TZID=There:20260101T100000", "END:VTODO",
		"BEGIN:VEVENT", "UID:a", "RECURRENCE-ID;TZID=Here:20260102T100000", "DTSTART;TZID=Here:20260102T110000", "END:VEVENT",
		"BEGIN:VEVENT", "DTSTART:20260103T110000Z", "SUMMARY:Nameless", "END:VEVENT", "END:VCALENDAR")
	parts, remarks := prepare(t, raw)
	if len(parts) != 3 {
		t.Fatalf("got %d parts, want 3", len(parts))
	}
	for i, want := range []struct {
		kind   string
		events int
		zone   string
	}{{"VEVENT", 2, "Here"}, {"VTODO", 1, "There"}, {"VEVENT", 1, ""}} {
		text := string(parts[i].Text)
		if n := strings.Count(text, "BEGIN:"+want.kind); n != want.events {
			t.Errorf("part %d has %d of %s, want %d", i, n, want.kind, want.events)
		}
		for _, z := range []string{"Here", "There"} {
			if strings.Contains(text, "TZID:"+z) != (z == want.zone) {
				t.Errorf("part %d: zone %s:\n%s", i, z, text)
			}
		}
	}
	again, _ := prepare(t, raw)
	if parts[2].UID == "" || parts[2].UID != again[2].UID {
		t.Errorf("UIDs made: %q, then %q", parts[2].UID, again[2].UID)
	}
	if !slices.Equal(codes(remarks), []string{"uid"}) {
		t.Errorf("remarks %+v", remarks)
	}
}

func TestDigestIsOfTheMeaning(t *testing.T) {
	t.Parallel()
	a := lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:one", "BEGIN:VEVENT", "UID:a", "DTSTAMP:20260101T000000Z", "DTSTART;TZID=Europe/Berlin:20260101T100000",
		"RRULE:FREQ=WEEKLY;BYDAY=MO,TU;INTERVAL=1", "CATEGORIES:Work,Home", "EXDATE;TZID=Europe/Berlin:20260105T100000,20260106T100000",
		"ATTENDEE;CN=Ann;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:ann@acme.test",
		"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM", "END:VEVENT", "END:VCALENDAR")
	b := lines("begin:vcalendar", "PRODID:two", "VERSION:2.0", "BEGIN:VEVENT", "CATEGORIES:Home", "CATEGORIES:Work",
		"EXDATE;TZID=Europe/Berlin:20260106T100000", "EXDATE;TZID=\"Europe/Berlin\":20260105T100000", "DTSTAMP:20260202T000000Z", "uid:a",
		"attendee;partstat=accepted;cn=\"Ann\":MAILTO:Ann@acme.test", "RRULE:FREQ=WEEKLY;BYDAY=TU,MO", "CLASS:PUBLIC",
		"BEGIN:VALARM", "TRIGGER;RELATED=START:-P0DT0H15M0S", "ACTION:display", "END:VALARM", "DTSTART;TZID=Europe/Berlin:20260101T100000", "END:VEVENT", "END:VCALENDAR")
	pa, _ := one(t, a)
	pb, _ := one(t, b)
	if pa.Digest != pb.Digest {
		t.Error("two spellings of one meaning have two digests")
	}
	for _, change := range [][2]string{{"20260101T100000", "20260101T110000"}, {"Work", "Werk"}, {"ACCEPTED", "DECLINED"}, {"-PT15M", "-PT16M"}, {"MO,TU", "MO,WE"}, {"20260105", "20260112"}} {
		p, _ := one(t, strings.Replace(a, change[0], change[1], 1))
		if p.Digest == pa.Digest {
			t.Errorf("%s instead of %s does not show in the digest", change[1], change[0])
		}
	}
}

func TestTextWithoutAnyObjectIsRefused(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "hello", lines("BEGIN:VCALENDAR", "END:VCALENDAR"), lines("BEGIN:VCARD", "FN:x", "END:VCARD")} {
		if parts, _, err := Prepare([]byte(raw)); err == nil {
			t.Errorf("%q gave %d parts", raw, len(parts))
		}
	}
}

func TestPlacesAreNumbers(t *testing.T) {
	t.Parallel()
	digest := func(geo string) [32]byte {
		parts, _, err := Prepare([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20260101T100000Z\r\nGEO:" + geo + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
		if err != nil || len(parts) != 1 {
			t.Fatal(err)
		}
		return parts[0].Digest
	}
	if digest("52.520000;13.405000") != digest("52.52;13.405") {
		t.Error("zeros at the end of a number mean something")
	}
	if digest("52.52;13.405") == digest("52.52;13.406") || digest("here;there") == digest("here;where") {
		t.Error("two places are one")
	}
}

// A UID that is made up for the second kind of object is nobody else's.
func TestSameUIDOfSeveralKinds(t *testing.T) {
	t.Parallel()
	todo := func(uid string) string {
		return lines("BEGIN:VTODO", "UID:"+uid, "SUMMARY:x", "END:VTODO")
	}
	parts, _ := prepare(t, lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x")+todo("a-vtodo")+lines("BEGIN:VEVENT", "UID:a", "DTSTART:20260103T110000Z", "END:VEVENT")+todo("a")+lines("END:VCALENDAR"))
	var uids []string
	for _, p := range parts {
		uids = append(uids, p.UID)
	}
	if want := []string{"a-vtodo", "a", "a-vtodo-2"}; !slices.Equal(uids, want) {
		t.Errorf("%q, want %q", uids, want)
	}
}
