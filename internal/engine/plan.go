package engine

import (
	"context"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
)

// plan is the dry run: it lists the source into the ledger, which is ours,
// reads the destination's mailboxes, and counts what a run would do. It
// writes nothing on either server.
func (r *run) plan(ctx context.Context, scripts int) error {
	var at []destination.Mailbox
	if r.dst != nil {
		var err error
		if at, err = r.dst.Mailboxes(ctx); err != nil {
			return err
		}
	}
	tree := newTree(at)
	for i, t := range r.mapTargets(at) {
		b := r.mailboxes[i]
		if t.ExistingID == "" && tree.byID[b.row.Target] == nil {
			r.res.Counts.Mailboxes++
		}
		if t.Reason != "" {
			r.note(b.name(), "", "renamed", strings.Join(t.Path, "/")+": "+t.Reason)
		}
	}
	for _, b := range r.mailboxes {
		if b.row.ID != 0 {
			continue
		}
		if err := r.step(ctx, "mailbox", func(t *ledger.Tx) error { return t.PutCollection(&b.row) }); err != nil {
			return err
		}
	}
	if err := r.holdInterrupted(ctx); err != nil {
		return err
	}
	if err := r.listAll(ctx); err != nil {
		return err
	}
	for _, b := range r.mailboxes {
		n, octets, err := r.Ledger.Count(ctx, b.row.ID, append(r.loadable(), ledger.Intended)...)
		if err != nil {
			return err
		}
		r.res.Counts.Messages += n
		r.res.Counts.Octets += octets
	}
	var err error
	if r.res.Counts.Flags, err = r.Ledger.CountAccount(ctx, r.row.ID, ledger.Changed); err != nil {
		return err
	}
	if r.res.Counts.Deleted, err = r.Ledger.CountAccount(ctx, r.row.ID, ledger.Vanished); err != nil {
		return err
	}
	for _, c := range r.retired {
		n, _, err := r.Ledger.Count(ctx, c.ID, ledger.Moved, ledger.Changed)
		if err != nil {
			return err
		}
		r.res.Counts.Deleted += n
	}
	r.res.Counts.Scripts = int64(scripts)
	return r.countRefused(ctx)
}

// holdInterrupted leaves mailboxes unlisted where an earlier run was stopped
// in the middle of an effect. It may have happened already; only a real run,
// which finishes it before it lists, keeps both sides in step.
func (r *run) holdInterrupted(ctx context.Context) error {
	effects, err := r.Ledger.Effects(ctx, r.row.ID)
	if err != nil {
		return err
	}
	for _, b := range r.mailboxes {
		if b.row.ID == 0 || !b.changed {
			continue
		}
		n, _, err := r.Ledger.Count(ctx, b.row.ID, ledger.Changed)
		if err != nil {
			return err
		}
		if n > 0 || len(effects) > 0 {
			b.changed = false
			r.note(b.name(), "", "interrupted", "an earlier run left changes to finish; what is new here is counted once a run has finished them")
		}
	}
	return nil
}
