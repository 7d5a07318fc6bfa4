package engine

import (
	"context"
	"slices"

	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// intendEffects makes moves and deletions durable before they are asked for.
func (r *run) intendEffects(ctx context.Context, effects []ledger.Effect) error {
	return r.step(ctx, "intend effects", func(t *ledger.Tx) error {
		for _, e := range effects {
			if err := t.PutEffect(r.row.ID, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// finish does again what an interrupted run was doing to emails that exist:
// moves, deletions, flags. Each is harmless when it has happened already. It
// comes before the source is listed: the source may have taken a change back
// or gone further meanwhile, and then the listing alone could not tell our
// own half-finished effect from the act of a user at the destination.
func (r *run) finish(ctx context.Context) error {
	effects, err := r.Ledger.Effects(ctx, r.row.ID)
	if err != nil {
		return err
	}
	rows, err := r.Ledger.Collections(ctx, r.row.ID)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(effects, matchChunk) {
		if err := r.finishSome(ctx, chunk, rows); err != nil {
			return err
		}
	}
	return r.pushFlags(ctx)
}

func (r *run) finishSome(ctx context.Context, effects []ledger.Effect, rows []ledger.Collection) error {
	var pairs []pair
	deletions := map[int64][]ledger.Item{}
	err := r.Ledger.View(ctx, func(t *ledger.Tx) error {
		for _, e := range effects {
			old, ok, err := t.Item(e.Item.Collection, e.Item.UID)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if e.To == (ledger.Key{}) {
				deletions[old.Collection] = append(deletions[old.Collection], old)
				continue
			}
			heir, ok, err := t.Item(e.To.Collection, e.To.UID)
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(rows, func(c ledger.Collection) bool { return c.ID == e.To.Collection }); ok && i >= 0 {
				pairs = append(pairs, pair{old: old, new: heir, mailbox: boxOf(rows[i])})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.rehome(ctx, pairs); err != nil {
		return err
	}
	for _, c := range rows {
		if err := r.deleteSome(ctx, c, deletions[c.ID]); err != nil {
			return err
		}
	}
	return nil
}

// boxOf is a mailbox that the source may no longer have.
func boxOf(c ledger.Collection) *mailbox {
	return &mailbox{src: model.Collection{Native: c.Native, Path: c.Path}, row: c}
}
