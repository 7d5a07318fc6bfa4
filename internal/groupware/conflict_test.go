package groupware_test

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/model"
)

// edit replaces an object at the destination, as its user does.
func (e *env) edit(c destination.ObjectCollection, uid, text string) {
	e.t.Helper()
	o, err := e.at().FindObject(e.t.Context(), c.Collection, uid)
	if err != nil {
		e.t.Fatal(err)
	}
	w := destination.ObjectWrite{ID: o.ID, Version: o.Version, UID: uid, Content: []byte(text), Size: int64(len(text))}
	if c.Kind == model.KindFiles {
		w.Hash = hashOf(text)
	}
	out, err := e.at().UpdateObjects(e.t.Context(), c.Collection, []destination.ObjectWrite{w})
	if err != nil || out[0].Err != nil {
		e.t.Fatal(err, out[0].Err)
	}
}

func (e *env) remove(c destination.ObjectCollection, uid string) {
	e.t.Helper()
	o, err := e.at().FindObject(e.t.Context(), c.Collection, uid)
	if err != nil {
		e.t.Fatal(err)
	}
	errs, err := e.at().DeleteObjects(e.t.Context(), c.Collection, []destination.Object{o})
	if err != nil || errs[0] != nil {
		e.t.Fatal(err, errs)
	}
}

// What its user changed at the destination stays, and is told.
func TestUsersChangesStay(t *testing.T) { both(t, testUsersChangesStay) }

func testUsersChangesStay(t *testing.T, s *server) {
	e := newEnv(t, s, "user")
	e.fill()
	e.must()
	home, book, docs := e.collections(model.KindCalendar)["Home"], e.collections(model.KindContacts)["Book"], e.collections(model.KindFiles)["Docs"]
	e.edit(home, "event-1", ics("event-1", "Of the user"))
	e.edit(home, "event-2", ics("event-2", "Of the user"))
	e.edit(home, "event-3", ics("event-3", "Of the user"))
	e.edit(home, "event-6", ics("event-6", "The same"))
	e.remove(home, "event-4")
	e.remove(home, "event-5")
	e.edit(book, "card-1", vcf("card-1", "Of the user"))
	e.edit(docs, "1.txt", "Of the user")
	e.edit(docs, "2.txt", "Of the user")
	e.unchanged() // nothing changed at the source

	e.change()
	e.src.PutObject("user", model.KindCalendar, "home", "4.ics", ics("event-4", "Changed"))
	e.src.RemoveObject("user", model.KindCalendar, "home", "5.ics")
	e.src.PutObject("user", model.KindCalendar, "home", "6.ics", ics("event-6", "The same"))
	res := e.must()
	// event-1 and card-1, 1.txt changed on both sides; event-2, 2.txt removed here and
	// edited there; event-4 the other way round.
	if res.Calendar.Kept != 3 || res.Contacts.Kept != 1 || res.Files.Kept != 2 || res.Calendar.Adopted != 1 || res.Calendar.Moved != 1 || res.Calendar.Removed != 0 {
		t.Errorf("kept %+v; %s", res, strings.Join(e.notes, "\n"))
	}
	texts := e.texts(home)
	for _, uid := range []string{"event-1", "event-2"} {
		if !strings.Contains(texts[uid], "Of the user") {
			t.Errorf("%s is %q", uid, texts[uid])
		}
	}
	if texts["event-4"] != "" || texts["event-5"] != "" {
		t.Errorf("what its user deleted is back: %s", keys(texts))
	}
	work := e.texts(e.collections(model.KindCalendar)["Arbeit"])
	if !strings.Contains(work["event-3"], "Of the user") {
		t.Errorf("the moved event lost its user's edit: %q", work["event-3"])
	}
	if files := e.texts(docs); files["1.txt"] != "Of the user" || files["2.txt"] != "Of the user" {
		t.Errorf("files: %v", files)
	}
	e.unchanged()
	e.src.PutObject("user", model.KindCalendar, "home", "1.ics", ics("event-1", "Changed again"))
	if res := e.must(); res.Calendar.Kept != 1 || !strings.Contains(e.texts(home)["event-1"], "Of the user") {
		t.Errorf("a second change of the source: %+v", res)
	}
}

// A calendar's properties are merged one by one.
func TestPropertiesMerge(t *testing.T) { both(t, testPropertiesMerge) }

