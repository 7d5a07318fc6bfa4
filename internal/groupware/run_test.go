package groupware_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// Given calendars, an address book and files, a run brings them over, a second
// one does nothing, and each change of the source arrives.
func TestConverge(t *testing.T) { both(t, testConverge) }

func testConverge(t *testing.T, s *server) {
	e := newEnv(t, s, "anna")
	home := calendar("home", "Zuhause")
	home.Default, home.Color, home.TimeZone, home.Description = true, "#ff8000ff", "Europe/Berlin", "Alles Private"
	e.src.PutCollection("anna", home)
	work := calendar("work", "Work")
	work.Transparent, work.Order = true, 3
	e.src.PutCollection("anna", work)
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Freunde & Bekannte"}, Default: true})
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindFiles, ID: ""})
	e.src.PutCollection("anna", model.ObjectCollection{Kind: model.KindFiles, ID: "docs", Path: []string{"Meine Dokumente"}})
	for i := range 30 {
		e.src.PutObject("anna", model.KindCalendar, "home", fmt.Sprintf("e%d.ics", i), ics(fmt.Sprintf("event-%d", i), fmt.Sprintf("Event %d", i)))
	}
	e.src.PutObject("anna", model.KindCalendar, "work", "j.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VJOURNAL\r\nUID:journal-1\r\nDTSTAMP:20260101T100000Z\r\nSUMMARY:Diary\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n")
	e.src.PutObject("anna", model.KindCalendar, "work", "bad.ics", "this is no calendar")
	e.src.PutObject("anna", model.KindContacts, "book", "a.vcf", vcf("card-1", "Ada"))
	e.src.PutObject("anna", model.KindFiles, "", "top.txt", "at the top")
	e.src.PutFile("anna", model.KindFiles, "docs", "Brief an Jörg.txt", "Hallo Jörg", time.Date(2019, 1, 1, 10, 0, 0, 0, time.UTC))
	e.src.PutObject("anna", model.KindFiles, "docs", "big.bin", strings.Repeat("0123456789abcdef", 200_000))
	res := e.must()
	if res.Calendar.Created != 31 || res.Contacts.Created != 1 || res.Files.Created != 3 || res.Calendar.Refused != 1 {
		t.Fatalf("created %+v; %s", res, strings.Join(e.notes, "\n"))
	}
	cals := e.collections(model.KindCalendar)
	if got := keys(cals); got != "Work Zuhause" {
		t.Errorf("calendars: %s", got)
	}
	if c := cals["Zuhause"]; !c.Default || c.Color != "#ff8000" || c.TimeZone != "Europe/Berlin" || c.Description != "Alles Private" || !c.Subscribed {
		t.Errorf("the default calendar is %+v", c)
	}
	if c := cals["Work"]; !c.Transparent || c.Order != 3 || !c.Subscribed {
		t.Errorf("the work calendar is %+v", c)
	}
	if n := len(e.texts(cals["Zuhause"])); n != 30 {
		t.Errorf("%d events in the default calendar", n)
	}
	if got := keys(e.texts(cals["Work"])); got != "journal-1" {
		t.Errorf("work holds %s", got)
	}
	folder := e.collections(model.KindFiles)["Meine Dokumente"]
	files := e.texts(folder)
	if files["Brief an Jörg.txt"] != "Hallo Jörg" || len(files["big.bin"]) != 3_200_000 {
		t.Errorf("files: %s", keys(files))
	}
	e.reachable(t, "Meine%20Dokumente/Brief%20an%20J%C3%B6rg.txt", "Hallo Jörg", "Tue, 01 Jan 2019 10:00:00 GMT")
	e.unchanged()

	// Changes of the source.
	e.src.PutObject("anna", model.KindCalendar, "home", "e3.ics", ics("event-3", "Moved to noon"))
	e.src.RemoveObject("anna", model.KindCalendar, "home", "e4.ics")
	e.src.MoveObject("anna", model.KindCalendar, "home", "e5.ics", "work")
	e.src.PutObject("anna", model.KindContacts, "book", "a.vcf", vcf("card-1", "Ada Lovelace"))
	e.src.PutObject("anna", model.KindFiles, "docs", "Brief an Jörg.txt", "Hallo Jörg, nochmal")
	e.src.MoveObject("anna", model.KindFiles, "docs", "big.bin", "")
	work.Path, work.Color = []string{"Büro"}, "#123456"
	e.src.PutCollection("anna", work)
	res = e.must()
	if c := res.Calendar; c.Changed != 1 || c.Removed != 1 || c.Moved != 1 || c.Created != 0 || c.Collections != 1 {
		t.Errorf("calendars: %+v; %s", c, strings.Join(e.notes, "\n"))
	}
	if res.Contacts.Changed != 1 || res.Files.Changed != 1 || res.Files.Moved != 1 || res.Files.Removed != 0 {
		t.Errorf("contacts and files: %+v; %s", res, strings.Join(e.notes, "\n"))
	}
	cals = e.collections(model.KindCalendar)
	if cals["Büro"].Color != "#123456" {
		t.Errorf("the renamed calendar: %+v of %s", cals["Büro"], keys(cals))
	}
	if texts := e.texts(cals["Zuhause"]); len(texts) != 28 || !strings.Contains(texts["event-3"], "Moved to noon") {
		t.Errorf("events: %s", keys(texts))
	}
	if got := keys(e.texts(cals["Büro"])); got != "event-5 journal-1" {
		t.Errorf("the renamed calendar holds %s", got)
	}
	e.unchanged()

	// A collection that goes with all it holds.
	e.src.RemoveCollection("anna", model.KindCalendar, "work")
	res = e.must()
	if res.Calendar.Removed != 2 || res.Calendar.Collections != 1 || keys(e.collections(model.KindCalendar)) != "Zuhause" {
		t.Errorf("a calendar removed: %+v, left %s", res.Calendar, keys(e.collections(model.KindCalendar)))
	}
	e.unchanged()
	if n := s.sent(t); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

// reachable asks for a file as its user's WebDAV client does.
func (e *env) reachable(t *testing.T, path, content, modified string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, e.s.url+"/dav/file/"+e.name+"%40"+e.s.domain+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(e.name+"@"+e.s.domain, "Correct-Horse-7391")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(raw) != content || resp.Header.Get("Last-Modified") != modified {
		t.Errorf("GET %s: %s, %q, %q, %v; want %q of %s", path, resp.Status, raw, resp.Header.Get("Last-Modified"), err, content, modified)
	}
}

// An old Stalwart does not say which calendar is its default; it is called as
// the new one's, and becomes that.
func TestDefaultThatNobodyTells(t *testing.T) { both(t, testDefaultThatNobodyTells) }

func testDefaultThatNobodyTells(t *testing.T, s *server) {
	e := newEnv(t, s, "anna")
	var name string
	for n, c := range e.collections(model.KindCalendar) {
		if c.Default {
			name = n
		}
	}
	e.src.PutCollection("anna", calendar("default", name))
	e.src.PutObject("anna", model.KindCalendar, "default", "a.ics", ics("a", "A"))
	e.must()
	all, err := e.at().ObjectCollections(t.Context(), model.KindCalendar)
	if err != nil || len(all) != 1 || keys(e.texts(all[0])) != "a" {
		t.Errorf("%q: %+v, %v", name, all, err)
	}
}
