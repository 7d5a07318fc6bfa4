package share

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
)

// objects carries who may use the account's calendars, address books and
// folders of files, those that have arrived.
func (w *owner) objects(ctx context.Context, account int64, store source.Store) error {
	lists, ok := store.(source.ObjectRights)
	src, has := store.(source.Objects)
	if !ok || !has {
		return nil
	}
	rows, err := w.Ledger.ObjectCollections(ctx, account)
	if err != nil || len(rows) == 0 {
		return err
	}
	at, err := w.Destination.Open(ctx, w.acc.Address)
	if err != nil {
		return err
	}
	dst, ok := at.(destination.ObjectSharer)
	if !ok {
		return nil
	}
	cols, _, err := src.ObjectCollections(ctx)
	if err != nil {
		return err
	}
	for _, c := range cols {
		i := slices.IndexFunc(rows, func(r ledger.ObjectCollection) bool {
			return r.Kind == c.Kind && r.SourceID == c.ID && r.Target != "" && !r.Retired
		})
		if i < 0 {
			continue
		}
		grants, err := lists.ObjectRights(ctx, c)
		if err != nil && model.ClassOf(err) == model.ClassItem {
			w.note(name(c.Path), "unreadable", fmt.Sprintf("its list cannot be read, and nothing is changed: %v", err))
			continue
		}
		if err != nil {
			return err
		}
		if err := w.objectCollection(ctx, dst, c, rows[i], grants); err != nil {
			return err
		}
	}
	return nil
}

func (w *owner) objectCollection(ctx context.Context, dst destination.ObjectSharer, c model.ObjectCollection, row ledger.ObjectCollection, grants []model.ObjectGrant) error {
	in := destination.Collection{Kind: row.Kind, ID: row.Target}
	rights, err := w.wanted(ctx, name(c.Path), w.people.readObjects(c.Kind, grants), false)
	if err != nil {
		return err
	}
	want := map[string]model.ObjectRights{}
	for id, r := range rights {
		want[id] = model.ObjectRights(r)
	}
	was, err := w.Ledger.ObjectShares(ctx, row.ID)
	if err != nil || len(want)+len(was) == 0 {
		return err
	}
	is, err := dst.ObjectShares(ctx, in)
	if err != nil {
		return err
	}
	ids := maps.Clone(want)
	for id := range was {
		ids[id] = 0
	}
	set, common := map[string]model.ObjectRights{}, map[string]model.ObjectRights{}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		reader, err := w.reader(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case is[id] == want[id]:
			common[id] = want[id]
		case is[id] == was[id]:
			set[id], common[id] = want[id], want[id]
			w.res.Changes = append(w.res.Changes, Change{Kind: c.Kind.String(), Mailbox: name(c.Path), Reader: w.address(reader), From: is[id], To: want[id]})
		default:
			w.res.Kept++
			if want[id] != was[id] {
				w.note(name(c.Path), "kept", fmt.Sprintf("%s has %q at the destination, where it was changed; the source says %q now", w.address(reader), is[id], want[id]))
			}
			want[id] = is[id]
		}
		if want[id] != 0 {
			w.res.Shares++
		}
	}
	if w.DryRun {
		return nil
	}
	if err := dst.ShareObjects(ctx, in, set); err != nil {
		if model.ClassOf(err) != model.ClassItem {
			return err
		}
		w.note(name(c.Path), "refused", fmt.Sprintf("the destination refuses to share it with %s: %v", plural.Count(len(want), "account"), err))
		return nil
	}
	err = w.Ledger.Write(ctx, func(tx *ledger.Tx) error {
		for id, rights := range common {
			if err := tx.PutObjectShare(row.ID, id, rights); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.given = append(w.given, givenObjects{dst, in, name(c.Path), want})
	return err
}

// givenObjects are what others were given of one collection.
type givenObjects struct {
	dst  destination.ObjectSharer
	in   destination.Collection
	name string
	want map[string]model.ObjectRights // by account ID at the destination
}

// lookAtObjects asks as the readers what they may do now, and notes what
// differs.
func (w *owner) lookAtObjects(ctx context.Context) error {
	for _, g := range w.given {
		want := map[string]model.ObjectRights{}
		for id, rights := range g.want {
			logins, err := w.whom(ctx, id)
			if err != nil {
				return err
			}
			for _, login := range logins {
				want[login] |= rights
			}
		}
		for _, login := range slices.Sorted(maps.Keys(want)) {
			a, ok := w.people.byID[strings.ToLower(login)]
			if !ok || want[login] == 0 {
				continue
			}
			seen, err := g.dst.ObjectsSeenBy(ctx, g.in, a.Address)
			if err != nil {
				return err
			}
			if seen = seen.Of(g.in.Kind); want[login]|model.ObjectFreeBusy.Of(g.in.Kind) != seen|model.ObjectFreeBusy.Of(g.in.Kind) {
				w.note(g.name, "seen", fmt.Sprintf("%s was given %q, but sees %q", a.Address, want[login], seen))
			}
		}
	}
	return nil
}
