package engine

import (
	"context"
	"slices"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// matchChunk is how many moves are written at once.
const matchChunk = 200

// pair is a message that vanished in one place and appeared in another.
type pair struct {
	old     ledger.Item
	new     ledger.Item
	mailbox *mailbox // of new
}

// retire marks the items of mailboxes that are gone, or whose UIDVALIDITY
// is, as vanished, so that they can be matched or deleted.
func (r *run) retire(ctx context.Context) error {
	for _, c := range r.retired {
		if err := r.step(ctx, "retire", func(t *ledger.Tx) error { return t.Retire(c.ID) }); err != nil {
			return err
		}
	}
	return nil
}

// match recognises messages by the source's identity: what vanished from one
// mailbox and appeared in another was moved, what vanished and appeared in
// the same mailbox only changed its UID. Neither is uploaded again.
func (r *run) match(ctx context.Context) error {
	work, err := r.Ledger.CountAccount(ctx, r.row.ID, ledger.Vanished)
	if err != nil || work == 0 {
		return err
	}
	r.vanished = true
	for _, b := range r.mailboxes {
		var pending []ledger.Item
		for i, err := range r.Ledger.Items(ctx, b.row.ID, ledger.Pending) {
			if err != nil {
				return err
			}
			if !i.HasGUID() {
				continue
			}
			if pending = append(pending, i); len(pending) == matchChunk {
				if err := r.matchSome(ctx, b, pending); err != nil {
					return err
				}
				pending = nil
			}
		}
		if err := r.matchSome(ctx, b, pending); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) matchSome(ctx context.Context, b *mailbox, pending []ledger.Item) error {
	if len(pending) == 0 {
		return nil
	}
	var pairs []pair
	err := r.Ledger.View(ctx, func(t *ledger.Tx) error {
		taken := map[ledger.Key]bool{}
		for _, p := range pending {
			old, ok, err := t.Vanished(r.row.ID, p, taken)
			if err != nil {
				return err
			}
			if ok {
				taken[old.Key()] = true
				pairs = append(pairs, pair{old: old, new: p, mailbox: b})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.rehome(ctx, pairs)
}

// matchByContent does the same for messages without an identity, once their
// content is known. It returns the entries that are really new.
func (r *run) matchByContent(ctx context.Context, entries []*entry) ([]*entry, error) {
	if !r.vanished {
		return entries, nil
	}
	var pairs []pair
	var rest []*entry
	err := r.Ledger.View(ctx, func(t *ledger.Tx) error {
		pairs, rest = nil, nil
		taken := map[ledger.Key]bool{}
		for _, e := range entries {
			like := e.item
			like.GUID, like.Hash = [16]byte{}, e.body.Hash
			old, ok, err := t.Vanished(r.row.ID, like, taken)
			if err != nil {
				return err
			}
			if !ok {
				rest = append(rest, e)
				continue
			}
			taken[old.Key()] = true
			pairs = append(pairs, pair{old: old, new: e.item, mailbox: e.mailbox})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rest, r.rehome(ctx, pairs)
}

// rehome gives the emails of vanished items to the items that replace them,
// moving them at the destination where the mailbox differs. An email that
// its user has moved or deleted at the destination stays as the user left it.
func (r *run) rehome(ctx context.Context, pairs []pair) error {
	if len(pairs) == 0 {
		return nil
	}
	targets, err := r.targets(ctx)
	if err != nil {
		return err
	}
	ids := make([]string, len(pairs))
	for i, p := range pairs {
		ids[i] = p.old.Remote
	}
	emails, err := r.dst.Emails(ctx, ids)
	if err != nil {
		return err
	}
	var patches []destination.Patch
	var effects []ledger.Effect
	for _, p := range pairs {
		e, ok := emails[p.old.Remote]
		from := targets[p.old.Collection]
		if ok && from != p.mailbox.row.Target && slices.Contains(e.Mailboxes, from) {
			patches = append(patches, destination.Patch{ID: e.ID, AddMailboxes: []string{p.mailbox.row.Target}, RemoveMailboxes: []string{from}})
			effects = append(effects, ledger.Effect{Item: p.old.Key(), To: p.new.Key()})
		}
	}
	if len(patches) > 0 {
		if err := r.intendEffects(ctx, effects); err != nil {
			return err
		}
		if err := r.Step("move"); err != nil {
			return err
		}
		errs, err := r.dst.Update(ctx, patches)
		if err != nil {
			return err
		}
		for _, err := range errs {
			if err != nil && model.CodeOf(err) != destination.CodeNotFound {
				return err
			}
		}
	}
	err = r.step(ctx, "rehome", func(t *ledger.Tx) error {
		for _, p := range pairs {
			if err := r.rekey(t, p, emails, targets[p.old.Collection]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.tally(func() {
		for _, p := range pairs {
			e, ok := emails[p.old.Remote]
			from := targets[p.old.Collection]
			switch {
			case !ok:
				r.res.Counts.Kept++
				r.note(p.mailbox.name(), ledger.NoteItem(p.new.UID), "kept", keptDeleted)
			case from == p.mailbox.row.Target:
				r.res.Counts.Rematched++
			case slices.Contains(e.Mailboxes, from) || slices.Contains(e.Mailboxes, p.mailbox.row.Target):
				r.res.Counts.Moved++
			default:
				r.res.Counts.Kept++
				r.note(p.mailbox.name(), ledger.NoteItem(p.new.UID), "kept", keptMoved)
			}
		}
	})
	return nil
}

const (
	keptDeleted = "its user deleted the message at the destination; it is not brought again"
	keptMoved   = "moved at the source, but its user has filed it elsewhere at the destination; left there"
)

// rekey replaces the old row by the new one in the ledger.
func (r *run) rekey(t *ledger.Tx, p pair, emails map[string]destination.Email, from string) error {
	n := p.new
	n.Hash, n.Remote, n.Sent, n.Size = p.old.Hash, p.old.Remote, p.old.Sent, p.old.Size
	n.State = ledger.Changed
	if n.Sent.Equal(n.Flags) {
		n.State = ledger.Moved
	}
	code, text := "", ""
	if e, ok := emails[p.old.Remote]; !ok {
		n.State, code, text = ledger.Detached, "kept", keptDeleted
	} else if to := p.mailbox.row.Target; from != to && !slices.Contains(e.Mailboxes, from) && !slices.Contains(e.Mailboxes, to) {
		code, text = "kept", keptMoved
	}
	if err := t.MoveNotes(r.row.ID, p.old.Key(), n.Key()); err != nil {
		return err
	}
	if err := t.DeleteItem(p.old.Collection, p.old.UID); err != nil {
		return err
	}
	if err := t.PutItem(n); err != nil {
		return err
	}
	if code == "" {
		return nil
	}
	return r.putNote(t, n, code, text)
}

// targets returns the destination's mailbox of every collection, retired
// ones included.
func (r *run) targets(ctx context.Context) (map[int64]string, error) {
	rows, err := r.Ledger.Collections(ctx, r.row.ID)
	if err != nil {
		return nil, err
	}
	m := make(map[int64]string, len(rows))
	for _, c := range rows {
		m[c.ID] = c.Target
	}
	return m, nil
}
