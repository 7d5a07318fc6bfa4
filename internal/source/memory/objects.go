package memory

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// collection is a calendar, address book or folder of files.
type collection struct {
	about   model.ObjectCollection
	objects map[string]*thing
	removed map[string]uint64 // ID → modseq
	grants  []model.ObjectGrant
}

type thing struct {
	about   model.Object
	content []byte
	modseq  uint64
}

func collectionKey(kind model.Kind, id string) string { return fmt.Sprint(kind, " ", id) }

// PutCollection adds a collection of objects, or changes what is told of it.
func (s *Source) PutCollection(login string, c model.ObjectCollection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[login]
	a.modseq++
	if have := a.collections[collectionKey(c.Kind, c.ID)]; have != nil {
		have.about = c
		return
	}
	if a.collections == nil {
		a.collections = map[string]*collection{}
	}
	a.collections[collectionKey(c.Kind, c.ID)] = &collection{about: c, objects: map[string]*thing{}, removed: map[string]uint64{}}
}

// RemoveCollection removes a collection with everything in it.
func (s *Source) RemoveCollection(login string, kind model.Kind, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts[login].collections, collectionKey(kind, id))
}

// PutObject stores an object; its ID is collection + "/" + name.
func (s *Source) PutObject(login string, kind model.Kind, collection, name, content string) {
	s.PutFile(login, kind, collection, name, content, time.Time{})
}

// PutFile is PutObject with a date of the last change.
func (s *Source) PutFile(login string, kind model.Kind, collection, name, content string, modified time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[login]
	a.modseq++
	o := model.Object{ObjectRef: model.ObjectRef{ID: collection + "/" + name, Version: fmt.Sprint("v", a.modseq)}, Size: int64(len(content)), Modified: modified}
	if kind == model.KindFiles {
		o.Name = name
	}
	a.collections[collectionKey(kind, collection)].objects[o.ID] = &thing{about: o, content: []byte(content), modseq: a.modseq}
}

// RemoveObject removes an object.
func (s *Source) RemoveObject(login string, kind model.Kind, collection, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[login]
	a.modseq++
	id := collection + "/" + name
	col := a.collections[collectionKey(kind, collection)]
	delete(col.objects, id)
	col.removed[id] = a.modseq
}

// MoveObject moves an object to another collection.
func (s *Source) MoveObject(login string, kind model.Kind, from, name, to string) {
	s.mu.Lock()
	content := string(s.accounts[login].collections[collectionKey(kind, from)].objects[from+"/"+name].content)
	s.mu.Unlock()
	s.RemoveObject(login, kind, from, name)
	s.PutObject(login, kind, to, name, content)
}

// Objects returns how many objects the account has of a kind.
func (s *Source) Objects(login string, kind model.Kind) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, col := range s.accounts[login].collections {
		if col.about.Kind == kind {
			n += len(col.objects)
		}
	}
	return n
}

// SetObjectRights replaces who may use a collection.
func (s *Source) SetObjectRights(login string, kind model.Kind, id string, grants ...model.ObjectGrant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[login].collections[collectionKey(kind, id)].grants = grants
}

var (
	_ source.Objects      = (*store)(nil)
	_ source.ObjectRights = (*store)(nil)
)

// ObjectCollections implements source.Objects.
func (st *store) ObjectCollections(ctx context.Context) ([]model.ObjectCollection, []error, error) {
	if err := st.s.fail(ctx, "object collections"); model.ClassOf(err) == model.ClassItem && err != nil {
		return nil, []error{err}, nil
	} else if err != nil {
		return nil, nil, err
	}
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	var out []model.ObjectCollection
	for _, col := range st.a.collections {
		c := col.about
		if !st.s.NoDeltas {
			n := uint64(0)
			for _, o := range col.objects {
				n = max(n, o.modseq)
			}
			for _, m := range col.removed {
				n = max(n, m)
			}
			c.Fingerprint = fmt.Sprint(n, " ", len(col.objects))
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b model.ObjectCollection) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		if n := len(a.Path) - len(b.Path); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil, nil
}

func (st *store) collection(c model.ObjectCollection) (*collection, error) {
	if col := st.a.collections[collectionKey(c.Kind, c.ID)]; col != nil {
		return col, nil
	}
	return nil, model.Faultf(model.ClassItem, model.CodeGone, "%s: the %s is gone", c.ID, c.Kind)
}

// ObjectChanges implements source.Objects.
func (st *store) ObjectChanges(ctx context.Context, c model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error] {
	return func(yield func(model.ObjectChange, error) bool) {
		if err := st.s.fail(ctx, "object changes"); err != nil {
			yield(model.ObjectChange{}, err)
			return
		}
		all, err := st.objectChanges(c, since)
		if err != nil {
			yield(model.ObjectChange{}, err)
			return
		}
		for _, ch := range all {
			if !yield(ch, nil) {
				return
			}
		}
	}
}

func (st *store) objectChanges(c model.ObjectCollection, since string) ([]model.ObjectChange, error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	col, err := st.collection(c)
	if err != nil {
		return nil, err
	}
	var seen uint64
	_, err = fmt.Sscanf(since, "%d", &seen)
	var out []model.ObjectChange
	full := err != nil || st.s.NoDeltas
	if full {
		seen = 0
		out = append(out, model.ObjectChange{Op: model.OpListing})
	}
	for _, id := range slices.Sorted(maps.Keys(col.objects)) {
		if o := col.objects[id]; o.modseq > seen {
			out = append(out, model.ObjectChange{Op: model.OpUpsert, Object: o.about})
		}
	}
	if !full {
		for _, id := range slices.Sorted(maps.Keys(col.removed)) {
			if _, back := col.objects[id]; col.removed[id] > seen && !back {
				out = append(out, model.ObjectChange{Op: model.OpRemoved, Object: model.Object{ObjectRef: model.ObjectRef{ID: id}}})
			}
		}
	}
	return append(out, model.ObjectChange{Op: model.OpCheckpoint, Cursor: fmt.Sprint(st.a.modseq)}), nil
}

// ReadObjects implements source.Objects.
func (st *store) ReadObjects(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	for _, ref := range objects {
		err := st.s.fail(ctx, "read object "+ref.ID)
		if err != nil && model.ClassOf(err) != model.ClassItem {
			return err
		}
		var content []byte
		if err == nil {
			st.s.mu.Lock()
			if col, serr := st.collection(c); serr != nil || col.objects[ref.ID] == nil {
				err = model.Faultf(model.ClassItem, model.CodeGone, "%s is gone", ref.ID)
			} else {
				content, ref.Version = col.objects[ref.ID].content, col.objects[ref.ID].about.Version
				st.s.reads++
			}
			st.s.mu.Unlock()
		}
		if err != nil {
			err = fn(ref, nil, err)
		} else {
			err = fn(ref, source.Whole(content), nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ObjectRights implements source.ObjectRights.
func (st *store) ObjectRights(_ context.Context, c model.ObjectCollection) ([]model.ObjectGrant, error) {
	st.s.mu.Lock()
	defer st.s.mu.Unlock()
	col, err := st.collection(c)
	if err != nil {
		return nil, err
	}
	return slices.Clone(col.grants), nil
}
