package groupware

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// batchOctets bounds what one batch holds in memory.
const batchOctets = 8 << 20

// attempts is how often a batch is sent before the account stops.
const attempts = 5

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
func (r *reading) pass(ctx context.Context) error {
	b := r.batch
	r.batch = &batch{}
	select {
	case r.full <- b:
		return nil
	case <-ctx.Done():
		b.drop()
		return context.Cause(ctx)
	}
}

// batch is what is written together, and what the ledger learns with it.
type batch struct {
	parts    []*part
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
	// One reads and prepares, the other one writes.
	full := make(chan *batch, 1)
	w.full = full
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(full)
		return a.read(ctx, c, w, of, order)
	})
	g.Go(func() (err error) {
		for b := range full {
			if err == nil {
				if err = a.flush(ctx, c, b); err != nil {
					cancel(err) // the reader stops, too
				}
			}
			b.drop()
		}
		return err
	})
	return g.Wait()
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
	return w.pass(ctx)
}

// take has a resource that was read join the batch.
func (a *Account) take(ctx context.Context, c *collection, w *reading, r *resource, ref model.ObjectRef, content *source.Content, err error) error {
	if r == nil {
		return model.Faultf(model.ClassAccount, "source", "the source gives an object that was not asked for: %s", ref.ID)
	}
	if ref.Version != "" {
		r.ref.Version = ref.Version
	}
	var objects []*prepared
	if err == nil {
		objects, err = a.prepare(c.src.Kind, r.rows[0].Meta, r.ref, content)
	}
	if err != nil {
		return a.unread(c, w.batch, r, err)
	}
	parts := a.match(c, w, r, objects)
	limit := a.dst.ObjectLimits(c.src.Kind)
	for _, p := range parts {
		if limit.MaxObject > 0 && p.write.Size > limit.MaxObject {
			p.drop()
			a.refuse(c, w.batch, p, model.Faultf(model.ClassItem, destination.CodeTooLarge, "it has %d octets, more than the destination's %d", p.write.Size, limit.MaxObject))
			continue
		}
		w.parts = append(w.parts, p)
		w.octets += int64(len(p.write.Content))
	}
	if len(w.parts) >= max(limit.Batch, 1) || w.octets >= batchOctets || len(w.put) >= 1000 {
		return w.pass(ctx)
	}
	return nil
}

// unread deals with a resource that could not be read or understood.
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
		case o.Remote != "":
			// What is at the destination stays; the next run tries again.
			w.notes = append(w.notes, func(t *ledger.Tx) error { return a.note(t, c, itemName(o), NoteUnreadable, err.Error()) })
		default:
			a.refuse(c, w, &part{row: o}, err)
		}
	}
	return nil
}

func (a *Account) refuse(c *collection, w *batch, p *part, why error) {
	p.row.State, p.row.Intent = ledger.Refused, [32]byte{}
	w.settle(p, func(t *ledger.Tx) error { return a.note(t, c, p.name(), NoteRefused, why.Error()) })
}

// flush writes a batch. The rows say at every moment what may have happened.
func (a *Account) flush(ctx context.Context, c *collection, w *batch) error {
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
	if err := a.update(ctx, c, w, update); err != nil {
		return err
	}
	return a.confirm(ctx, w)
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
		if err := a.clearNote(t, c, p.name(), NoteRefused, NoteKept, NoteUnreadable); err != nil {
			return err
		}
		for _, text := range p.remarks {
			if err := a.note(t, c, p.name(), NoteRepaired, text); err != nil {
				return err
			}
		}
		return nil
	})
	if len(p.remarks) > 0 {
		a.res.Of(c.src.Kind).Repaired++
	}
}

// keep leaves what is at the destination. The row keeps the version that was
// last common, so that a later change of the source does not overwrite it
// either.
func (a *Account) keep(c *collection, w *batch, p *part, text string) {
	p.row.State, p.row.Digest, p.row.Intent = ledger.Moved, p.digest, [32]byte{}
	a.res.Of(c.src.Kind).Kept++
	w.settle(p, func(t *ledger.Tx) error { return a.note(t, c, p.name(), NoteKept, text) })
}

// create stores new objects. After a lost answer those that arrived are found
// by UID and content, and only the others are sent again.
func (a *Account) create(ctx context.Context, c *collection, w *batch, parts []*part) error {
	if len(parts) == 0 {
		return nil
	}
	if err := a.intend(ctx, parts); err != nil {
		return err
	}
	for n := 1; len(parts) > 0; n++ {
		if err := a.Step("create"); err != nil {
			return err
		}
		writes := make([]destination.ObjectWrite, len(parts))
		for i, p := range parts {
			writes[i] = p.write
		}
		results, err := a.dst.CreateObjects(ctx, c.at(), writes)
		if err == nil {
			return a.created(ctx, c, w, parts, results)
		}
		if model.ClassOf(err) != model.ClassRetry || n >= attempts || ctx.Err() != nil {
			return err
		}
		if serr := sleep(ctx, a.SettleDelay); serr != nil {
			return errors.Join(serr, err)
		}
		if n > 1 {
			// One of them may break what they travel in together.
			for _, p := range parts {
				p.write.Exact = "a request with many failed"
			}
		}
		if parts, err = a.arrived(ctx, c, w, parts); err != nil {
			return err
		}
	}
	return nil
}

