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
	var wrong []int
	var err error
	a.meanwhile(func() {
		if results, err = a.dst.CreateObjects(ctx, c.at(), writes); err == nil {
			wrong = proofread(c.src.Kind, parts, results)
		}
	})
	if err == nil {
		return nil, a.created(ctx, c, w, parts, results, wrong)
	}
	if !culpable(ctx, err) {
		return nil, err
	}
	if serr := a.settling(ctx, err); serr != nil {
		return nil, serr
	}
	rest, aerr := a.arrived(ctx, c, w, parts)
	if aerr != nil || len(rest) == 0 {
		return nil, aerr
	}
	return rest, err
}

// created takes notice of the outcome of a create, of which wrong do not mean
// what they should.
func (a *Account) created(ctx context.Context, c *collection, w *batch, parts []*part, results []destination.ObjectWritten, wrong []int) error {
	counts := a.res.Of(c.src.Kind)
	var there []*part
	if err := a.rewrite(ctx, c, parts, results, wrong); err != nil {
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
// and returns the indexes of those whose meaning is not the source's. So it does
// not matter what a conversion cannot do, and what nobody knew of.
func proofread(kind model.Kind, parts []*part, results []destination.ObjectWritten) (wrong []int) {
	for i, r := range results {
		// Octet by octet what was to be written needs no reading.
		if r.Err != nil || r.Converted == "" || r.Converted == string(parts[i].write.Content) {
			continue
		}
		if now, ok := meaning(kind, []byte(r.Converted)); !ok || now != parts[i].digest {
			wrong = append(wrong, i)
		}
	}
	return wrong
}

// rewrite replaces objects at the destination by their text as it is. The ledger
// knows them first, so that the next run does it if this one is cut off.
func (a *Account) rewrite(ctx context.Context, c *collection, parts []*part, results []destination.ObjectWritten, wrong []int) error {
	if len(wrong) == 0 {
		return nil
	}
	writes := make([]destination.ObjectWrite, len(wrong))
	for k, i := range wrong {
		writes[k] = parts[i].write
		writes[k].ID, writes[k].Version = results[i].ID, results[i].Version
	}
	err := a.step(ctx, "objects to rewrite", func(t *ledger.Tx) error {
		for _, i := range wrong {
			row := parts[i].row
			row.State, row.Remote, row.Stored = ledger.Changed, results[i].ID, results[i].Version
			if err := t.PutObject(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := a.Step("rewrite"); err != nil {
		return err
	}
	again, err := a.dst.UpdateObjects(ctx, c.at(), writes)
	if err != nil {
		return err
	}
	for k, i := range wrong {
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
