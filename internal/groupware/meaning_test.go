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
func TestMeaningKept(t *testing.T) { both(t, testMeaningKept) }

func testMeaningKept(t *testing.T, s *server) {
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
	cards := allCards()
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

// cards of many kinds, as lines of a card of version 3.0.
var cardLines = map[string][]string{
	"plain":      {},
	"addresses":  {"ADR;TYPE=HOME:;;Street 1;Wien;;1010;Austria", "ADR;TYPE=WORK;LABEL=\"Road 2, Graz\":PO 7;2nd floor;Road 2;Graz;Styria;8010;Austria", "TEL;TYPE=CELL:+43 1", "TEL;TYPE=WORK,VOICE;TYPE=pref:+43 2", "EMAIL;TYPE=INTERNET,HOME:a@example.test", "EMAIL;TYPE=WORK:b@example.test"},
	"apple":      {"item1.EMAIL;type=INTERNET:ada@example.test", "item1.X-ABLabel:private", "item2.ADR;type=HOME;type=pref:;;Street\\, back;Wien;;1010;Austria", "item2.X-ABADR:at", "item3.URL:https://example.test/a\\,b;c", "item3.X-ABLabel:_$!<HomePage>!$_", "item4.X-ABDATE:2015-09-03", "item4.X-ABLabel:_$!<Anniversary>!$_", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "X-ABShowAs:COMPANY"},
	"photo":      {"PHOTO;ENCODING=b;TYPE=JPEG:" + strings.Repeat("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", 300)},
	"untyped":    {"PHOTO;ENCODING=b:" + strings.Repeat("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", 30)},
	"linked":     {"PHOTO;VALUE=uri:https://example.test/photo.jpg"},
	"binaries":   {"KEY;ENCODING=b;TYPE=PGP:LS0tLS1CRUdJTiBQR1AgUFVCTElDIEtFWSBCTE9DSy0tLS0tCmFiYwo=", "LOGO;ENCODING=b;TYPE=PNG:iVBORw0KGgo/+w==", "SOUND;ENCODING=b;TYPE=WAVE:UklGRv//"},
	"x":          {"X-PHONETIC-FIRST-NAME:eyda", "X-FOO;X-BAR=baz;X-QUX=\"a,b;c\":some\\, text\\; and\\nmore\\\\", "X-JABBER:ada@example.test", "X-EVOLUTION-FILE-AS:Lovelace\\, Ada", "X-MS-OL-DESIGN;CHARSET=utf-8:<card xmlns=\"x\"/>", "X-GENDER:Female"},
	"text":       {"NOTE:Line one\\nLine two\\, and\\; more \\\\ and ünïcode", "ORG:Example\\, Inc.;Unit\\; 2;Team", "TITLE:Dr.\\, rer. nat.", "ROLE:Boss", "NICKNAME:Ada,Addie\\, the", "CATEGORIES:Work,Old\\, friends", "SORT-STRING:Lovelace", "CLASS:PRIVATE", "MAILER:x"},
	"dates":      {"BDAY:1815-12-10", "ANNIVERSARY:18350708", "X-ANNIVERSARY:1835-07-08", "REV:2026-01-01T10:00:00Z"},
	"date":       {"BDAY;VALUE=date:1815-12-10", "X-SPOUSE:William"},
	"moment":     {"BDAY:1815-12-10T10:11:12Z"},
	"circa":      {"BDAY;VALUE=text:circa 1815"},
	"geo":        {"GEO:48.2;16.3", "TZ:+01:00", "URL:https://example.test/?a=1&b=2", "IMPP;X-SERVICE-TYPE=Skype:skype:ada", "X-SOCIALPROFILE;type=twitter;x-user=ada:http://twitter.com/ada"},
	"components": {"N;SORT-AS=\"Lovelace\":Lovelace,King;Ada;Augusta,Noel;Lady;Countess"},
	"several":    {"N:Other;Name;;;", "AGENT:BEGIN:VCARD\\nFN:Agent\\nEND:VCARD\\n", "LABEL;TYPE=HOME:Street 1\\nWien"},
	"group":      {"X-ADDRESSBOOKSERVER-KIND:group", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:ada", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:bob"},
	"eleven":     {"ADR;TYPE=HOME:;;Street 1;Wien;;1010;Austria;;;more;and more"},
	"languages":  {"TITLE;LANGUAGE=de:Leiterin", "TITLE;LANGUAGE=en:Head"},
	"exchange":   {"EMAIL;TYPE=PREF,INTERNET:ada@example.test", "TEL;TYPE=WORK,FAX:+43 3", "X-MS-IMADDRESS:ada", "X-MS-TEL;TYPE=VOICE,COMPANY:+43 4", "FBURL:https://example.test/fb", "CALURI:https://example.test/cal"},
}

// four are lines of a card of version 4.0.
var four = map[string][]string{
	"4-plain":  {"N:Lovelace;Ada;;;", "EMAIL;PREF=1;TYPE=home:ada@example.test", "TEL;VALUE=uri;TYPE=\"voice,cell\":tel:+43-1", "GENDER:F;woman", "LANG;PREF=2:de", "BDAY:--0203", "ANNIVERSARY:20090808T1430-0500", "KIND:individual", "UID2:x"},
	"4-photo":  {"PHOTO:data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", "LOGO;MEDIATYPE=image/png:https://example.test/logo.png", "KEY:data:application/pgp-keys;base64,LS0tLS1CRUdJTg=="},
	"4-group":  {"KIND:group", "MEMBER:urn:uuid:ada", "MEMBER;PREF=1:mailto:bob@example.test"},
	"4-more":   {"RELATED;TYPE=friend:urn:uuid:ada", "RELATED;VALUE=text;TYPE=co-worker:Please ask", "HOBBY;LEVEL=high:chess", "EXPERTISE;LEVEL=expert:maths", "BIRTHPLACE:London", "DEATHPLACE;VALUE=uri:geo:51.5,-0.1", "DEATHDATE:18521127", "TZ;VALUE=text:Europe/London", "GEO:geo:51.5,-0.1", "IMPP;PREF=1:xmpp:ada@example.test", "CLIENTPIDMAP:1;urn:uuid:53e374d9", "EMAIL;PID=4.1,5.1:c@example.test", "SOCIALPROFILE;SERVICE-TYPE=Mastodon:https://example.test/@ada", "PRONOUNS:she/her", "GRAMGENDER:feminine", "CREATED:20200101T000000Z", "XML:<a xmlns=\"urn:x\">b</a>"},
	"4-alt":    {"TITLE;ALTID=1;LANGUAGE=fr:Patron", "TITLE;ALTID=1;LANGUAGE=en:Boss", "ADR;GEO=\"geo:1,2\";LABEL=\"Street 1^nWien\";TYPE=home:;;Street 1;Wien;;1010;Austria", "NOTE;X-A=^'quoted^':x"},
	"4-second": {"FN;LANGUAGE=de;PREF=2:Zweite", "FN;ALTID=1:Third", "ORG;SORT-AS=\"Example,Unit\":The Example;Unit", "CALADRURI:mailto:ada@example.test", "SOURCE:https://example.test/ada.vcf", "SOUND:https://example.test/ada.ogg"},
}

func allCards() map[string]string {
	cards := map[string]string{"named": "BEGIN:VCARD\r\nVERSION:3.0\r\nUID;X-KEPT=yes:named\r\nitem1.FN;LANGUAGE=de;CHARSET=UTF-8:Ada\\, Gräfin\r\nitem1.X-ABLabel:name\r\nN:Lovelace;Ada;;;\r\nEND:VCARD\r\n"}
	for uid, lines := range cardLines {
		cards[uid] = vcf(uid, "Ada "+uid, lines...)
	}
	for uid, lines := range four {
		cards[uid] = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:" + uid + "\r\nFN:Ada\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n"
	}
	return cards
}