// created takes notice of the outcome of a create.
func (a *Account) created(ctx context.Context, c *collection, w *batch, parts []*part, results []destination.ObjectWritten) error {
	counts := a.res.Of(c.src.Kind)
	var there []*part
	if err := a.proofread(ctx, c, parts, results); err != nil {
		return err
	}
	for i, p := range parts {
		switch err := results[i].Err; {
		case err == nil:
			counts.Created++
			counts.Octets += p.write.Size
			a.done(c, w, p, results[i].Object)
		case model.CodeOf(err) == destination.CodeExists:
			there = append(there, p)
		case model.ClassOf(err) == model.ClassItem:
			a.refuse(c, w, p, err)
		default:
			return err
		}
	}
	if len(there) == 0 {
		return nil
	}
	rest, err := a.arrived(ctx, c, w, there)
	for _, p := range rest {
		a.refuse(c, w, p, model.Faultf(model.ClassItem, destination.CodeExists, "the destination says that its UID or name is taken, but shows no such object"))
	}
	return err
}

// proofread reads what the destination has made of objects that it converted,
// and replaces those by their text whose meaning is not the source's. So it
// does not matter what a conversion cannot do, and what nobody knew of.
func (a *Account) proofread(ctx context.Context, c *collection, parts []*part, results []destination.ObjectWritten) error {
	var writes []destination.ObjectWrite
	var of []int
	for i, r := range results {
		if r.Err != nil || r.Converted == "" {
			continue
		}
		if now, err := prepareText(c.src.Kind, []byte(r.Converted)); err == nil && len(now) == 1 && now[0].digest == parts[i].digest {
			continue
		}
		x := parts[i].write
		x.ID, x.Version = r.ID, r.Version
		writes, of = append(writes, x), append(of, i)
	}
	if len(writes) == 0 {
		return nil
	}
	if err := a.Step("rewrite"); err != nil {
		return err
	}
	again, err := a.dst.UpdateObjects(ctx, c.at(), writes)
	if err != nil {
		return err
	}
	for k, i := range of {
		if again[k].Err == nil {
			results[i].Object = again[k].Object
		} else if model.ClassOf(again[k].Err) == model.ClassItem {
			parts[i].remarks = append(parts[i].remarks, "stored, but the destination shows it differently: its text is refused: "+again[k].Err.Error())
		} else {
			return again[k].Err
		}
	}
	return nil
}

// arrived looks up objects that may be at the destination, settles those that
// are, and returns the others.
func (a *Account) arrived(ctx context.Context, c *collection, w *batch, parts []*part) (rest []*part, err error) {
	uids := make([]string, len(parts))
	for i, p := range parts {
		uids[i] = p.row.UID
	}
	have, digests, err := a.lookUp(ctx, c, uids)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		o, ok := have[p.row.UID]
		there := Absent
		if ok {
			there = Created
		}
		switch Decide(Created, there, digests[o.ID] == p.digest) {
		case Create:
			rest = append(rest, p)
		case Adopt:
			a.res.Of(c.src.Kind).Adopted++
			a.done(c, w, p, o)
		default:
			p.row.Remote, p.row.Stored = o.ID, ""
			a.keep(c, w, p, "an object with this UID is at the destination with another content; left so")
		}
	}
	return rest, nil
}

// update replaces objects that the source changed, where the destination still
// has what both sides had last.
func (a *Account) update(ctx context.Context, c *collection, w *batch, parts []*part) error {
	if len(parts) == 0 {
		return nil
	}
	for n := 1; len(parts) > 0; n++ {
		ready, err := a.updatable(ctx, c, w, parts)
		if err != nil || len(ready) == 0 {
			return err
		}
		if err := a.intend(ctx, ready); err != nil {
			return err
		}
		if err := a.Step("update"); err != nil {
			return err
		}
		writes := make([]destination.ObjectWrite, len(ready))
		for i, p := range ready {
			writes[i] = p.write
			writes[i].ID, writes[i].Version = p.row.Remote, p.row.Stored
		}
		results, err := a.dst.UpdateObjects(ctx, c.at(), writes)
		if err != nil {
			if model.ClassOf(err) != model.ClassRetry || n >= attempts || ctx.Err() != nil {
				return err
			}
			if serr := sleep(ctx, a.SettleDelay); serr != nil {
				return errors.Join(serr, err)
			}
			parts = ready
			continue
		}
		parts = nil
		for i, p := range ready {
			switch err := results[i].Err; {
			case err == nil:
				a.res.Of(c.src.Kind).Changed++
				a.res.Of(c.src.Kind).Octets += p.write.Size
				a.done(c, w, p, results[i].Object)
			case model.CodeOf(err) == destination.CodeChanged || model.CodeOf(err) == destination.CodeNotFound:
				if n >= attempts {
					return err
				}
				parts = append(parts, p) // look again
			case model.ClassOf(err) == model.ClassItem:
				// What the destination has stays, and the row as it was.
				p.row.State, p.row.Intent, p.row.Digest = ledger.Moved, [32]byte{}, p.digest
				a.res.Of(c.src.Kind).Kept++
				w.settle(p, func(t *ledger.Tx) error {
					return a.note(t, c, p.name(), NoteRefused, "the new content is refused, the former one stays: "+err.Error())
				})
			default:
				return err
			}
		}
	}
	return nil
}

