package groupware

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/safeshare"
)

// removeAll removes at the destination what the source removed, where its user
// left it alone, and collections that have become empty.
func (a *Account) removeAll(ctx context.Context) error {
	sums, err := a.Ledger.ObjectSums(ctx, a.Account)
	if err != nil {
		return err
	}
	held := map[model.Kind]bool{}
	for kind, by := range sums {
		gone, have := by[ledger.Vanished], by[ledger.Moved]+by[ledger.Changed]
		if safeshare.Items.Exceeded(gone, have) && !a.AllowDeletions {
			held[kind] = true
			a.Note("", "", NoteHeld, safeshare.Advice(gone, have, fmt.Sprintf("objects of kind %s", kind)))
		}
	}
	rows, err := a.Ledger.ObjectCollections(ctx, a.Account)
	if err != nil {
		return err
	}
	// Folders before those that hold them.
	slices.SortStableFunc(rows, func(a, b ledger.ObjectCollection) int { return len(b.Path) - len(a.Path) })
	for _, row := range rows {
		if held[row.Kind] || a.dst == nil || !a.dst.HoldsObjects(row.Kind) {
			continue
		}
		c := a.collectionOf(row)
		if err := a.remove(ctx, c); err != nil {
			return err
		}
		if row.Retired && !a.incomplete {
			if err := a.drop(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Account) collectionOf(row ledger.ObjectCollection) *collection {
	for _, c := range a.all {
		if c.row.ID == row.ID {
			return c
		}
	}
	return &collection{src: model.ObjectCollection{Kind: row.Kind, ID: row.SourceID, Path: row.Path}, row: row}
}

func (a *Account) remove(ctx context.Context, c *collection) error {
	rows, err := a.Ledger.Objects(ctx, c.row.ID, ledger.Vanished)
	if err != nil {
		return err
	}
	// What has moved to where nobody could read it yet is not gone.
	rows = slices.DeleteFunc(rows, func(o ledger.Object) bool { return a.awaited[c.src.Kind][baseName(o.SourceID)] })
	for len(rows) > 0 {
		some := rows[:min(200, len(rows))]
		rows = rows[len(some):]
		if err := a.removeSome(ctx, c, some); err != nil {
			return err
		}
	}
	return nil
}

func (a *Account) removeSome(ctx context.Context, c *collection, rows []ledger.Object) error {
	have := map[string]destination.Object{}
	if c.row.Target != "" && !c.lost {
		var ids []string
		for _, o := range rows {
			if o.Remote != "" {
				ids = append(ids, o.Remote)
			}
		}
		var err error
		have, err = a.dst.ObjectVersions(ctx, c.at(), ids)
		if model.CodeOf(err) == destination.CodeNotFound {
			have, err = nil, nil // the whole collection is gone
		}
		if err != nil {
			return err
		}
	}
	var look []string
	for _, row := range rows {
		if o, ok := have[row.Remote]; ok && o.Version != row.Stored {
			look = append(look, o.ID)
		}
	}
	digests, err := a.digests(ctx, c, look, have)
	if err != nil {
		return err
	}
	w := &batch{}
	var remove []destination.Object
	var of []ledger.Object
	for _, row := range rows {
		o, ok := have[row.Remote]
		there := Edited
		switch {
		case !ok:
			there = Removed
		case o.Version == row.Stored, row.Intent != [32]byte{} && digests[o.ID] == row.Intent, row.Stored != "" && digests[o.ID] == row.Digest:
			there = Same
		}
		w.del = append(w.del, row)
		switch Decide(Removed, there, false) {
		case Remove:
			remove, of = append(remove, o), append(of, row)
		case Keep:
			a.kept(c, w, row)
		}
	}
	if len(remove) > 0 {
		if err := a.Step("remove"); err != nil {
			return err
		}
		errs, err := a.dst.DeleteObjects(ctx, c.at(), remove)
		if err != nil {
			return err
		}
		for i, err := range errs {
			switch {
			case err == nil:
				a.res.Of(c.src.Kind).Removed++
			case model.ClassOf(err) == model.ClassItem:
				a.kept(c, w, of[i])
			default:
				return err
			}
		}
	}
	return a.confirm(ctx, w)
}

func (a *Account) kept(c *collection, w *batch, row ledger.Object) {
	a.res.Of(c.src.Kind).Kept++
	w.notes = append(w.notes, func(t *ledger.Tx) error {
		return a.note(t, c, itemName(row), NoteKept, "removed at the source, but its user has changed it at the destination since; left there")
	})
}

// drop removes a collection that we made and that the source no longer has.
func (a *Account) drop(ctx context.Context, c *collection) error {
	left, err := a.Ledger.Objects(ctx, c.row.ID)
	if err != nil || len(left) > 0 {
		return err
	}
	if c.row.Created && c.row.Target != "" && !a.inUse(c.row) {
		if err := a.Step("remove collection"); err != nil {
			return err
		}
		err := a.dst.DeleteObjectCollection(ctx, c.row.Kind, c.row.Target)
		switch {
		case err == nil:
			a.res.Of(c.row.Kind).Collections++
			a.Note(strings.Join(c.row.Path, "/"), "", "collectionRemoved", "removed at the source, and empty: removed at the destination")
		case model.CodeOf(err) == destination.CodeNotEmpty:
			a.Note(strings.Join(c.row.Path, "/"), "", NoteKept, "gone at the source, but at the destination it holds something of its user's: left there")
		default:
			return err
		}
	}
	return a.step(ctx, "forget collection", func(t *ledger.Tx) error { return t.DeleteObjectCollection(c.row.ID) })
}

func (a *Account) inUse(row ledger.ObjectCollection) bool {
	return slices.ContainsFunc(a.all, func(c *collection) bool { return c.row.Kind == row.Kind && c.row.Target == row.Target })
}
