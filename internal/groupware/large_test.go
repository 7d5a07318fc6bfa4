package groupware_test

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/model"
)

// An event with a large attachment and a card with a large photo stay behind with
// the setting that keeps them out. Once that is raised they follow, though the
// migrator's login may not read the server's settings.
func TestLargeObjectsFollowTheLimit(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	e := newEnv(t, s, "anna")
	octets := strings.Repeat("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD", 20_000)
	e.src.PutCollection("anna", calendar("home", "Home"))
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	e.src.PutObject("anna", model.KindCalendar, "home", "large.ics", ics("large", "Large", "ATTACH;ENCODING=BASE64;VALUE=BINARY;FMTTYPE=application/pdf:"+octets))
	e.src.PutObject("anna", model.KindCalendar, "home", "small.ics", ics("small", "Small"))
	e.src.PutObject("anna", model.KindContacts, "book", "photo.vcf", vcf("photo", "Ada", "PHOTO;ENCODING=b;TYPE=JPEG:"+octets))
	res := e.must()
	notes := strings.Join(e.notes, "\n")
	if res.Sum().Refused != 2 || res.Sum().Created != 1 || !strings.Contains(notes, "raise x:Calendar maxICalendarSize") || !strings.Contains(notes, "raise x:AddressBook maxVCardSize") {
		t.Fatalf("%+v\n%s", res, notes)
	}
	for kind, setting := range map[string]string{"x:Calendar/set": "maxICalendarSize", "x:AddressBook/set": "maxVCardSize"} {
		var refused struct{ NotUpdated map[string]any }
		s.call(t, kind, object{"update": object{"singleton": object{setting: 2 << 20}}}, &refused)
		if len(refused.NotUpdated) > 0 {
			t.Fatal(refused)
		}
	}
	var refused struct{ NotCreated map[string]any }
	s.call(t, "x:Action/set", object{"create": object{"r": object{"@type": "ReloadSettings"}}}, &refused)
	if len(refused.NotCreated) > 0 {
		t.Fatal(refused)
	}
	again := func(o *groupware.Options) { o.RetryRefused = true }
	if res := e.must(again); res.Sum().Refused != 0 || res.Sum().Created != 2 {
		t.Errorf("%+v\n%s", res, strings.Join(e.notes, "\n"))
	}
	if got := e.texts(e.collections(model.KindCalendar)["Home"])["large"]; len(got) < len(octets) {
		t.Errorf("%d octets arrived", len(got))
	}
	if got := e.texts(e.collections(model.KindContacts)["Book"])["photo"]; len(got) < len(octets) {
		t.Errorf("%d octets arrived", len(got))
	}
	e.unchanged()
}
