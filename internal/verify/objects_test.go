package verify_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/verify"
)

func TestObjectsAreJudgedByMeaning(t *testing.T) {
	t.Parallel()
	j := verify.NewObjectJudge(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), "W. Europe Standard Time")
	if j.Zone.String() != "Europe/Berlin" || verify.NewObjectJudge(time.Now(), "Nowhere").Zone != time.UTC {
		t.Errorf("zone %s", j.Zone)
	}
	event := func(lines ...string) string {
		return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	}
	card := func(lines ...string) string {
		return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:F\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n"
	}
	for name, c := range map[string]struct {
		kind model.Kind
		a, b string
		want verify.Verdict
		word string
	}{
		"the same":         {model.KindCalendar, event("DTSTART:20260302T100000Z", "SUMMARY:x"), event("SUMMARY:x", "DTSTART:20260302T100000Z", "DTSTAMP:20260101T000000Z"), verify.Exact, ""},
		"explained":        {model.KindCalendar, event("DTSTART:20260302T100000Z"), event("DTSTART:20260302T100000Z", "STATUS:CONFIRMED"), verify.Explained, "STATUS"},
		"another title":    {model.KindCalendar, event("DTSTART:20260302T100000Z", "SUMMARY:x"), event("DTSTART:20260302T100000Z", "SUMMARY:y"), verify.Differs, "SUMMARY"},
		"floating":         {model.KindCalendar, event("DTSTART:20260302T100000"), event("DTSTART;TZID=Europe/Berlin:20260302T100000"), verify.Differs, "DTSTART"},
		"the same card":    {model.KindContacts, card("TEL;TYPE=HOME,VOICE:1"), card("TEL;TYPE=home:1"), verify.Exact, ""},
		"another number":   {model.KindContacts, card("TEL:1"), card("TEL:2"), verify.Differs, "TEL"},
		"JSContact's word": {model.KindContacts, card(), card(`JSPROP;JSPTR="x":1`), verify.Explained, "JSPROP"},
	} {
		a, aerr := verify.ReadObjects(c.kind, []byte(c.a))
		b, berr := verify.ReadObjects(c.kind, []byte(c.b))
		got, err := j.Event(a.Events["u"], b.Events["u"]), errors.Join(aerr, berr)
		if c.kind == model.KindContacts {
			got = j.Card(a.Cards["u"], b.Cards["u"])
		}
		words := strings.Join(append(got.Real, got.Explained...), "; ")
		if err != nil || got.Verdict != c.want || !strings.Contains(words, c.word) {
			t.Errorf("%s: %v, %d: %s", name, err, got.Verdict, words)
		}
	}
	if _, err := verify.ReadObjects(model.KindContacts, []byte("nothing")); model.ClassOf(err) != model.ClassItem {
		t.Errorf("no card: %v", err)
	}
	sum, err := verify.HashFile(t.Context(), strings.NewReader("abc"))
	if other, _ := verify.HashFile(t.Context(), strings.NewReader("abd")); err != nil || sum == other {
		t.Errorf("%x, %x, %v", sum, other, err)
	}
}