// updatable decides about changed objects by what the destination has now, and
// returns those to be replaced.
func (a *Account) updatable(ctx context.Context, c *collection, w *batch, parts []*part) ([]*part, error) {
	ids := make([]string, len(parts))
	for i, p := range parts {
		ids[i] = p.row.Remote
	}
	have, err := a.dst.ObjectVersions(ctx, c.at(), ids)
	if err != nil {
		return nil, err
	}
	var look []string
	for _, p := range parts {
		if o, ok := have[p.row.Remote]; ok && o.Version != p.row.Stored {
			look = append(look, o.ID)
		}
	}
	digests, err := a.digests(ctx, c, look, have)
	if err != nil {
		return nil, err
	}
	var ready []*part
	for _, p := range parts {
		o, ok := have[p.row.Remote]
		there := Edited
		switch {
		case !ok:
			there = Removed
		case o.Version == p.row.Stored:
			there = Same
		case p.row.Intent != [32]byte{} && digests[o.ID] == p.row.Intent, digests[o.ID] == p.row.Digest && p.row.Stored != "":
			// What an earlier run wrote, or the common state in another spelling.
			there, p.row.Stored = Same, o.Version
			if digests[o.ID] == p.digest {
				a.res.Of(c.src.Kind).Changed++
				a.done(c, w, p, o)
				continue
			}
		}
		switch Decide(Edited, there, ok && digests[o.ID] == p.digest) {
		case Update:
			ready = append(ready, p)
		case Adopt:
			a.res.Of(c.src.Kind).Adopted++
			a.done(c, w, p, o)
		default:
			text := "changed at the source and by its user at the destination; left as it is there"
			if there == Removed {
				text = "changed at the source, but its user deleted it at the destination; it stays deleted"
			}
			a.keep(c, w, p, text)
			if there == Removed {
				w.put[len(w.put)-1].State = ledger.Detached
			}
		}
	}
	return ready, nil
}

// move brings an object to where it is at the source now. It takes over the
// row of its former place, as its user may have edited it meanwhile.
func (a *Account) move(ctx context.Context, c *collection, p *part) error {
	from := *p.from
	if from.Collection == c.row.ID {
		p.row.Remote, p.row.Stored, p.row.Digest = from.Remote, from.Stored, from.Digest
		p.row.State = ledger.Changed
		return a.tookOver(ctx, p, from)
	}
	place, err := a.placeOf(ctx, from.Collection)
	if err != nil {
		return err
	}
	before, err := a.dst.ObjectVersions(ctx, place, []string{from.Remote})
	if err != nil {
		return err
	}
	if err := a.Step("move"); err != nil {
		return err
	}
	o, err := a.dst.MoveObject(ctx, place, c.at(), from.Remote)
	if model.CodeOf(err) == destination.CodeNotFound {
		// An earlier run may have moved it.
		at, verr := a.dst.ObjectVersions(ctx, c.at(), []string{from.Remote})
		if verr != nil {
			return verr
		}
		o, err = at[from.Remote], nil
		if o.ID == "" {
			p.from = nil
			return nil // its user deleted it there: it comes anew
		}
		digests, err := a.digests(ctx, c, []string{o.ID}, at)
		if err != nil {
			return err
		}
		if digests[o.ID] == from.Digest {
			before = map[string]destination.Object{from.Remote: {Version: from.Stored}}
		}
	}
	if model.ClassOf(err) == model.ClassItem && err != nil {
		p.from = nil
		return nil // it comes anew, and is removed from its former place
	}
	if err != nil {
		return err
	}
	p.row.Remote, p.row.Digest, p.row.State = o.ID, from.Digest, ledger.Changed
	if before[from.Remote].Version == from.Stored {
		p.row.Stored = o.Version
	}
	a.res.Of(c.src.Kind).Moved++
	return a.tookOver(ctx, p, from)
}

func (a *Account) tookOver(ctx context.Context, p *part, from ledger.Object) error {
	return a.step(ctx, "moved", func(t *ledger.Tx) error {
		for _, o := range append(p.old, from) {
			if err := t.DeleteObject(o); err != nil {
				return err
			}
		}
		p.old, p.from = nil, nil
		return t.PutObject(p.row)
	})
}

// placeOf is where a row's collection is at the destination.
func (a *Account) placeOf(ctx context.Context, id int64) (destination.Collection, error) {
	rows, err := a.Ledger.ObjectCollections(ctx, a.Account)
	for _, r := range rows {
		if r.ID == id {
			return destination.Collection{Kind: r.Kind, ID: r.Target}, err
		}
	}
	return destination.Collection{}, err
}
