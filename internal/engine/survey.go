package engine

import (
	"context"
	"slices"

	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// survey asks the source for its mailboxes and finds each one's row in the
// ledger. A mailbox whose UIDVALIDITY changed gets a new row; its old one
// is retired, and its items are matched again by identity. So does one that
// was deleted and lives on as a level above others.
func (r *run) survey(ctx context.Context) error {
	cols, err := r.store.Collections(ctx)
	if err != nil {
		return err
	}
	known, err := r.Ledger.Collections(ctx, r.row.ID)
	if err != nil {
		return err
	}
	used := map[int64]bool{}
	for _, c := range cols {
		if c.Kind != model.KindMail {
			continue
		}
		if c.Container {
			c.UIDValidity = 0
		}
		if err := r.recoverable(c, known); err != nil {
			return err
		}
		b := &mailbox{src: c}
		i := slices.IndexFunc(known, func(k ledger.Collection) bool {
			return k.Kind == c.Kind && k.SourceID == c.ID && k.UIDValidity == c.UIDValidity
		})
		if i >= 0 {
			b.row = known[i]
			used[b.row.ID] = true
			b.renamed = !slices.Equal(b.row.Path, c.Path)
			b.row.Native, b.row.Path = c.Native, c.Path
			b.row.Retired = false
		} else {
			b.row = ledger.Collection{Account: r.row.ID, Kind: c.Kind, SourceID: c.ID, UIDValidity: c.UIDValidity,
				Native: c.Native, Path: c.Path, Subscribed: -1}
			// The new generation of a mailbox goes where the old one went.
			if j := slices.IndexFunc(known, func(k ledger.Collection) bool {
				return k.Kind == c.Kind && k.SourceID == c.ID && slices.Equal(k.Path, c.Path) && k.Target != ""
			}); j >= 0 {
				b.row.Target, b.row.TargetPath = known[j].Target, known[j].TargetPath
				b.row.Created, b.row.Subscribed = known[j].Created, known[j].Subscribed
			}
		}
		b.changed = !c.Container && (i < 0 || c.Fingerprint == "" || c.Fingerprint != b.row.Fingerprint)
		r.mailboxes = append(r.mailboxes, b)
	}
	for _, k := range known {
		if !used[k.ID] {
			r.retired = append(r.retired, k)
		}
	}
	return nil
}
