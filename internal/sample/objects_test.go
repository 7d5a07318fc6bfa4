package sample_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/vcard"
)

func TestWrittenObjectsAreNamedAfterTheirClients(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, o := range append(sample.CalendarObjects(), sample.Cards()...) {
		if seen[o.Name] || len(o.Text) == 0 || !bytes.HasSuffix(o.Text, []byte("\r\n")) {
			t.Errorf("%q: %q", o.Name, o.Text)
		}
		seen[o.Name] = true
		if !slices.Contains([]string{"outlook", "exchange", "google", "apple", "thunderbird", "evolution", "nextcloud", "radicale", "nokia"}, o.Client()) {
			t.Errorf("%q is of nobody", o.Name)
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d", len(seen))
	}
}

func TestMadeObjectsNeedNoRepair(t *testing.T) {
	t.Parallel()
	uids := map[string]bool{}
	for o := range sample.Events(500, 7) {
		parts, remarks, err := icalendar.Prepare(o.Text)
		if err != nil || len(parts) != 1 || len(remarks) > 0 || !bytes.Equal(parts[0].Text, o.Text) || uids[parts[0].UID] {
			t.Fatalf("%s: %d parts, %v, %+v\n%s", o.Name, len(parts), err, remarks, o.Text)
		}
		uids[parts[0].UID] = true
	}
	for o := range sample.Contacts(200, 7) {
		cards, remarks, err := vcard.Prepare(o.Text)
		if err != nil || len(cards) != 1 || len(remarks) > 0 || !bytes.Equal(cards[0].Text, o.Text) || uids[cards[0].UID] {
			t.Fatalf("%s: %d cards, %v, %+v\n%s", o.Name, len(cards), err, remarks, o.Text)
		}
		uids[cards[0].UID] = true
	}
}

func TestMadeThingsAreEqualForOneSeed(t *testing.T) {
	t.Parallel()
	all := func(seed uint64) string {
		var b strings.Builder
		for o := range sample.Events(50, seed) {
			b.Write(o.Text)
		}
		for o := range sample.Contacts(20, seed) {
			b.Write(o.Text)
		}
		paths := map[string]bool{}
		for f := range sample.Files(50, seed) {
			p := strings.Join(f.Path, "/")
			if paths[p] || len(f.Content()) != f.Size() {
				t.Errorf("%s: twice, or not of its size", p)
			}
			paths[p] = true
			b.WriteString(p)
			b.Write(f.Content())
		}
		return b.String()
	}
	if all(1) != all(1) {
		t.Error("two runs differ")
	}
	if all(1) == all(2) {
		t.Error("two seeds give the same")
	}
}

func TestVdirHoldsEachTextOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	org := sample.New(sample.Options{Accounts: 5})
	events, contacts, files, err := org.WriteVdir(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{}
	for _, o := range sample.CalendarObjects() {
		want[o.Name+".ics"] = o.Text
	}
	for _, o := range sample.Cards() {
		want[o.Name+".vcf"] = o.Text
	}
	seen, accounts := map[string]int{}, map[string]bool{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		at, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		parts := strings.Split(at, string(filepath.Separator))
		accounts[parts[1]] = true
		text, err := os.ReadFile(path)
		if w, ok := want[d.Name()]; ok {
			if !bytes.Equal(w, text) {
				t.Errorf("%s is another text", at)
			}
			delete(want, d.Name())
		}
		if name := d.Name(); name != "displayname" && name != "color" {
			seen[parts[0]]++
		}
		return err
	})
	if err != nil || len(want) > 0 || len(accounts) != 5 {
		t.Errorf("%v; missing %d texts; accounts %v", err, len(want), accounts)
	}
	if seen["calendars"] != events || seen["contacts"] != contacts || seen["files"] != files {
		t.Errorf("%v, not %d, %d, %d", seen, events, contacts, files)
	}
}
