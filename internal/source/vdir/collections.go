package vdir

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
)

// suffixes are what the names of a kind's objects end in. Those of vCalendar 1.0
// and of vCards by other names are not vdir's own, but exports have them.
var suffixes = map[model.Kind][]string{model.KindCalendar: {".ics", ".ical", ".icalendar", ".vcs"}, model.KindContacts: {".vcf", ".vcard"}}

// named reports that a file is an object of a kind by its name.
func named(kind model.Kind, name string) bool {
	return slices.Contains(suffixes[kind], strings.ToLower(filepath.Ext(name)))
}

// settings of a folder, each a file (vdir).
var settingFiles = []string{"displayname", "color", "description", "order"}

// ObjectCollections implements source.Objects.
func (st *Store) ObjectCollections(ctx context.Context) (all []model.ObjectCollection, errs []error, err error) {
	for _, h := range st.homes {
		w := &walk{st: st, h: h}
		switch {
		case h.err != nil:
			f := st.fault(h.err, h.path, "")
			if f.Code == model.CodeGone {
				f.Code, f.Remedy = source.CodeNoHome, "if the account has none, that is as it should be; else correct source.vdir"
			}
			w.errs = append(w.errs, f)
		case h.kind == model.KindFiles:
			err = w.tree(ctx, ".", nil)
		case h.file:
			w.export(".", filepath.Base(h.path))
		default:
			err = w.collections(ctx)
		}
		if err != nil {
			return nil, nil, err
		}
		all, errs = append(all, w.all...), append(errs, w.errs...)
	}
	return all, errs, nil
}

// walk gathers the collections of one home.
type walk struct {
	st   *Store
	h    home
	all  []model.ObjectCollection
	errs []error
}

func (w *walk) fail(err error, name string) { w.errs = append(w.errs, w.st.fault(err, name, "")) }

// entries lists a folder, sorted by name. What cannot be moved as a folder or
// file is told.
func (w *walk) entries(id string) (out []entry, err error) {
	names, err := w.h.dirs.Names(w.h.at(id))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, n := range names {
		at := filepath.Join(w.h.at(id), n)
		info, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it vanished since
		}
		if err != nil {
			w.fail(err, n)
			continue
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			if to, err := os.Stat(at); err == nil && to.IsDir() {
				w.errs = append(w.errs, &model.Fault{Class: model.ClassItem, Code: "link", Account: w.st.acc.Login, Collection: n, Err: fmt.Errorf("%s is a link to a folder", at),
					Remedy: "if it shall be moved, mount the folder (mount --bind) in place of the link"})
				continue
			}
		}
		out = append(out, entry{n, info})
	}
	return out, nil
}

type entry struct {
	name string
	info fs.FileInfo
}

// hidden: dot files and temporary ones are no items (vdir).
func hidden(name string) bool { return name[0] == '.' || strings.HasSuffix(name, ".tmp") }

func (w *walk) collections(ctx context.Context) error {
	entries, err := w.entries(".")
	if err != nil {
		w.fail(err, w.h.path)
		return nil
	}
	own := false // the home holds objects of its own
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		switch {
		case hidden(e.name):
		case e.info.IsDir():
			w.folder(join(".", e.name), e.name)
		case named(w.h.kind, e.name):
			if many, err := w.isExport(e.name); err == nil && many {
				w.export(join(".", e.name), e.name)
			} else {
				own = true
			}
		}
	}
	if own {
		w.folder(".", filepath.Base(w.h.path))
	}
	return nil
}

// folder takes a folder of objects. One that holds only the other kind's is
// none.
func (w *walk) folder(id, name string) {
	entries, err := w.entries(id)
	if err != nil {
		w.fail(err, name)
		return
	}
	mine, others := 0, 0
	for _, e := range entries {
		switch {
		case named(w.h.kind, e.name):
			mine++
		case named(model.KindCalendar, e.name), named(model.KindContacts, e.name):
			others++
		}
	}
	says := w.h.about(id)
	if says.kind != 0 && says.kind != w.h.kind || says.kind == 0 && mine == 0 && others > 0 {
		return
	}
	meta := func(name string) string {
		f, err := w.h.dirs.Open(filepath.Join(w.h.at(id), name))
		if err != nil {
			return "" // it need not be there
		}
		defer f.Close()
		b, _ := io.ReadAll(io.LimitReader(f, 64<<10)) // a broken one says nothing
		return strings.TrimSpace(strings.ToValidUTF8(string(b), "\ufffd"))
	}
	c := model.ObjectCollection{Kind: w.h.kind, ID: id, Path: []string{cmp.Or(meta("displayname"), says.name, shown(name))},
		Color: cmp.Or(meta("color"), strings.TrimSpace(says.color)), Description: cmp.Or(meta("description"), says.description),
		TimeZone: says.zone, Components: says.components, Subscription: says.subscription}
	if n, err := strconv.Atoi(cmp.Or(meta("order"), says.order)); err == nil {
		c.Order = n
	}
	c.Fingerprint = fingerprint(entries)
	w.all = append(w.all, c)
	w.leftOut(c, says, entries)
}

