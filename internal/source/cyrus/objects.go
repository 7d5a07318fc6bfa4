package cyrus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// Calendars, address books and files are mailboxes whose messages are one object
// each (imap/http_dav.h). The database dav.db is only an index of them and is not
// needed.

// notData are mailboxes of calendars that hold none: what is to be answered, what
// was sent, and attachments that events point to.
var notData = map[string]bool{"Inbox": true, "Outbox": true, "Attachments": true}

// ObjectCollections implements source.Objects: the user's own. One whose index
// cannot be read is named among errs.
func (st *Store) ObjectCollections(ctx context.Context) (all []model.ObjectCollection, errs []error, err error) {
	m, err := st.src.mailboxes()
	if err != nil {
		return nil, nil, st.fault("", err)
	}
	annotations, err := st.src.annotated()
	if err != nil {
		return nil, nil, st.fault("", err)
	}
	entries := m.byOwner[st.user]
	if st.acc.Public != nil {
		entries = nil // what belongs to nobody are mailboxes
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		c, ok := st.objectCollection(e, annotationsOf(annotations, e), st.user)
		if !ok {
			continue
		}
		h, err := st.src.indexHeader(e)
		if err != nil {
			f := st.fault(c.ID, err).(*model.Fault)
			f.Class = model.ClassItem
			errs = append(errs, f)
			continue
		}
		if h.version >= 12 {
			c.Fingerprint = cursorOf(h).String()
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b model.ObjectCollection) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), slices.Compare(a.Path, b.Path))
	})
	return all, errs, nil
}

// objectCollection tells of a collection as its reader sees it; ok is false for
// a mailbox that is none.
func (st *Store) objectCollection(e entry, values []annotation, reader string) (c model.ObjectCollection, ok bool) {
	_, below, owned := e.name.owner()
	if !owned || len(below) == 0 || e.deleted {
		return c, false
	}
	c = model.ObjectCollection{ID: e.name.String()}
	switch k := e.content(st.src.opts.Layout.SieveFolder); {
	case k == kindCalendar && len(below) == 2 && below[0] == "#calendars" && !notData[below[1]]:
		c.Kind = model.KindCalendar
		c.Description = own(values, davCalendarText, reader)
		c.Color = strings.TrimSpace(own(values, davColor, reader))
		c.Order, _ = strconv.Atoi(strings.TrimSpace(own(values, davOrder, reader)))
		c.TimeZone = cmp.Or(own(values, davZoneID, reader), own(values, davZone, reader))
		c.Components = components(own(values, davComponents, reader))
		c.Transparent = strings.Contains(strings.ToLower(own(values, davTransparent, reader)), "transparent")
		c.Default = below[1] == "Default"
	case k == kindAddressBook && len(below) == 2 && below[0] == "#addressbooks":
		c.Kind = model.KindContacts
		c.Description = own(values, davBookText, reader)
		c.Color = strings.TrimSpace(own(values, davBookColor, reader))
		c.Default = below[1] == "Default"
	case k == kindFiles && below[0] == "#drive":
		c.Kind = model.KindFiles
		for _, l := range below[1:] {
			c.Path = append(c.Path, mailname.Decode(l))
		}
		return c, true
	default:
		return c, false
	}
	c.Path = []string{cmp.Or(own(values, davDisplayName, reader), mailname.Decode(below[1]))}
	return c, true
}

