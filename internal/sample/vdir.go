package sample

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

// What each account has beside its mail: some texts that clients have written,
// and these.
const (
	vdirEvents   = 24
	vdirContacts = 14
	vdirFiles    = 10
)

// WriteVdir writes calendars, address books and files of every account below
// dir, as vdirsyncer keeps them:
//
//	calendars/anna@acme.test/work     made-000001.ics …; displayname and color beside them
//	contacts/anna@acme.test/people    made-000001.vcf …
//	files/anna@acme.test/Documents    …
//
// What the usual clients have written is dealt out among the accounts, so that
// each text is there once. It returns how many files of each there are.
func (o *Organisation) WriteVdir(dir string) (events, contacts, files int, err error) {
	written := map[string][]Object{"calendars": CalendarObjects(), "contacts": Cards()}
	for i, a := range o.Accounts {
		dealt := func(kind string) iter.Seq[Object] {
			return func(yield func(Object) bool) {
				for k := i; k < len(written[kind]); k += len(o.Accounts) {
					if !yield(written[kind][k]) {
						return
					}
				}
			}
		}
		seed := o.Options.Seed + uint64(a.number)
		for _, c := range []struct {
			kind, name, displayName, color, ending string
			count                                  *int
			objects                                []iter.Seq[Object]
		}{
			{"calendars", "work", "Work & travel", "#1e88e5", ".ics", &events, []iter.Seq[Object]{Events(vdirEvents, seed)}},
			{"calendars", "clients", "Aus anderen Programmen", "#43a047", ".ics", &events, []iter.Seq[Object]{dealt("calendars")}},
			{"contacts", "people", "People", "", ".vcf", &contacts, []iter.Seq[Object]{Contacts(vdirContacts, seed), dealt("contacts")}},
		} {
			n, err := writeCollection(filepath.Join(dir, c.kind, a.Login, c.name), c.displayName, c.color, c.ending, c.objects)
			if err != nil {
				return 0, 0, 0, fmt.Errorf("sample %s of %s: %w", c.kind, a.Login, err)
			}
			*c.count += n
		}
		for f := range Files(vdirFiles, seed) {
			if err := f.write(filepath.Join(dir, "files", a.Login)); err != nil {
				return 0, 0, 0, fmt.Errorf("sample files of %s: %w", a.Login, err)
			}
			files++
		}
	}
	return events, contacts, files, nil
}

func writeCollection(dir, name, color, ending string, all []iter.Seq[Object]) (n int, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	about := map[string]string{"displayname": name, "color": color}
	for file, text := range about {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text+"\n"), 0o644); err != nil {
			return 0, err
		}
	}
	for _, objects := range all {
		for o := range objects {
			if err := os.WriteFile(filepath.Join(dir, o.Name+ending), o.Text, 0o644); err != nil {
				return 0, err
			}
			n++
		}
	}
	return n, nil
}

// write writes a file and the folders that it is in.
func (f File) write(dir string) error {
	path := filepath.Join(slices.Insert(slices.Clone(f.Path), 0, dir)...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, f.Content(), 0o644); err != nil {
		return err
	}
	return os.Chtimes(path, f.Modified, f.Modified)
}
