package groupware

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// update replaces objects that the source changed, where the destination still
// has what both sides had last.
func (a *Account) update(ctx context.Context, c *collection, w *batch, parts []*part) error {
	if len(parts) == 0 {
		return nil
	}
	return a.isolate(ctx, parts, func(ctx context.Context, parts []*part) ([]*part, error) {
		return a.updateSome(ctx, c, w, parts)
	}, func(p *part, why error) { a.untaken(c, w, p, why) })
}

// updateSome replaces objects in one request, and looks again at those that
// changed meanwhile. With an error it returns those to be sent again; none: the
// account has to stop.
func (a *Account) updateSome(ctx context.Context, c *collection, w *batch, parts []*part) ([]*part, error) {
	for n := 1; len(parts) > 0; n++ {
		ready, again, err := a.updatable(ctx, c, w, parts)
		if err != nil || len(ready) == 0 {
			return again, err
		}
		if err := a.intend(ctx, ready); err != nil {
			return nil, err
		}
		if err := a.Step("update"); err != nil {
			return nil, err
		}
		writes := make([]destination.ObjectWrite, len(ready))
		for i, p := range ready {
			writes[i] = p.write
			writes[i].ID, writes[i].Version = p.row.Remote, p.row.Stored
		}
		results, err := a.dst.UpdateObjects(ctx, c.at(), writes)
		if err != nil {
			if !culpable(ctx, err) {
				return nil, err
			}
			if serr := a.settling(ctx, err); serr != nil {
				return nil, serr
			}
			return ready, err // the next attempt finds out which of them arrived
		}
		a.review(ctx, c, ready, results)
		parts = nil
		for i, p := range ready {
			switch err := results[i].Err; {
			case err == nil:
				a.res.Of(c.src.Kind).Octets += p.write.Size
				a.Meter.Stored(p.write.Size)
				a.brought(c, w, p, results[i].Object)
			case model.CodeOf(err) == destination.CodeChanged || model.CodeOf(err) == destination.CodeNotFound:
				if n >= attempts {
					return nil, err
				}
				parts = append(parts, p) // look again
			case model.ClassOf(err) == model.ClassItem:
				a.untaken(c, w, p, err)
			default:
				return nil, err
			}
		}
	}
	return nil, nil
}

// brought records an object that the destination has as it is at the source now.
func (a *Account) brought(c *collection, w *batch, p *part, o destination.Object) {
	if p.common() {
		a.res.Of(c.src.Kind).Changed++
	} else {
		a.res.Of(c.src.Kind).Created++
	}
	a.done(c, w, p, o)
}

// common reports that both sides had the object once with the same meaning.
func (p *part) common() bool { return p.row.Digest != [32]byte{} }

// untaken tells that the destination does not take what an object is at the
// source now. What it has stays, and the row as it was.
func (a *Account) untaken(c *collection, w *batch, p *part, why error) {
	switch {
	case p.common():
		p.row.State, p.row.Intent, p.row.Digest = ledger.Moved, [32]byte{}, p.digest
		a.res.Of(c.src.Kind).Kept++
		w.settle(p, func(t *ledger.Tx) error {
			return a.note(t, c, p.name(), NoteRefused, "the new content is refused, the former one stays: "+why.Error())
		})
	case p.row.Stored != "": // it was stored, and its text was to follow
		p.remarks = append(p.remarks, "stored, but the destination shows it differently: its text is refused: "+why.Error())
		a.brought(c, w, p, destination.Object{ID: p.row.Remote, Version: p.row.Stored})
	default:
		p.doubt = why
		a.keep(c, w, p, p.another())
	}
}

// updatable decides about changed objects by what the destination has now, and
// returns those to be replaced; with an error nothing is decided, and again is as
// an attempt returns it.
func (a *Account) updatable(ctx context.Context, c *collection, w *batch, parts []*part) (ready, again []*part, err error) {
	ids := make([]string, len(parts))
	for i, p := range parts {
		ids[i] = p.row.Remote
	}
	have, err := a.dst.ObjectVersions(ctx, c.at(), ids)
	if err != nil {
		return nil, nil, err
	}
	var look []string
	for _, p := range parts {
		if o, ok := have[p.row.Remote]; ok && o.Version != p.row.Stored {
			look = append(look, o.ID)
		}
	}
	digests, err := a.digests(ctx, c, look, have)
	if err != nil {
		return nil, nil, err
	}
	ours, err := a.ours(ctx, c, parts, digests)
	if err != nil {
		if culpable(ctx, err) {
			again = parts
		}
		return nil, again, err
	}
	for _, p := range parts {
		o, ok := have[p.row.Remote]
		there := Edited
		switch {
		case !ok:
			there = Removed
		case o.Version == p.row.Stored:
			there = Same
		case ours[p]:
			there, p.row.Stored = Same, o.Version
		case p.row.Intent != [32]byte{} && digests[o.ID] == p.row.Intent, digests[o.ID] == p.row.Digest && p.row.Stored != "":
			// What an earlier run wrote, or the common state in another spelling.
			there, p.row.Stored = Same, o.Version
			if digests[o.ID] == p.digest {
				a.brought(c, w, p, o)
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
			switch {
			case !p.common() && there != Removed:
				text = p.another()
			case there == Removed:
				text = "changed at the source, but its user deleted it at the destination; it stays deleted"
			}
			a.keep(c, w, p, text)
			if there == Removed {
				w.put[len(w.put)-1].State = ledger.Detached
			}
		}
	}
	return ready, nil, nil
}

// ours finds objects that were never common, because the run that stored them
// was cut off or the answer was lost, and that are there with another meaning. Of
// those that mean what the destination makes of this very text when it converts
// it, the conversion changed the meaning, and no user: they may be replaced. With
// an error nothing is known.
func (a *Account) ours(ctx context.Context, c *collection, parts []*part, now map[string][32]byte) (map[*part]bool, error) {
	var asked []*part
	var writes []destination.ObjectWrite
	for _, p := range parts {
		if is, ok := now[p.row.Remote]; ok && is != p.digest && !p.common() && p.row.Stored == "" && c.src.Kind != model.KindFiles {
			asked, writes = append(asked, p), append(writes, p.write)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	if err := a.Step("rehearse"); err != nil {
		return nil, err
	}
	texts, err := a.dst.Rehearse(ctx, c.src.Kind, writes)
	if err != nil {
		class := model.ClassOf(err)
		if ctx.Err() != nil || class == model.ClassFatal || class != model.ClassItem && culpable(ctx, err) {
			return nil, err
		}
		// The login may not, or has no room: users' changes are safe all the same.
		for _, p := range asked {
			p.doubt = err
		}
		return nil, nil
	}
	ours := map[*part]bool{}
	for i, p := range asked {
		if made, ok := meaning(c.src.Kind, []byte(texts[i])); ok && made == now[p.row.Remote] {
			ours[p] = true
		}
	}
	return ours, nil
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
