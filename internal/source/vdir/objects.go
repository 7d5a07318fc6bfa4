package vdir

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// ObjectChanges implements source.Objects. A disk tells only what there is: an
// unchanged folder yields nothing, another is listed.
func (st *Store) ObjectChanges(ctx context.Context, c model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error] {
	return func(yield func(model.ObjectChange, error) bool) {
		h, err := st.home(c.Kind)
		if err != nil {
			yield(model.ObjectChange{}, err)
			return
		}
		all, cursor, err := st.list(ctx, h, c, since)
		if err != nil {
			yield(model.ObjectChange{}, err)
			return
		}
		if cursor != since && !yield(model.ObjectChange{Op: model.OpListing}, nil) {
			return
		}
		for _, o := range all {
			if ctx.Err() != nil {
				yield(model.ObjectChange{}, context.Cause(ctx))
				return
			}
			if !yield(model.ObjectChange{Op: model.OpUpsert, Object: o}, nil) {
				return
			}
		}
		yield(model.ObjectChange{Op: model.OpCheckpoint, Cursor: cursor}, nil)
	}
}

// list returns the objects of a collection and its fingerprint now; none when
// that is the cursor.
func (st *Store) list(ctx context.Context, h home, c model.ObjectCollection, since string) ([]model.Object, string, error) {
	if ctx.Err() != nil {
		return nil, "", context.Cause(ctx)
	}
	at := h.at(c.ID)
	info, err := os.Stat(at)
	if err == nil && !info.IsDir() {
		return st.listExport(h, c, since)
	}
	w := &walk{st: st, h: h}
	var entries []entry
	if err == nil {
		entries, err = w.entries(c.ID)
	}
	if err != nil {
		f := st.fault(err, strings.Join(c.Path, "/"), "")
		f.Class = model.ClassAccount
		return nil, "", f
	}
	cursor := fingerprint(entries)
	if cursor == since {
		return nil, cursor, nil
	}
	var out []model.Object
	var says about
	if c.Kind != model.KindFiles {
		says = h.about(c.ID)
	}
	for _, e := range entries {
		if e.info.IsDir() || c.Kind != model.KindFiles && !says.mine(c.Kind, e.name) {
			continue
		}
		if c.Kind != model.KindFiles && c.ID == "." {
			if many, err := w.isExport(e.name); err == nil && many {
				continue // it is a collection of its own
			}
		}
		o := model.Object{ObjectRef: model.ObjectRef{ID: join(c.ID, e.name), Version: version(e.info)}, Size: e.info.Size(), Modified: e.info.ModTime().UTC()}
		switch c.Kind {
		case model.KindFiles:
			o.Name = shown(e.name)
		case model.KindCalendar:
			o.Type = "text/calendar"
		case model.KindContacts:
			o.Type = "text/vcard"
		}
		if !e.info.Mode().IsRegular() {
			o.Size = -1
		}
		out = append(out, o)
	}
	return out, cursor, nil
}

// openExport opens and indexes the file that a collection is.
func (st *Store) openExport(h home, c model.ObjectCollection) (*os.File, *export, string, error) {
	f, err := h.dirs.Open(h.at(c.ID))
	if err != nil {
		return nil, nil, "", err
	}
	info, err := f.Stat()
	var x *export
	if err == nil {
		x, err = readExport(f, c.Kind)
	}
	if err != nil {
		f.Close()
		return nil, nil, "", err
	}
	return f, x, fingerprint([]entry{{filepath.Base(h.at(c.ID)), info}}), nil
}

func (st *Store) listExport(h home, c model.ObjectCollection, since string) ([]model.Object, string, error) {
	f, x, cursor, err := st.openExport(h, c)
	if err != nil {
		g := st.fault(err, strings.Join(c.Path, "/"), "")
		g.Class = model.ClassAccount
		return nil, "", g
	}
	defer f.Close()
	if cursor == since {
		return nil, cursor, nil
	}
	var out []model.Object
	for _, p := range x.pieces {
		o := model.Object{ObjectRef: model.ObjectRef{ID: p.id(c.ID), Version: p.version}, Size: p.size(), Type: "text/calendar"}
		if c.Kind == model.KindContacts {
			o.Type = "text/vcard"
		}
		out = append(out, o)
	}
	return out, cursor, nil
}

// ReadObjects implements source.Objects.
func (st *Store) ReadObjects(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	h, err := st.home(c.Kind)
	if err != nil {
		return err
	}
	collection := strings.Join(c.Path, "/")
	if info, err := os.Stat(h.at(c.ID)); err == nil && !info.IsDir() {
		return st.readExport(ctx, h, c, objects, fn)
	}
	for _, o := range objects {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		content, v, done, err := st.file(h, o)
		if err != nil {
			err = fn(o, nil, st.fault(err, collection, path.Base(o.ID)))
		} else {
			err = fn(model.ObjectRef{ID: o.ID, Version: v}, content, nil)
			done()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file opens one object of a folder.
func (st *Store) file(h home, o model.ObjectRef) (c *source.Content, v string, done func(), err error) {
	f, err := h.dirs.Open(h.at(o.ID))
	if err != nil {
		return nil, "", nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, "", nil, err
	}
	// One that grows meanwhile is read as far as it was.
	return &source.Content{Reader: io.LimitReader(f, info.Size()), Size: info.Size()}, version(info), func() { f.Close() }, nil
}

func (st *Store) readExport(ctx context.Context, h home, c model.ObjectCollection, objects []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	f, x, _, err := st.openExport(h, c)
	if err != nil {
		return st.fault(err, strings.Join(c.Path, "/"), "")
	}
	defer f.Close()
	known := map[string]piece{}
	for _, p := range x.pieces {
		known[p.id(c.ID)] = p
	}
	for _, o := range objects {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p, ok := known[o.ID]
		if !ok {
			err = fn(o, nil, st.fault(&model.Fault{Class: model.ClassItem, Code: model.CodeGone, Err: errors.New("it is not in the file any more")}, strings.Join(c.Path, "/"), o.ID))
		} else {
			err = fn(model.ObjectRef{ID: o.ID, Version: p.version}, &source.Content{Reader: p.reader(f), Size: p.size()}, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