// What of a calendar does not fit is shortened or left out, and said.
func TestWhatDoesNotFitIsSaid(t *testing.T) {
	t.Parallel()
	e := newEnv(t, startSandbox(t), "anna")
	odd := calendar("odd", strings.Repeat("ä", 130))
	odd.Description, odd.Color, odd.TimeZone = strings.Repeat("x", 300), "mauve", "Nowhere at all"
	e.src.PutCollection("anna", odd)
	book := model.ObjectCollection{Kind: model.KindContacts, ID: "friends", Path: []string{"Friends"}, Color: "tomato"}
	e.src.PutCollection("anna", book)
	short := calendar("short", "Short")
	short.Color = "#F80"
	e.src.PutCollection("anna", short)
	e.must()
	if c := e.collections(model.KindCalendar)["Short"]; c.Color != "#ff8800" {
		t.Errorf("the short colour becomes %q", c.Color)
	}
	all := strings.Join(e.notes, "\n")
	for _, want := range []string{"name is shortened", "description is shortened", `colour "mauve" is none`, "Friends||repaired|its colour #ff6347 is left out", "time zone is known by no name"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said:\n%s", want, all)
		}
	}
	if got := keys(e.collections(model.KindCalendar)); !strings.Contains(got, strings.Repeat("ä", 127)) {
		t.Errorf("calendars: %s", got)
	}
	e.unchanged()
	book.Color = "navy" // no user has changed it at the destination
	e.src.PutCollection("anna", book)
	if res := e.must(); res.Contacts.Kept != 0 {
		t.Errorf("%+v: %s", res, strings.Join(e.notes, "\n"))
	}
}

func testPropertiesMerge(t *testing.T, s *server) {
	e := newEnv(t, s, "props")
	e.fill()
	e.must()
	c := e.collections(model.KindCalendar)["Work"]
	c.Name = "Mine"
	if _, err := e.at().PutObjectCollection(t.Context(), c, ""); err != nil {
		t.Fatal(err)
	}
	work := calendar("work", "Arbeit")
	work.Color, work.Description = "#00ff00", "new"
	e.src.PutCollection("props", work)
	res := e.must()
	got := e.collections(model.KindCalendar)["Mine"]
	if got.Color != "#00ff00" || got.Description != "new" || res.Calendar.Kept != 1 {
		t.Errorf("%+v, %+v; %s", got, res, strings.Join(e.notes, "\n"))
	}
	e.unchanged()
}

// A source that shows nothing any more of what it had removes nothing.
func TestKindThatDisappears(t *testing.T) { both(t, testKindThatDisappears) }

func testKindThatDisappears(t *testing.T, s *server) {
	e := newEnv(t, s, "gone")
	e.fill()
	e.must()
	cards := len(e.texts(e.collections(model.KindContacts)["Book"]))
	e.src.RemoveCollection("gone", model.KindContacts, "book")
	e.src.RemoveCollection("gone", model.KindCalendar, "work")
	res := e.must()
	if note := strings.Join(e.notes, "\n"); res.Sum().Removed != 0 || !strings.Contains(note, "the source shows no address book any more") {
		t.Errorf("%+v\n%s", res, note)
	}
	if now := len(e.texts(e.collections(model.KindContacts)["Book"])); cards == 0 || now != cards {
		t.Errorf("%d cards of %d", now, cards)
	}
	e.must(func(o *groupware.Options) { o.AllowDeletions = true })
	if e.collections(model.KindContacts)["Book"].ID != "" || e.collections(model.KindCalendar)["Work"].ID != "" {
		t.Errorf("there are %s and %s", keys(e.collections(model.KindContacts)), keys(e.collections(model.KindCalendar)))
	}
}

// A source that suddenly shows little removes nothing.
func TestHeldDeletions(t *testing.T) { both(t, testHeldDeletions) }

func testHeldDeletions(t *testing.T, s *server) {
	e := newEnv(t, s, "held")
	home := calendar("home", "Home")
	home.Default = true
	e.src.PutCollection("held", home)
	for i := range 30 {
		e.src.PutObject("held", model.KindCalendar, "home", string(rune('a'+i)), ics("event-"+string(rune('a'+i)), "x"))
	}
	e.must()
	for i := range 25 {
		e.src.RemoveObject("held", model.KindCalendar, "home", string(rune('a'+i)))
	}
	if res := e.must(); res.Calendar.Removed != 0 || !strings.Contains(strings.Join(e.notes, "\n"), groupware.NoteHeld) {
		t.Errorf("removed %+v; %v", res, e.notes)
	}
	if res := e.must(func(o *groupware.Options) { o.AllowDeletions = true }); res.Calendar.Removed != 25 {
		t.Errorf("removed %+v; %v", res, e.notes)
	}
	e.unchanged()
}
