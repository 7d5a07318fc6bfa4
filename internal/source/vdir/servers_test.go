package vdir

import (
	"os"
	"path/filepath"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// What Radicale and Xandikos keep beside the objects of a collection says what
// it is, how it is called and which files belong to it.
func TestFoldersOfServers(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(root, "anna", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("b1/.Radicale.props", `{"tag": "VCALENDAR", "D:displayname": "Büro", "C:calendar-description": "Ours", "ICAL:calendar-color": "#AABBCCFF", "ICAL:calendar-order": "3", "C:supported-calendar-component-set": "VEVENT,VTODO"}`)
	write("b1/without a suffix", "x")
	write("b1/with.ics", "x")
	write("b1/with.ics~", "a copy")
	write("b1/.Radicale.cache/item/with.ics", "x")
	write("b2/.Radicale.props", `{"tag": "VADDRESSBOOK", "D:displayname": "Nobody yet", "INF:addressbook-color": "#112233"}`)
	write("b3/.Radicale.props", `{"tag": "VSUBSCRIBED", "D:displayname": "Holidays", "CS:source": "https://holidays.test/de.ics"}`)
	write("b4/.Radicale.props", `not JSON`)
	write("b4/a.ics", "x")
	write("x1/.xandikos", "[DEFAULT]\ntype = calendar\ndisplayname = Work = life\ncolor = #334455\n\n[calendar]\norder = 7\n")
	write("x1/a.ics", "x")
	write("x1/README", "x")
	write("x2/.git/config", "[core]\n\tbare = false\n[xandikos]\n\ttype = addressbook\n\tdisplayname = \"People #1\"\n")
	write("x2/.git/description", "Whom we know\n")
	write("x2/a.vcf", "x")

	s := New(Options{Calendars: root + "/%u", Contacts: root + "/%u"})
	st, err := s.Open(t.Context(), model.Account{Login: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	all, errs, err := st.(*Store).ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 {
		t.Fatal(err, errs)
	}
	got := map[string]model.ObjectCollection{}
	for _, c := range all {
		got[c.Kind.String()+" "+c.Path[0]] = c
	}
	if c := got["calendar Büro"]; c.Color != "#AABBCCFF" || c.Description != "Ours" || c.Order != 3 || len(c.Components) != 2 {
		t.Errorf("%+v", c)
	}
	if c := got["calendar Work = life"]; c.Color != "#334455" || c.Order != 7 {
		t.Errorf("%+v", c)
	}
	if c := got["calendar Holidays"]; c.Subscription != "https://holidays.test/de.ics" {
		t.Errorf("%+v", c)
	}
	if c := got["address book Nobody yet"]; c.ID != "b2" {
		t.Errorf("%+v", c)
	}
	if c := got["address book People #1"]; c.Description != "Whom we know" {
		t.Errorf("%+v", c)
	}
	if len(all) != 6 || got["calendar b4"].ID != "b4" {
		t.Errorf("%d collections: %v", len(all), got)
	}
	texts := objects(t, s, "anna")
	for name, want := range map[string]int{"Büro": 2, "Work = life": 1, "b4": 1, "People #1": 1} {
		if len(texts[name]) != want {
			t.Errorf("%s: %v", name, texts[name])
		}
	}
}
