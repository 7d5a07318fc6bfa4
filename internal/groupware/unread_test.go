package groupware_test

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/model"
)

// What the source could not give is asked for again by the next run, without being
// told to; what it gave and nobody can use waits for --retry-refused. Both count,
// and are named.
func TestUnreadIsAskedForAgain(t *testing.T) { both(t, testUnread) }

func testUnread(t *testing.T, s *server) {
	e := newEnv(t, s, "unread")
	e.src.PutCollection("unread", calendar("home", "Home"))
	e.src.PutCollection("unread", model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	e.src.PutCollection("unread", model.ObjectCollection{Kind: model.KindFiles, ID: "docs", Path: []string{"Docs"}})
	e.src.PutObject("unread", model.KindCalendar, "home", "a.ics", ics("event-a", "First"))
	e.src.PutObject("unread", model.KindCalendar, "home", "b.ics", ics("event-b", "First"))
	e.src.PutObject("unread", model.KindCalendar, "home", "bad.ics", "this is no calendar")
	e.src.PutObject("unread", model.KindContacts, "book", "c.vcf", vcf("card-c", "Ada"))
	e.src.PutObject("unread", model.KindFiles, "docs", "d.pdf", "the file")
	fails := func(ids ...string) {
		e.src.Fail = func(call string) error {
			for _, id := range ids {
				if call == "read object "+id {
					return model.Faultf(model.ClassItem, "notTheFile", "a login page")
				}
			}
			return nil
		}
	}
	notes := func(code string) (n int) {
		t.Helper()
		row, err := e.led.Account(t.Context(), "unread", "unread@"+s.domain)
		if err != nil {
			t.Fatal(err)
		}
		all, err := e.led.Notes(t.Context(), row.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, note := range all {
			if note.Code == code {
				n++
			}
		}
		return n
	}

	fails("home/a.ics", "book/c.vcf", "docs/d.pdf")
	for range 2 {
		res := e.must()
		told := strings.Join(e.notes, "\n")
		if res.Calendar.Refused != 2 || res.Contacts.Refused != 1 || res.Files.Refused != 1 {
			t.Errorf("%+v; %s", res, told)
		}
		for _, name := range []string{"home/a.ics", "book/c.vcf", "docs/d.pdf"} {
			if !strings.Contains(told, "|"+name+"|"+groupware.NoteUnreadable+"|") {
				t.Errorf("%s is not named: %s", name, told)
			}
		}
	}
	before := e.src.Reads()
	fails()
	res := e.must()
	if res.Calendar.Created != 1 || res.Contacts.Created != 1 || res.Files.Created != 1 || res.Sum().Refused != 1 || e.src.Reads() != before+3 {
		t.Errorf("%+v after %d reads; %s", res, e.src.Reads()-before, strings.Join(e.notes, "\n"))
	}
	if n := notes(groupware.NoteUnreadable); n != 0 {
		t.Errorf("%d objects are still noted as unreadable", n)
	}
	before = e.src.Reads()
	e.unchanged()
	if n := e.src.Reads() - before; n != 0 {
		t.Errorf("an unchanged run read %d objects", n)
	}

	// A change that cannot be read leaves what is there, counts, and follows.
	e.src.PutObject("unread", model.KindCalendar, "home", "b.ics", ics("event-b", "Second"))
	fails("home/b.ics")
	if res = e.must(); res.Calendar.Refused != 2 || res.Calendar.Changed != 0 {
		t.Errorf("%+v; %s", res, strings.Join(e.notes, "\n"))
	}
	home := e.collections(model.KindCalendar)["Home"]
	if text := e.texts(home)["event-b"]; !strings.Contains(text, "First") {
		t.Errorf("the event is %q", text)
	}
	fails()
	if res = e.must(); res.Calendar.Refused != 1 || res.Calendar.Changed != 1 {
		t.Errorf("%+v; %s", res, strings.Join(e.notes, "\n"))
	}

	// One that moved to where it cannot be read is not removed from where it was.
	e.src.PutCollection("unread", calendar("other", "Other"))
	e.src.MoveObject("unread", model.KindCalendar, "home", "b.ics", "other")
	fails("other/b.ics")
	if res = e.must(); res.Calendar.Removed != 0 || !strings.Contains(e.texts(home)["event-b"], "Second") {
		t.Errorf("%+v; %s", res, strings.Join(e.notes, "\n"))
	}
	fails()
	if res = e.must(); res.Calendar.Moved != 1 || res.Calendar.Removed != 0 || e.texts(e.collections(model.KindCalendar)["Other"])["event-b"] == "" {
		t.Errorf("%+v; %s", res, strings.Join(e.notes, "\n"))
	}

	// One that was refused for its content, and now cannot be read, waits no more.
	fails("home/bad.ics")
	if res = e.must(func(o *groupware.Options) { o.RetryRefused = true }); res.Sum().Refused != 1 {
		t.Errorf("%+v", res)
	}
	if n := notes(groupware.NoteRefused); n != 0 {
		t.Errorf("%d objects are noted as refused", n)
	}
	fails()
	if res = e.must(); res.Sum().Refused != 1 {
		t.Errorf("%+v", res)
	}
	if r, u := notes(groupware.NoteRefused), notes(groupware.NoteUnreadable); r != 1 || u != 0 {
		t.Errorf("%d refused, %d unreadable", r, u)
	}
	e.unchanged()
}
