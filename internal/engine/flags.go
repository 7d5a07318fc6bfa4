package engine

import (
	"context"
	"slices"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// pushFlags writes what changed at the source since the last common state,
// keyword by keyword: a keyword that only the user at the destination
// changed is not touched.
func (r *run) pushFlags(ctx context.Context) error {
	mailboxes := r.mailboxes
	for _, c := range r.retired {
		mailboxes = append(mailboxes[:len(mailboxes):len(mailboxes)], boxOf(c))
	}
	for _, b := range mailboxes {
		var some []ledger.Item
		for i, err := range r.Ledger.Items(ctx, b.row.ID, ledger.Changed) {
			if err != nil {
				return err
			}
			if some = append(some, i); len(some) == matchChunk {
				if err := r.pushSome(ctx, b, some); err != nil {
					return err
				}
				some = nil
			}
		}
		if err := r.pushSome(ctx, b, some); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) pushSome(ctx context.Context, b *mailbox, items []ledger.Item) error {
	if len(items) == 0 {
		return nil
	}
	var patches []destination.Patch
	var patched []ledger.Item
	dropped := map[uint64][]string{}
	for _, i := range items {
		was, _ := r.vocab.Keywords(i.Sent)
		want, lost := r.vocab.Keywords(i.Flags)
		if len(lost) > 0 {
			dropped[i.UID] = lost
		}
		p := destination.Patch{ID: i.Remote, AddKeywords: minus(want, was), RemoveKeywords: minus(was, want)}
		if len(p.AddKeywords)+len(p.RemoveKeywords) > 0 {
			patches, patched = append(patches, p), append(patched, i)
		}
	}
	words := r.vocab.Fresh()
	if len(words) > 0 {
		if err := r.step(ctx, "words", func(t *ledger.Tx) error {
			for _, w := range words {
				if err := t.AddWord(r.row.ID, w); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	gone := map[uint64]bool{}
	if len(patches) > 0 {
		if err := r.Step("flags"); err != nil {
			return err
		}
		errs, err := r.dst.Update(ctx, patches)
		if err != nil {
			return err
		}
		for n, err := range errs {
			if err == nil {
				continue
			}
			if model.CodeOf(err) != destination.CodeNotFound {
				return err
			}
			gone[patched[n].UID] = true
		}
	}
	err := r.step(ctx, "flags", func(t *ledger.Tx) error {
		for _, i := range items {
			if err := r.flagsDone(t, i, gone[i.UID], dropped[i.UID]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.res.Counts.Flags += int64(len(patches) - len(gone))
	r.res.Counts.Kept += int64(len(gone))
	for uid := range gone {
		r.note(b.name(), ledger.NoteItem(uid), "kept", keptDeleted)
	}
	return nil
}

func (r *run) flagsDone(t *ledger.Tx, i ledger.Item, gone bool, dropped []string) error {
	if gone {
		if err := r.putNote(t, i, "kept", keptDeleted); err != nil {
			return err
		}
		return t.SetState(i.Collection, i.UID, ledger.Detached)
	}
	if len(dropped) > 0 {
		if err := r.putNote(t, i, "keyword", keywordText(dropped)); err != nil {
			return err
		}
	} else if err := t.ClearNote(r.row.ID, i.Collection, ledger.NoteItem(i.UID), "keyword"); err != nil {
		return err
	}
	return t.Confirm(i.Collection, i.UID, i.Remote)
}

// minus returns what a holds and b does not.
func minus(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}
