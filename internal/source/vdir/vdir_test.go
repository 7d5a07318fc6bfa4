package vdir

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

type harness struct {
	root string
	kind model.Kind
	src  *Source
	puts int
}

func (h *harness) Source() source.Source  { return h.src }
func (h *harness) Account() model.Account { return model.Account{Login: "anna"} }
func (h *harness) Kind() model.Kind       { return h.kind }

func (h *harness) Make(t *testing.T, name string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(h.root, "anna", name), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (h *harness) Put(t *testing.T, collection, name string, content []byte) {
	t.Helper()
	path := filepath.Join(h.root, "anna", collection, name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	// The system's clock may tick more slowly than this test writes.
	h.puts++
	at := time.Date(2026, 1, 1, 0, 0, h.puts, 0, time.UTC)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func (h *harness) Delete(t *testing.T, collection, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(h.root, "anna", collection, name)); err != nil {
		t.Fatal(err)
	}
}

// Break puts a link out of the account in the object's place.
func (h *harness) Break(t *testing.T, collection, name string) {
	t.Helper()
	path := filepath.Join(h.root, "anna", collection, name)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", path); err != nil {
		t.Fatal(err)
	}
}

func (h *harness) Snapshot(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(h.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(&b, path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// painted keeps what a user sets in files, as vdir wants it.
type painted struct{ *harness }

func (h painted) Paint(t *testing.T, collection, shown, description, color string) {
	t.Helper()
	for name, text := range map[string]string{"displayname": shown + "\n", "description": description, "color": color} {
		h.Put(t, collection, name, []byte(text))
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			sourcetest.RunObjects(t, func(t *testing.T) sourcetest.ObjectHarness {
				root := t.TempDir()
				if err := os.Mkdir(filepath.Join(root, "anna"), 0o755); err != nil {
					t.Fatal(err)
				}
				path := root + "/%u"
				h := &harness{root: root, kind: kind}
				switch kind {
				case model.KindCalendar:
					h.src = New(Options{Calendars: path})
				case model.KindContacts:
					h.src = New(Options{Contacts: path})
				default:
					h.src = New(Options{Files: path})
					return h
				}
				return painted{h}
			})
		})
	}
}

// objects reads everything of an account: the texts by collection and ID.
func objects(t *testing.T, s *Source, login string) map[string]map[string]string {
	t.Helper()
	st, err := s.Open(t.Context(), model.Account{Login: login})
	if err != nil {
		t.Fatal(err)
	}
	all, errs, err := st.(source.Objects).ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 {
		t.Fatal(err, errs)
	}
	out := map[string]map[string]string{}
	for _, c := range all {
		name := strings.Join(c.Path, "/")
		out[name] = map[string]string{}
		var refs []model.ObjectRef
		for ch, err := range st.(source.Objects).ObjectChanges(t.Context(), c, "") {
			if err != nil {
				t.Fatal(err)
			}
			if ch.Op == model.OpUpsert {
				refs = append(refs, ch.Object.ObjectRef)
			}
		}
		if err := st.(source.Objects).ReadObjects(t.Context(), c, refs, func(r model.ObjectRef, body *source.Content, err error) error {
			if err != nil {
				return err
			}
			b, err := io.ReadAll(body)
			if int64(len(b)) != body.Size {
				t.Errorf("%s: size %d, %d octets", r.ID, body.Size, len(b))
			}
			out[name][r.ID] = string(b)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

const calendarExport = "\ufeffBEGIN:VCALENDAR\r\nPRODID:x\r\nX-WR-CALNAME:Arbeit\\, neu\r\nX-LONG:a\r\n b\r\n" +
	"BEGIN:VTIMEZONE\r\nTZID:Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n" +
	"BEGIN:VTIMEZONE\r\nTZID:Unused\r\nEND:VTIMEZONE\r\n" +
	"BEGIN:VEVENT\r\nUID:se\r\n ries\r\nDTSTART;TZID=\"Berlin\":20260101T100000\r\nRRULE:FREQ=DAILY\r\nBEGIN:VALARM\r\nUID:alarm\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT\r\n" +
	"BEGIN:VTODO\nUID:task\nEND:VTODO\n" +
	"BEGIN:VEVENT\r\nUID:series\r\nRECURRENCE-ID;TZID=Berlin:20260102T100000\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nSUMMARY:nobody\r\nEND:VEVENT\r\n" +
	"END:VCALENDAR\r\n"

func TestCalendarExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "anna.ics"), []byte(calendarExport), 0o644); err != nil {
		t.Fatal(err)
	}
	got := objects(t, New(Options{Calendars: dir + "/%u.ics"}), "anna")["Arbeit, neu"]
	if len(got) != 3 {
		t.Fatalf("%d objects: %q", len(got), got)
	}
	head := "\ufeffBEGIN:VCALENDAR\r\nPRODID:x\r\nX-WR-CALNAME:Arbeit\\, neu\r\nX-LONG:a\r\n b\r\n"
	zone := "BEGIN:VTIMEZONE\r\nTZID:Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
	master := "BEGIN:VEVENT\r\nUID:se\r\n ries\r\nDTSTART;TZID=\"Berlin\":20260101T100000\r\nRRULE:FREQ=DAILY\r\nBEGIN:VALARM\r\nUID:alarm\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT\r\n"
	override := "BEGIN:VEVENT\r\nUID:series\r\nRECURRENCE-ID;TZID=Berlin:20260102T100000\r\nEND:VEVENT\r\n"
	if want := head + zone + master + override + "END:VCALENDAR\r\n"; got[".#series"] != want {
		t.Errorf("the series is\n%q, want\n%q", got[".#series"], want)
	}
	if want := head + "BEGIN:VTODO\nUID:task\nEND:VTODO\nEND:VCALENDAR\r\n"; got[".#task"] != want {
		t.Errorf("the task is %q", got[".#task"])
	}
}

func TestCardExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	home := filepath.Join(dir, "anna")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	one := "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Eins\r\nPHOTO;ENCODING=BASE64:" + strings.Repeat("QUJD", 100_000) + "\r\n\r\nEND:VCARD\r\n"
	two := "BEGIN:VCARD\nVERSION:3.0\nUID:2\nAGENT:\nBEGIN:VCARD\nUID:inner\nEND:VCARD\nFN:Zwei\nEND:VCARD\n"
	three := "BEGIN:VCARD\r\nUID:2\r\nFN:again\r\nEND:VCARD" // no line end, and the UID of another
	for name, text := range map[string]string{"All.vcf": one + "\r\n" + two + three, "single.vcf": "BEGIN:VCARD\r\nUID:9\r\nFN:x\r\nEND:VCARD\r\n", "junk.vcf": "\xff\xfeB\x00E\x00"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got := objects(t, New(Options{Contacts: dir + "/%u"}), "anna")
	all := got["All"]
	if len(all) != 3 || all["All.vcf#2"] != two || all["All.vcf#2%20%282%29"] != three {
		t.Errorf("the export gives %.300q", all)
	}
	for id, text := range all {
		if strings.Contains(id, "no-uid") && text != one {
			t.Errorf("%s has %d octets, want %d", id, len(text), len(one))
		}
	}
	if own := got["anna"]; len(own) != 2 || own["junk.vcf"] != "\xff\xfeB\x00E\x00" {
		t.Errorf("the single files give %q", own)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, d := range []string{"cal/acme.test/anna", "cal/acme.test/ben", "files/acme.test/ben", "files/acme.test/cleo"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	s := New(Options{Calendars: dir + "/cal/%d/%n", Files: dir + "/files/%d/%n"})
	for a, err := range s.Accounts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a.Login)
	}
	if want := "anna@acme.test ben@acme.test cleo@acme.test"; strings.Join(got, " ") != want {
		t.Errorf("accounts %q, want %q", got, want)
	}
	st, err := s.Open(t.Context(), model.Account{Login: "anna@acme.test"})
	if err != nil {
		t.Fatal(err)
	}
	_, errs, err := st.(source.Objects).ObjectCollections(t.Context())
	if err != nil || len(errs) != 1 || model.CodeOf(errs[0]) != "noHome" {
		t.Errorf("an account without files gives %v, %v", errs, err)
	}
}

// Paths of the engagement file may be relative to where mailhaul is run.
func TestRelative(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "cal", "anna", "Work"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	s := New(Options{Calendars: "cal/%u"})
	for a, err := range s.Accounts(t.Context()) {
		if err != nil || a.Login != "anna" {
			t.Errorf("%+v, %v", a, err)
		}
	}
	if got := objects(t, s, "anna"); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func FuzzExport(f *testing.F) {
	f.Add([]byte(calendarExport), true)
	f.Add([]byte("BEGIN:VCARD\nUID:1\nEND:VCARD\n"), false)
	f.Fuzz(func(t *testing.T, text []byte, calendar bool) {
		kind := model.KindContacts
		if calendar {
			kind = model.KindCalendar
		}
		x, err := readExport(strings.NewReader(string(text)), kind)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, p := range x.pieces {
			b, err := io.ReadAll(p.reader(strings.NewReader(string(text))))
			if err != nil || int64(len(b)) != p.size() {
				t.Fatalf("%d octets of %d: %v", len(b), p.size(), err)
			}
			if ids[p.id(".")] {
				t.Fatalf("%q twice", p.id("."))
			}
			ids[p.id(".")] = true
		}
	})
}
