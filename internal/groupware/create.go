package groupware

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// create stores new objects. After a lost answer those that arrived are found
// by UID and content, and only the others are sent again.
func (a *Account) create(ctx context.Context, c *collection, w *batch, parts []*part) error {
	if len(parts) == 0 {
		return nil
	}
	if err := a.intend(ctx, parts); err != nil {
		return err
	}
	return a.isolate(ctx, parts, func(ctx context.Context, parts []*part) ([]*part, error) {
		return a.createSome(ctx, c, w, parts)
	}, func(p *part, why error) { a.refuse(c, w, p, why) })
}

// createSome sends new objects in one request. With an error it returns those
// that did not arrive; none: the account has to stop.
func (a *Account) createSome(ctx context.Context, c *collection, w *batch, parts []*part) ([]*part, error) {
	if err := a.Step("create"); err != nil {
		return nil, err
	}
	writes := make([]destination.ObjectWrite, len(parts))
	for i, p := range parts {
		writes[i] = p.write
	}
	var results []destination.ObjectWritten
	var wrong map[*part]bool
	var err error
	var known, unknown []*part
	a.meanwhile(func() {
		results, err = a.dst.CreateObjects(ctx, c.at(), writes)
		known, unknown, results = answered(parts, results, err)
		wrong = proofread(c.src.Kind, known, results)
		a.review(ctx, c, known, results)
	})
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	if cerr := a.created(ctx, c, w, known, results, wrong); cerr != nil || err == nil {
		return nil, cerr
	}
	if !culpable(ctx, err) {
		return nil, err
	}
	if len(unknown) == 0 {
		return nil, nil
	}
	if serr := a.settling(ctx, err); serr != nil {
		return nil, serr
	}
	rest, aerr := a.arrived(ctx, c, w, unknown)
	if aerr != nil || len(rest) == 0 {
		return nil, aerr
	}
	return rest, err
}

// answered separates what a call that failed with err has told of all the same
// from what it did not come to; results are those of the first. That an object
// broke its request is no news then: the others did, too.
func answered(parts []*part, results []destination.ObjectWritten, err error) (known, unknown []*part, of []destination.ObjectWritten) {
	if err == nil {
		return parts, nil, results
	}
	for i, p := range parts {
		if i < len(results) && (results[i].Version != "" && results[i].Err == nil || results[i].Err != nil && model.ClassOf(results[i].Err) == model.ClassItem && model.CodeOf(results[i].Err) != destination.CodeBreaks) {
			known, of = append(known, p), append(of, results[i])
		} else {
			unknown = append(unknown, p)
		}
	}
	return known, unknown, of
}

// created takes notice of the outcome of a create, of which wrong do not mean
// what they should. They are written again with the changed ones; the ledger
// knows them first, so that the next run does it if this one is cut off.
func (a *Account) created(ctx context.Context, c *collection, w *batch, parts []*part, results []destination.ObjectWritten, wrong map[*part]bool) error {
	counts := a.res.Of(c.src.Kind)
	var there []*part
	if len(wrong) > 0 {
		err := a.step(ctx, "objects to rewrite", func(t *ledger.Tx) error {
			for i, p := range parts {
				if !wrong[p] {
					continue
				}
				p.row.State, p.row.Remote, p.row.Stored = ledger.Changed, results[i].ID, results[i].Version
				if err := t.PutObject(p.row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i, p := range parts {
		switch err := results[i].Err; {
		case wrong[p]:
			w.again = append(w.again, p)
		case err == nil:
			counts.Created++
			counts.Octets += p.write.Size
			a.Meter.Stored(p.write.Size)
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
			if a.another(c, w, p, o) {
				w.again = append(w.again, p)
			}
		}
	}
	return rest, nil
}

// another deals with an object that was about to be created and is there with
// another content. true: whether we made it so or somebody else is to be found
// out, when its text is at hand (update.go: ours).
func (a *Account) another(c *collection, w *batch, p *part, o destination.Object) bool {
	p.row.Remote, p.row.Stored = o.ID, ""
	if c.src.Kind == model.KindFiles {
		a.keep(c, w, p, p.another()) // nothing converts them
		return false
	}
	p.row.State = ledger.Changed
	return true
}
