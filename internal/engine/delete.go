package engine

import (
	"context"
	"slices"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/safeshare"
)

// deleteVanished deletes at the destination what the source deleted: only
// what we brought, only what its user left alone.
func (r *run) deleteVanished(ctx context.Context) error {
	n, err := r.Ledger.CountAccount(ctx, r.row.ID, ledger.Vanished)
	if err != nil {
		return err
	}
	if n > 0 {
		have, err := r.Ledger.CountAccount(ctx, r.row.ID, ledger.Moved, ledger.Changed)
		if err != nil {
			return err
		}
		if !r.AllowDeletions && safeshare.Items.Exceeded(n, have) {
			r.note("", "", safeshare.Note, safeshare.Advice(n, have, "messages"))
			return nil
		}
	}
	rows, err := r.Ledger.Collections(ctx, r.row.ID)
	if err != nil {
		return err
	}
	for _, c := range rows {
		var some []ledger.Item
		for i, err := range r.Ledger.Items(ctx, c.ID, ledger.Vanished) {
			if err != nil {
				return err
			}
			if some = append(some, i); len(some) == matchChunk {
				if err := r.deleteSome(ctx, c, some); err != nil {
					return err
				}
				some = nil
			}
		}
		if err := r.deleteSome(ctx, c, some); err != nil {
			return err
		}
	}
	return r.dropRetired(ctx)
}

func (r *run) deleteSome(ctx context.Context, c ledger.Collection, items []ledger.Item) error {
	if len(items) == 0 {
		return nil
	}
	ids := make([]string, len(items))
	for i, it := range items {
		ids[i] = it.Remote
	}
	emails, err := r.dst.Emails(ctx, ids)
	if err != nil {
		return err
	}
	var destroy []string
	var unfile []destination.Patch
	var effects []ledger.Effect
	kept := map[uint64]bool{}
	for _, i := range items {
		e, ok := emails[i.Remote]
		if !ok {
			continue
		}
		sent, _ := r.vocab.Keywords(i.Sent)
		switch {
		case !slices.Contains(e.Mailboxes, c.Target) || !slices.Equal(e.Keywords, sent):
			kept[i.UID] = true
		case len(e.Mailboxes) > 1:
			effects = append(effects, ledger.Effect{Item: i.Key()})
			unfile = append(unfile, destination.Patch{ID: e.ID, RemoveMailboxes: []string{c.Target}})
		default:
			effects = append(effects, ledger.Effect{Item: i.Key()})
			destroy = append(destroy, e.ID)
		}
	}
	if err := r.effectDeletions(ctx, effects, destroy, unfile); err != nil {
		return err
	}
	err = r.step(ctx, "deleted", func(t *ledger.Tx) error {
		for _, i := range items {
			if err := t.DeleteItem(i.Collection, i.UID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.res.Counts.Deleted += int64(len(destroy) + len(unfile))
	r.res.Counts.Kept += int64(len(kept))
	for uid := range kept {
		r.note(mailboxName(c.Path), ledger.NoteItem(uid), "kept", "deleted at the source, but its user has changed it at the destination since; left there")
	}
	return nil
}

func (r *run) effectDeletions(ctx context.Context, effects []ledger.Effect, destroy []string, unfile []destination.Patch) error {
	if len(destroy)+len(unfile) == 0 {
		return nil
	}
	if err := r.intendEffects(ctx, effects); err != nil {
		return err
	}
	if err := r.Step("delete"); err != nil {
		return err
	}
	var errs []error
	if len(destroy) > 0 {
		some, err := r.dst.Destroy(ctx, destroy)
		if err != nil {
			return err
		}
		errs = append(errs, some...)
	}
	if len(unfile) > 0 {
		some, err := r.dst.Update(ctx, unfile)
		if err != nil {
			return err
		}
		errs = append(errs, some...)
	}
	for _, err := range errs {
		if err != nil && model.CodeOf(err) != destination.CodeNotFound {
			return err
		}
	}
	return nil
}

// dropRetired forgets retired mailboxes that hold nothing any more, and
// removes those that we made and that the source no longer has.
func (r *run) dropRetired(ctx context.Context) error {
	if len(r.retired) == 0 {
		return nil
	}
	inUse := map[string]bool{}
	for _, b := range r.mailboxes {
		inUse[b.row.Target] = true
	}
	at, err := r.dst.Mailboxes(ctx)
	if err != nil {
		return err
	}
	// Children before parents: the longer path first.
	retired := slices.Clone(r.retired)
	slices.SortFunc(retired, func(a, b ledger.Collection) int { return len(b.TargetPath) - len(a.TargetPath) })
	for _, c := range retired {
		left, _, err := r.Ledger.Count(ctx, c.ID, ledger.Vanished, ledger.Intended)
		if err != nil {
			return err
		}
		if left > 0 {
			continue
		}
		if c.Created && c.Target != "" && !inUse[c.Target] {
			i := slices.IndexFunc(at, func(m destination.Mailbox) bool { return m.ID == c.Target })
			parent := slices.ContainsFunc(at, func(m destination.Mailbox) bool { return m.Parent == c.Target })
			if i >= 0 && at[i].Emails == 0 && !parent {
				if err := r.Step("delete mailbox"); err != nil {
					return err
				}
				if err := r.dst.DeleteMailbox(ctx, c.Target); err != nil && model.CodeOf(err) != destination.CodeNotFound {
					return err
				}
				at = slices.Delete(at, i, i+1)
				r.res.Counts.Mailboxes++
				r.note(mailboxName(c.Path), "", "mailboxDeleted", "deleted at the source, and empty: deleted at the destination")
			} else if i >= 0 {
				r.note(mailboxName(c.Path), "", "kept", "the mailbox is gone at the source, but at the destination it holds something of its user's: left there")
			}
		}
		if err := r.step(ctx, "forget mailbox", func(t *ledger.Tx) error { return t.DeleteCollection(c.ID) }); err != nil {
			return err
		}
	}
	return nil
}
