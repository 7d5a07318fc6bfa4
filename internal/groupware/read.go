package groupware

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// batchOctets bounds what one batch holds in memory.
const batchOctets = 8 << 20

// reading is the reader's side of the work on one collection.
type reading struct {
	// here are the objects that the collection holds, by UID.
	here map[string]ledger.Object
	// vanished are those that are gone at the source, anywhere in the account,
	// by UID.
	vanished map[string][]ledger.Object
	*batch   // the one that fills
	full     chan<- *batch
}

// pass hands a batch over to the writer.
func (a *Account) pass(ctx context.Context, r *reading) error {
	b := r.batch
	r.batch = &batch{}
	begun := a.Now()
	defer func() { a.Meter.Blocked(a.Now().Sub(begun)) }()
	select {
	case r.full <- b:
		return nil
	case <-ctx.Done():
		b.drop()
		return context.Cause(ctx)
	}
}

func (a *Account) read(ctx context.Context, c *collection, w *reading, of map[string]*resource, order []*resource) error {
	const chunk = 500
	defer func() { w.batch.drop() }()
	for len(order) > 0 {
		some := order[:min(chunk, len(order))]
		order = order[len(some):]
		refs := make([]model.ObjectRef, len(some))
		for i, r := range some {
			refs[i] = r.ref
		}
		err := a.Source.ReadObjects(ctx, c.src, refs, func(ref model.ObjectRef, content *source.Content, err error) error {
			return a.take(ctx, c, w, of[ref.ID], ref, content, err)
		})
		if err != nil {
			return err
		}
	}
	return a.pass(ctx, w)
}

// take has a resource that was read join the batch.
func (a *Account) take(ctx context.Context, c *collection, w *reading, r *resource, ref model.ObjectRef, content *source.Content, err error) error {
	if r == nil {
		return model.Faultf(model.ClassAccount, "source", "the source gives an object that was not asked for: %s", ref.ID)
	}
	if ref.Version != "" {
		r.ref.Version = ref.Version
	}
	if err != nil {
		return a.unread(c, w.batch, r, err)
	}
	objects, err := a.prepare(c.src.Kind, r.rows[0].Meta, r.ref, content)
	a.clearTrouble(c, w.batch, r.ref.ID, err == nil)
	switch {
	case err == nil:
	case c.src.Kind == model.KindFiles: // no file is refused for its content: it did not come
		return a.unread(c, w.batch, r, err)
	default:
		return a.unusable(c, w.batch, r, err)
	}
	parts := a.match(c, w, r, objects)
	limit := a.dst.ObjectLimits(c.src.Kind)
	if slices.ContainsFunc(parts, func(p *part) bool { return limit.MaxObject > 0 && p.write.Size > limit.MaxObject }) {
		if limit, err = a.asked(ctx, c.src.Kind); err != nil {
			return err
		}
	}
	for _, p := range parts {
		if limit.MaxObject > 0 && p.write.Size > limit.MaxObject {
			p.drop()
			a.refuse(c, w.batch, p, tooLarge(p.write.Size, limit))
			continue
		}
		w.parts = append(w.parts, p)
		w.octets += int64(len(p.write.Content))
	}
	if len(w.parts) >= max(limit.Batch, 1) || w.octets >= batchOctets || len(w.put) >= 1000 {
		return a.pass(ctx, w)
	}
	return nil
}

// asked is what the destination takes, once it has listed its collections in this
// run: a server may tell its limits with them, and they may have been raised.
func (a *Account) asked(ctx context.Context, kind model.Kind) (destination.ObjectLimits, error) {
	if !a.limits[kind] {
		if _, err := a.dst.ObjectCollections(ctx, kind); err != nil {
			return destination.ObjectLimits{}, err
		}
		a.limits[kind] = true
	}
	return a.dst.ObjectLimits(kind), nil
}

// tooLarge refuses an object, with what the administrator can do.
func tooLarge(size int64, limit destination.ObjectLimits) error {
	f := &model.Fault{Class: model.ClassItem, Code: destination.CodeTooLarge, Err: fmt.Errorf("it has %d octets, more than the destination's %d", size, limit.MaxObject)}
	if limit.Raise != "" {
		f.Remedy = limit.Raise + ", reload its settings, and run sync with --retry-refused"
	}
	return f
}

// unread deals with a resource that its source could not give: the source may be
// mended, or able, at any time. Nothing is known of what it holds, so nothing is
// decided: the next run asks for it again.
func (a *Account) unread(c *collection, w *batch, r *resource, err error) error {
	if model.ClassOf(err) != model.ClassItem {
		return err
	}
	for _, o := range r.rows {
		switch {
		case model.CodeOf(err) == model.CodeGone && o.Remote == "":
			w.del = append(w.del, o)
		case model.CodeOf(err) == model.CodeGone:
			o.State = ledger.Vanished
			w.put = append(w.put, o)
		default:
			a.later(c, w, o, err)
		}
	}
	return nil
}

// unusable deals with a resource of which no object can be made. That stays so
// until it is changed.
func (a *Account) unusable(c *collection, w *batch, r *resource, err error) error {
	if model.ClassOf(err) != model.ClassItem {
		return err
	}
	for _, o := range r.rows {
		if o.Remote != "" { // what is at the destination stays
			a.later(c, w, o, err)
		} else {
			a.refuse(c, w, &part{row: o}, err)
		}
	}
	return nil
}

// clearTrouble removes what earlier runs noted of a resource that was not read
// until now, and so goes by its name at the source.
func (a *Account) clearTrouble(c *collection, w *batch, id string, usable bool) {
	if a.troubled[noteItem(c, id)] {
		w.notes = append(w.notes, func(t *ledger.Tx) error {
			if !usable {
				return a.clearNote(t, c, id, NoteUnreadable)
			}
			return a.clearNote(t, c, id, NoteUnreadable, NoteRefused)
		})
	}
}

// later leaves an object to the next run.
func (a *Account) later(c *collection, w *batch, o ledger.Object, err error) {
	if o.State == ledger.Refused {
		o.State = ledger.Pending
		w.put = append(w.put, o)
	}
	if a.behind[c.src.Kind]++; o.Remote == "" {
		if a.awaited[c.src.Kind] == nil {
			a.awaited[c.src.Kind] = map[string]bool{}
		}
		a.awaited[c.src.Kind][baseName(o.SourceID)] = true
	}
	w.notes = append(w.notes, func(t *ledger.Tx) error {
		return errors.Join(a.clearNote(t, c, itemName(o), NoteRefused), a.note(t, c, itemName(o), NoteUnreadable, err.Error()+"; the next sync tries again"))
	})
}

// baseName is what a resource is called, wherever it lies: clients keep it when they
// move one.
func baseName(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
