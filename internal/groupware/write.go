package groupware

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// writers is how many batches of a collection are on their way at a time. The
// server stores an account's one after the other.
const writers = 2

// attempts is how often a busy destination is asked, and objects are looked at
// again that somebody changes while they are replaced, before the account stops.
const attempts = 5

// batch is what is written together, and what the ledger learns with it.
type batch struct {
	parts []*part
	// again are new objects that the destination has, but with another meaning:
	// their text is still to be written.
	again    []*part
	octets   int64
	put, del []ledger.Object
	notes    []func(*ledger.Tx) error
}

// settle has the next step store a part's row as it is.
func (b *batch) settle(p *part, note func(*ledger.Tx) error) {
	b.put = append(b.put, p.row)
	b.del = append(b.del, p.old...)
	if note != nil {
		b.notes = append(b.notes, note)
	}
}

func (b *batch) drop() {
	for _, p := range b.parts {
		p.drop()
	}
}

// writeAll brings what is new or changed to the destination.
func (a *Account) writeAll(ctx context.Context) error {
	vanished := map[model.Kind]map[string][]ledger.Object{}
	for _, kind := range kinds {
		rows, err := a.Ledger.VanishedObjects(ctx, a.Account, kind)
		if err != nil {
			return err
		}
		vanished[kind] = map[string][]ledger.Object{}
		for _, o := range rows {
			vanished[kind][o.UID] = append(vanished[kind][o.UID], o)
		}
	}
	for _, c := range a.all {
		if c.lost || c.row.Target == "" || c.row.ID == 0 {
			continue
		}
		if err := a.write(ctx, c, vanished[c.src.Kind]); err != nil {
			return err
		}
	}
	return nil
}

func (a *Account) write(ctx context.Context, c *collection, vanished map[string][]ledger.Object) error {
	all, err := a.Ledger.Objects(ctx, c.row.ID)
	if err != nil {
		return err
	}
	w := &reading{here: map[string]ledger.Object{}, vanished: vanished, batch: &batch{}}
	of := map[string]*resource{}
	var order []*resource
	for _, o := range all {
		work := o.State == ledger.Pending || o.State == ledger.Changed || o.State == ledger.Refused && a.RetryRefused
		if o.UID != "" && o.Remote != "" && o.State != ledger.Vanished {
			w.here[o.UID] = o
		}
		if !work {
			continue
		}
		r := of[o.SourceID]
		if r == nil {
			r = &resource{ref: model.ObjectRef{ID: o.SourceID, Version: o.Version}}
			of[o.SourceID] = r
			order = append(order, r)
		}
	}
	if len(order) == 0 {
		return nil
	}
	// A resource is read as a whole, so all its rows take part.
	for _, o := range all {
		if r := of[o.SourceID]; r != nil {
			r.rows = append(r.rows, o)
		}
	}
	all = nil
	// One reads and prepares, the others write: while the destination stores
	// one batch, another is converted, proofread or recorded.
	full := make(chan *batch, 1)
	w.full = full
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g, ctx := errgroup.WithContext(ctx)
	a.Meter.Reads()
	g.Go(func() error {
		defer close(full)
		defer a.Meter.HasRead()
		if err := a.read(ctx, c, w, of, order); err != nil {
			cancel(err)
			return context.Cause(ctx)
		}
		return nil
	})
	for range writers {
		g.Go(func() (err error) {
			for b := range full {
				if err == nil {
					if err = a.flush(ctx, c, b); err != nil {
						cancel(err) // the others stop, too
						err = context.Cause(ctx)
					}
				}
				b.drop()
			}
			return err
		})
	}
	defer a.Meter.Taken()
	return g.Wait()
}

func (a *Account) refuse(c *collection, w *batch, p *part, why error) {
	p.row.State, p.row.Intent = ledger.Refused, [32]byte{}
	w.settle(p, func(t *ledger.Tx) error {
		return errors.Join(a.clearNote(t, c, p.name(), NoteUnreadable), a.note(t, c, p.name(), NoteRefused, why.Error()))
	})
}