// leftOut tells of what lies in a collection and is not moved with it: folders
// with objects in them, and files that are none by their names.
func (w *walk) leftOut(c model.ObjectCollection, says about, entries []entry) {
	var strange []string
	tell := func(format string, args ...any) {
		w.st.Tell(model.Damage{Mailbox: strings.Join(c.Path, "/"), Text: fmt.Sprintf(format, args...)})
	}
	for _, e := range entries {
		switch {
		case hidden(e.name):
		case e.info.IsDir() && c.ID != ".":
			names, err := w.h.dirs.Names(w.h.at(join(c.ID, e.name)))
			if err != nil {
				w.fail(err, e.name)
				continue
			}
			n := len(slices.DeleteFunc(names, func(name string) bool { return hidden(name) || !named(c.Kind, name) }))
			if n > 0 {
				tell("the folder %s in it is not moved, for a collection is one folder: %s; move it beside the others", shown(e.name), plural.Count(n, "file"))
			}
		case e.info.IsDir(), says.mine(c.Kind, e.name), strings.HasSuffix(e.name, "~"), slices.Contains(settingFiles, e.name):
		case named(model.KindCalendar, e.name), named(model.KindContacts, e.name): // of the other kind, which may be read from here, too
		default:
			strange = append(strange, shown(e.name))
		}
	}
	if len(strange) > 0 {
		tell("%s left out that no event, task or card is called like; the first is %s", plural.Count(len(strange), "file"), strange[0])
	}
}

// isExport reports that a file is a collection of its own: it has several
// objects, or says what calendar it is.
func (w *walk) isExport(name string) (bool, error) {
	f, err := w.h.dirs.Open(filepath.Join(w.h.path, name))
	if err != nil {
		return false, err
	}
	defer f.Close()
	x, err := readExport(f, w.h.kind)
	return err == nil && (len(x.pieces) > 1 || x.name != ""), err
}

func (w *walk) export(id, name string) {
	f, err := w.h.dirs.Open(w.h.at(id))
	if err != nil {
		w.fail(err, name)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		w.fail(err, name)
		return
	}
	x, err := readExport(f, w.h.kind)
	if err != nil {
		w.fail(err, name)
		return
	}
	c := model.ObjectCollection{Kind: w.h.kind, ID: id, Path: []string{shown(strings.TrimSuffix(name, filepath.Ext(name)))},
		Color: strings.TrimSpace(x.color), Description: x.description, TimeZone: x.zone, Fingerprint: fingerprint([]entry{{name, info}})}
	if x.name != "" {
		c.Path = []string{x.name}
	}
	w.all = append(w.all, c)
}

// tree walks folders of files, parents first.
func (w *walk) tree(ctx context.Context, id string, names []string) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	name := strings.Join(names, "/")
	if w.h.file {
		w.fail(fmt.Errorf("%s is a file, not a folder", w.h.path), name)
		return nil
	}
	entries, err := w.entries(id)
	if err != nil {
		w.fail(err, name)
		return nil
	}
	w.all = append(w.all, model.ObjectCollection{Kind: model.KindFiles, ID: id, Path: names, Fingerprint: fingerprint(entries)})
	for _, e := range entries {
		if e.info.IsDir() {
			if err := w.tree(ctx, join(id, e.name), append(slices.Clone(names), shown(e.name))); err != nil {
				return err
			}
		}
	}
	return nil
}

// shown is a name as its user sees it: old ones were written in Latin-1.
func shown(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for i := range len(name) {
		b.WriteRune(rune(name[i]))
	}
	return b.String()
}

// version of a file.
func version(info fs.FileInfo) string {
	return strconv.FormatInt(info.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36)
}

// fingerprint of a folder changes with its files, also those that name it.
func fingerprint(entries []entry) string {
	h := sha256.New()
	for _, e := range entries {
		if !e.info.IsDir() {
			fmt.Fprintf(h, "%s\x00%s\x00", e.name, version(e.info))
		}
	}
	return "disk:" + hex.EncodeToString(h.Sum(nil)[:12])
}
