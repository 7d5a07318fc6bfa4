package vdir

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// What lies in a collection and is not moved with it is told.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{"work/a.ics": event("a"), "work/b.vcs": event("b"), "work/c.ICAL": event("c"), "work/displayname": "Work", "work/notes.txt": "x", "work/zzz": "x", "work/a.ics~": "x",
		"work/.hidden": "x", "work/2019/d.ics": event("d"), "work/2019/e.ics": event("e"), "work/pictures/f.png": "x", "work/g.vcf": "x", "plain/a.ics": event("f")} {
		path := filepath.Join(root, "anna", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := New(Options{Calendars: root + "/%u"})
	if got := objects(t, s, "anna"); len(got["Work"]) != 3 || len(got["plain"]) != 1 {
		t.Errorf("%v", got)
	}
	st, err := s.Open(t.Context(), model.Account{Login: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	if _, errs, err := st.(source.Objects).ObjectCollections(t.Context()); err != nil || len(errs) > 0 {
		t.Fatal(errs, err)
	}
	var got []string
	for _, d := range st.(source.Damaged).Damage() {
		got = append(got, d.Mailbox+": "+d.Text)
	}
	if want := []string{"Work: the folder 2019 in it is not moved, for a collection is one folder: 2 files; move it beside the others",
		"Work: 2 files left out that no event, task or card is called like; the first is notes.txt"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func event(uid string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:" + uid + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

// An event that stands outside of any calendar is an object all the same.
func TestEventOutsideOfCalendars(t *testing.T) {
	t.Parallel()
	loose := "BEGIN:VEVENT\r\nUID:loose\r\nEND:VEVENT\r\n"
	for _, text := range []string{event("a") + loose, loose + event("a"), event("a") + strings.TrimSuffix(loose, "END:VEVENT\r\n")} {
		x, err := readExport(bytes.NewReader([]byte(text)), model.KindCalendar)
		var uids []string
		if err == nil {
			for _, p := range x.pieces {
				uids = append(uids, p.uid)
			}
		}
		slices.Sort(uids)
		if !slices.Equal(uids, []string{"a", "loose"}) {
			t.Errorf("%q, %v of\n%s", uids, err, text)
		}
	}
}

// broken is a disk that fails after some octets.
type broken struct {
	*bytes.Reader
	after int
	read  int
}

var errDisk = errors.New("input/output error")

func (b *broken) Read(p []byte) (int, error) {
	if b.read >= b.after {
		return 0, errDisk
	}
	n, err := b.Reader.Read(p[:min(len(p), b.after-b.read)])
	b.read += n
	return n, err
}

// A disk that fails in the middle of an export is no shorter export.
func TestBrokenExport(t *testing.T) {
	t.Parallel()
	for kind, text := range map[model.Kind]string{model.KindCalendar: event("a") + event("b"), model.KindContacts: "BEGIN:VCARD\r\nUID:a\r\nEND:VCARD\r\nBEGIN:VCARD\r\nUID:b\r\nEND:VCARD\r\n"} {
		for after := range len(text) {
			if x, err := readExport(&broken{Reader: bytes.NewReader([]byte(text)), after: after}, kind); !errors.Is(err, errDisk) {
				t.Errorf("%s, after %d octets: %+v, %v", kind, after, x, err)
			}
		}
		if _, err := readExport(&broken{Reader: bytes.NewReader([]byte(text)), after: len(text)}, kind); !errors.Is(err, errDisk) {
			t.Errorf("%s, at its end: %v", kind, err)
		}
	}
}