// flush writes a batch. The rows say at every moment what may have happened.
func (a *Account) flush(ctx context.Context, c *collection, w *batch) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var create, update []*part
	for _, p := range w.parts {
		if p.from != nil {
			if err := a.move(ctx, c, p); err != nil {
				return err
			}
		}
		switch {
		case p.row.Remote == "":
			create = append(create, p)
		case p.row.Digest != p.digest || p.row.Intent != [32]byte{}:
			update = append(update, p)
		default:
			p.row.State = ledger.Moved
			w.settle(p, nil)
		}
	}
	if err := a.create(ctx, c, w, create); err != nil {
		return err
	}
	if err := a.update(ctx, c, w, append(update, w.again...)); err != nil {
		return err
	}
	return a.confirm(ctx, w)
}

// meanwhile lets others write while fn, which needs nothing of the account, is
// at work.
func (a *Account) meanwhile(fn func()) {
	a.mu.Unlock()
	defer a.mu.Lock()
	fn()
}

// confirm stores what has become of a batch.
func (a *Account) confirm(ctx context.Context, w *batch) error {
	put, del, notes := w.put, w.del, w.notes
	w.put, w.del, w.notes = nil, nil, nil
	if len(put)+len(del)+len(notes) == 0 {
		return nil
	}
	return a.step(ctx, "objects", func(t *ledger.Tx) error {
		for _, o := range del {
			if err := t.DeleteObject(o); err != nil {
				return err
			}
		}
		for _, o := range put {
			if err := t.PutObject(o); err != nil {
				return err
			}
		}
		for _, fn := range notes {
			if err := fn(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// intend records what is about to be written, before it is.
func (a *Account) intend(ctx context.Context, parts []*part) error {
	return a.step(ctx, "intend objects", func(t *ledger.Tx) error {
		for _, p := range parts {
			for _, o := range p.old {
				if err := t.DeleteObject(o); err != nil {
					return err
				}
			}
			p.old = nil
			p.row.Intent = p.digest
			if p.row.Remote == "" {
				p.row.State = ledger.Intended
			}
			if err := t.PutObject(p.row); err != nil {
				return err
			}
		}
		return nil
	})
}

// done records that an object is at the destination as it is at the source.
func (a *Account) done(c *collection, w *batch, p *part, o destination.Object) {
	p.row.State, p.row.Digest, p.row.Intent = ledger.Moved, p.digest, [32]byte{}
	p.row.Remote, p.row.Stored = o.ID, o.Version
	w.settle(p, func(t *ledger.Tx) error {
		if err := a.clearNote(t, c, p.name(), NoteRefused, NoteKept, NoteUnreadable, NoteRepaired, NoteDoubtful, NoteAltered); err != nil {
			return err
		}
		for code, texts := range map[string][]string{NoteRepaired: p.remarks, NoteDoubtful: p.doubts} {
			if len(texts) == 0 {
				continue
			}
			// One note for all: the ledger keeps one of a code for an object.
			if err := a.note(t, c, p.name(), code, strings.Join(distinct(texts), "; ")); err != nil {
				return err
			}
		}
		if p.altered != "" {
			return a.note(t, c, p.name(), NoteAltered, p.altered)
		}
		return nil
	})
	if len(p.remarks) > 0 {
		a.res.Of(c.src.Kind).Repaired++
	}
}

// distinct leaves out what was said before.
func distinct(texts []string) (out []string) {
	for _, text := range texts {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// keep leaves what is at the destination. The row keeps the version that was
// last common, so that a later change of the source does not overwrite it
// either.
func (a *Account) keep(c *collection, w *batch, p *part, text string) {
	p.row.State, p.row.Digest, p.row.Intent = ledger.Moved, p.digest, [32]byte{}
	a.res.Of(c.src.Kind).Kept++
	w.settle(p, func(t *ledger.Tx) error { return a.note(t, c, p.name(), NoteKept, text) })
}