// components are the bits of what a calendar takes.
func components(s string) (out []string) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return nil
	}
	for bit, name := range []string{"VEVENT", "VTODO", "VJOURNAL"} {
		if n&(1<<bit) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// ObjectChanges implements source.Objects. Removed objects are known by their
// names only as long as their files are there, so whatever has changed, everything
// is listed.
func (st *Store) ObjectChanges(ctx context.Context, c model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error] {
	return func(yield func(model.ObjectChange, error) bool) {
		s, err := st.contents(ctx, c, since)
		if err != nil {
			yield(model.ObjectChange{}, err)
			return
		}
		if s == nil {
			yield(model.ObjectChange{Op: model.OpCheckpoint, Cursor: since}, nil)
			return
		}
		if !yield(model.ObjectChange{Op: model.OpListing}, nil) {
			return
		}
		for _, o := range s.objects {
			if err := ctx.Err(); err != nil {
				yield(model.ObjectChange{}, err)
				return
			}
			if !yield(model.ObjectChange{Op: model.OpUpsert, Object: o.Object}, nil) {
				return
			}
		}
		yield(model.ObjectChange{Op: model.OpCheckpoint, Cursor: s.cursor}, nil)
	}
}

// contents are what a collection holds at one time.
type contents struct {
	id      string
	cursor  string
	place   place
	objects []object // by ID
}

// object is one of them.
type object struct {
	model.Object
	uid  uint32
	part ownPart
}

// contents lists a collection; nil: nothing has changed since the cursor.
func (st *Store) contents(ctx context.Context, c model.ObjectCollection, since string) (*contents, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e, err := st.entry(model.Collection{Native: c.ID})
	if err != nil {
		return nil, err
	}
	p, err := st.src.place(e)
	if err != nil {
		return nil, st.fault(c.ID, err)
	}
	f, err := p.openMeta("cyrus.index")
	if err != nil {
		return nil, st.fault(c.ID, err)
	}
	defer f.Close()
	h, err := readIndexHeader(f, st.src.opts.Pause)
	if err != nil {
		return nil, st.fault(c.ID, err)
	}
	s := &contents{id: c.ID, cursor: cursorOf(h).String(), place: p}
	if h.version < 12 {
		s.cursor = ""
	}
	if since != "" && since == s.cursor {
		return nil, nil
	}
	parts, err := st.ownParts(p, e)
	if err != nil {
		return nil, st.fault(c.ID, err)
	}
	byName := map[string]int{}
	walk := scan{file: f, header: h, pause: st.src.opts.Pause}
	var stop error
	err = walk.run(func(r record) bool {
		if stop = ctx.Err(); stop != nil {
			return false
		}
		if !r.live() {
			return true
		}
		var o object
		var ok bool
		if o, ok, stop = describe(p, c, r); stop != nil || !ok {
			return stop == nil
		}
		if o.part = parts[r.uid]; o.part.patch != nil {
			o.Version += "+" + o.part.version
		}
		// While one is written over, both may be there: the later one counts.
		if i, twice := byName[o.ID]; twice {
			s.objects[i] = o
			return true
		}
		byName[o.ID] = len(s.objects)
		s.objects = append(s.objects, o)
		return true
	})
	switch {
	case stop != nil && ctx.Err() != nil:
		return nil, stop
	case stop != nil || err != nil:
		return nil, st.fault(c.ID, cmp.Or(stop, err))
	case walk.bad > 0:
		return nil, st.fault(c.ID, fmt.Errorf("%w: %s cannot be read", errIndex, plural.Count(walk.bad, "record")))
	}
	slices.SortFunc(s.objects, func(a, b object) int { return cmp.Compare(a.ID, b.ID) })
	st.listed = s
	return s, nil
}

// describe reads the head of an object's file. One whose file cannot be read is
// listed by its number, and reading it says what is wrong with it.
func describe(p place, c model.ObjectCollection, r record) (o object, ok bool, err error) {
	o = object{Object: model.Object{Size: r.size, Modified: r.received}, uid: r.uid}
	o.Version = strconv.FormatUint(uint64(r.uid), 10)
	if r.guid != [20]byte{} {
		o.Version = fmt.Sprintf("%x", r.guid[:12])
	}
	f, err := p.openMessage(uint64(r.uid))
	if errors.Is(err, fs.ErrPermission) {
		return o, false, err
	}
	var part mimePart
	if err == nil {
		part, err = readPart(f)
		f.Close()
	}
	name := part.name
	if err != nil || name == "" {
		name = fmt.Sprintf("message %d", r.uid)
	}
	o.ID = c.ID + "/" + name
	if err == nil {
		o.Size, o.Type = part.size(r.size), part.mediaType
	}
	if c.Kind == model.KindFiles {
		o.Name = name
	}
	return o, true, nil
}

// ReadObjects implements source.Objects.
func (st *Store) ReadObjects(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	s := st.listed
	if now, err := st.cursorNow(c); s == nil || s.id != c.ID || err != nil || now == "" || now != s.cursor {
		if s, err = st.contents(ctx, c, ""); err != nil {
			return err
		}
	}
	for _, ref := range objects {
		if err := ctx.Err(); err != nil {
			return err
		}
		i, ok := slices.BinarySearchFunc(s.objects, ref.ID, func(o object, id string) int { return cmp.Compare(o.ID, id) })
		if !ok {
			if err := fn(ref, nil, st.objectFault(c, ref, fs.ErrNotExist, false)); err != nil {
				return err
			}
			continue
		}
		o := s.objects[i]
		ref.Version = o.Version
		body, closer, err := o.open(s.place)
		if err != nil {
			if err := fn(ref, nil, st.objectFault(c, ref, err, true)); err != nil {
				return err
			}
			continue
		}
		err = fn(ref, body, nil)
		closer.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// cursorNow is a collection's present state.
func (st *Store) cursorNow(c model.ObjectCollection) (string, error) {
	e, err := st.entry(model.Collection{Native: c.ID})
	if err != nil {
		return "", err
	}
	h, err := st.src.indexHeader(e)
	if err != nil || h.version < 12 {
		return "", err
	}
	return cursorOf(h).String(), nil
}

// objectFault is the Fault for one object. listed: the index has it.
func (st *Store) objectFault(c model.ObjectCollection, ref model.ObjectRef, err error, listed bool) error {
	f := &model.Fault{Class: model.ClassItem, Code: "unreadable", Account: st.acc.Login, Collection: c.ID, Item: strings.TrimPrefix(ref.ID, c.ID+"/"), Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission):
		f.Remedy = asOwner
	case errors.Is(err, fs.ErrNotExist) && listed:
		f.Code, f.Err = "lost", errors.New("the index has the object, but its file is missing")
		f.Remedy = "look for it in a backup; the old server cannot show it either"
	case errors.Is(err, fs.ErrNotExist):
		f.Code, f.Err = model.CodeGone, errors.New("it was removed since it was listed")
	}
	return f
}

// SharedObjects implements source.SharedObjects: those of other users that the
// account may see.
func (st *Store) SharedObjects(ctx context.Context) ([]model.ObjectCollection, error) {
	m, err := st.src.mailboxes()
	if err != nil {
		return nil, st.fault("", err)
	}
	annotations, err := st.src.annotated()
	if err != nil {
		return nil, st.fault("", err)
	}
	var out []model.ObjectCollection
	for _, e := range m.all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		owner, _, owned := e.name.owner()
		if !owned || owner == st.user || effective(e.acl, st.user, owner, st.src.implicit, st.src.opts.Member)&model.RightRead == 0 {
			continue
		}
		if c, ok := st.objectCollection(e, annotationsOf(annotations, e), owner); ok {
			out = append(out, c)
		}
	}
	return out, nil
}

var _ interface {
	source.Objects
	source.ObjectRights
	source.SharedObjects
} = (*Store)(nil)
