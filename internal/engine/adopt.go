package engine

import (
	"context"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/translate"
)

// adopter takes over what the destination holds already: after the ledger was
// lost, or where another tool has copied mail before. It knows one mailbox at
// a time, about 150 octets an email.
type adopter struct {
	target string
	free   map[destination.Hash][]destination.Email // not in the ledger
	found  []adopted
}

// adopted is a message and the email that it already is.
type adopted struct {
	item   ledger.Item
	remote string
	repair bool
}

// adopt looks for the message among the emails of its mailbox that nobody
// knows of: by the hash of its content, an email of the same date first.
func (r *run) adopt(ctx context.Context, e *entry) (bool, error) {
	if !r.Adopt || e.box.row.Target == "" {
		return false, nil
	}
	if r.adopting == nil || r.adopting.target != e.box.row.Target {
		a, err := r.newAdopter(ctx, e.box)
		if err != nil {
			return false, err
		}
		r.adopting = a
	}
	hash, repair := e.body.Hash, false
	if len(r.adopting.free[hash]) == 0 && e.body.Open == nil {
		// It may have been repaired when it was imported.
		prefix := translate.Repair(e.body.Bytes, e.item.Received)
		h := blake3.New()
		h.Write(prefix)
		h.Write(e.body.Bytes)
		h.Sum(hash[:0])
		repair = true
	}
	remote, ok := r.adopting.take(hash, e.item)
	if !ok {
		return false, nil
	}
	i := e.item
	i.Hash, i.Size, i.Sent, i.State = hash, e.body.Size, i.Flags, ledger.Moved
	r.adopting.found = append(r.adopting.found, adopted{item: i, remote: remote, repair: repair})
	return true, nil
}

func (r *run) newAdopter(ctx context.Context, b *box) (*adopter, error) {
	a := &adopter{target: b.row.Target, free: map[destination.Hash][]destination.Email{}}
	mine, err := r.remotesAt(ctx, b.row.Target)
	if err != nil {
		return nil, err
	}
	for e, err := range r.dst.List(ctx, b.row.Target) {
		if err != nil {
			return nil, err
		}
		if !mine[e.ID] {
			a.free[e.Hash] = append(a.free[e.Hash], destination.Email{ID: e.ID, Received: e.Received})
		}
	}
	return a, nil
}

func (a *adopter) take(hash destination.Hash, i ledger.Item) (string, bool) {
	all := a.free[hash]
	if len(all) == 0 {
		return "", false
	}
	best := 0
	received, _ := translate.Received(i.Received)
	for n, e := range all {
		if e.Received.Equal(received) {
			best = n
			break
		}
	}
	id := all[best].ID
	a.free[hash] = append(all[:best:best], all[best+1:]...)
	return id, true
}

// keepAdopted writes what was found into the ledger. The flags at the
// destination stay as they are: whoever changed them there meant to.
func (r *run) keepAdopted(ctx context.Context) error {
	if r.adopting == nil || len(r.adopting.found) == 0 {
		return nil
	}
	found := r.adopting.found
	r.adopting.found = nil
	err := r.step(ctx, "adopt", func(t *ledger.Tx) error {
		for _, a := range found {
			i := a.item
			i.Remote = a.remote
			if err := t.PutItem(i); err != nil {
				return err
			}
			if a.repair {
				if err := r.putNote(t, i, "repaired", repairText); err != nil {
					return err
				}
			}
			if _, clamped := translate.Received(i.Received); clamped {
				if err := r.putNote(t, i, "date", dateText(i)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil {
		r.tally(func() { r.res.Counts.Adopted += int64(len(found)) })
		r.Progress.Moved(r.acc, int64(len(found)), 0)
	}
	return err
}

// remotesAt returns the emails of a destination's mailbox that the ledger
// knows.
func (r *run) remotesAt(ctx context.Context, target string) (map[string]bool, error) {
	rows, err := r.Ledger.Collections(ctx, r.row.ID)
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	for _, c := range rows {
		if c.Target != target {
			continue
		}
		for i, err := range r.Ledger.Items(ctx, c.ID) {
			if err != nil {
				return nil, err
			}
			if i.Remote != "" {
				mine[i.Remote] = true
			}
		}
	}
	return mine, nil
}
