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
	w.accounts = map[string]string{}
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
	want, err := w.wantedObjects(ctx, name(c.Path), grants)
	if err != nil {
		return err
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
			w.note(name(c.Path), "shared", fmt.Sprintf("%s: %s (was %s)", w.address(reader), want[id], is[id]))
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
		w.note(name(c.Path), "refused", fmt.Sprintf("the destination refuses to share it with %d accounts: %v", len(want), err))
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
	return w.lookAtObjects(ctx, dst, in, name(c.Path), want)
}

// wantedObjects works out what the destination should have, by account ID
// there, and notes what it cannot.
func (w *owner) wantedObjects(ctx context.Context, collection string, grants []model.ObjectGrant) (map[string]model.ObjectRights, error) {
	want := map[string]model.ObjectRights{}
	for _, g := range grants {
		logins, id, err := w.whoIs(ctx, collection, g.Identifier)
		if err != nil {
			return nil, err
		}
		if id != "" {
			want[id] |= g.Rights
		}
		for _, login := range logins {
			if login == w.acc.Login {
				continue
			}
			id, err := w.find(ctx, login)
			if err != nil {
				return nil, err
			}
			if id == "" {
				w.res.Waiting = append(w.res.Waiting, Wait{Mailbox: collection, Reader: w.address(login)})
				continue
			}
			want[id] |= g.Rights
		}
	}
	maps.DeleteFunc(want, func(_ string, r model.ObjectRights) bool { return r == 0 })
	return want, nil
}

// whoIs resolves an identifier: to accounts of the source, or to a group at the
// destination.
func (w *owner) whoIs(ctx context.Context, collection, identifier string) (logins []string, group string, err error) {
	key := strings.ToLower(identifier)
	if a, ok := w.people.byID[key]; ok {
		return []string{a.Login}, "", nil
	}
	g := w.people.groups[key]
	if everybody[key] {
		if g = w.people.anyone; g == nil {
			w.note(collection, "anyone", "everybody may use it; source.groups.addresses gives everybody a group at the destination")
			return nil, "", nil
		}
	}
	if g == nil {
		w.note(collection, "unknown", identifier+" is nobody that the source's accounts and groups know")
		return nil, "", nil
	}
	if g.address != "" {
		id, note, err := w.groups.ensure(ctx, g)
		if note != "" {
			w.note(collection, "group", g.address+": "+note)
		}
		if id != "" || err != nil {
			return nil, id, err
		}
	}
	for _, m := range g.members {
		logins = append(logins, m.Login)
	}
	return logins, "", nil
}

// lookAtObjects asks as the readers what they may do now.
func (w *owner) lookAtObjects(ctx context.Context, dst destination.ObjectSharer, in destination.Collection, collection string, want map[string]model.ObjectRights) error {
	for login, id := range w.accounts {
		rights := want[id]
		if id == "" || rights == 0 {
			continue
		}
		seen, err := dst.ObjectsSeenBy(ctx, in, w.address(login))
		if err != nil {
			return err
		}
		if rights&^seen&^model.ObjectFreeBusy != 0 {
			w.note(collection, "seen", fmt.Sprintf("%s was given %q, but sees %q", w.address(login), rights, seen))
		}
	}
	return nil
}
