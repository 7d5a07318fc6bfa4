package groupware

import (
	"context"
	"io"
	"sync"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// settleAll finds out what became of objects that an earlier run was about to
// create. Those that are not there are pending again; sending one twice does
// no harm, because it is not stored where its UID is taken.
func (a *Account) settleAll(ctx context.Context) error {
	for _, c := range a.all {
		if c.row.ID == 0 || c.row.Target == "" {
			continue
		}
		rows, err := a.Ledger.Objects(ctx, c.row.ID, ledger.Intended)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			continue
		}
		uids := make([]string, len(rows))
		for i, o := range rows {
			uids[i] = o.UID
		}
		have, digests, err := a.lookUp(ctx, c, uids)
		if model.CodeOf(err) == destination.CodeNotFound {
			have, err = nil, nil // the collection is gone: putCollections tells
		}
		if err != nil {
			return err
		}
		w := &batch{}
		for _, row := range rows {
			o, ok := have[row.UID]
			p := &part{prepared: &prepared{digest: row.Intent}, row: row}
			switch {
			case ok && digests[o.ID] == row.Intent:
				a.res.Of(c.src.Kind).Created++
				a.done(c, w, p, o)
			case ok:
				if a.another(c, w, p, o) {
					w.settle(p, nil)
				}
			default:
				p.row.State, p.row.Intent = ledger.Pending, [32]byte{}
				w.settle(p, nil)
			}
		}
		if err := a.confirm(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// few is up to how many objects are asked for one by one.
const few = 20

// lookUp finds objects by UID, and digests of what they hold now.
func (a *Account) lookUp(ctx context.Context, c *collection, uids []string) (map[string]destination.Object, map[string][32]byte, error) {
	have := map[string]destination.Object{}
	wanted := map[string]bool{}
	for _, uid := range uids {
		wanted[uid] = true
	}
	missing := uids
	if len(uids) > few || c.src.Kind == model.KindFiles {
		list, err := a.dst.Objects(ctx, c.at())
		if err != nil && model.CodeOf(err) != destination.CodeTruncated {
			return nil, nil, err
		}
		for _, o := range list {
			if wanted[o.UID] {
				have[o.UID] = o
			}
		}
		missing = nil
		for _, uid := range uids {
			if _, ok := have[uid]; !ok && err != nil {
				missing = append(missing, uid)
			}
		}
	}
	for _, uid := range missing {
		o, err := a.dst.FindObject(ctx, c.at(), uid)
		switch {
		case err == nil:
			have[uid] = o
		case model.CodeOf(err) != destination.CodeNotFound:
			return nil, nil, err
		}
	}
	byID := make(map[string]destination.Object, len(have))
	ids := make([]string, 0, len(have))
	for _, o := range have {
		byID[o.ID] = o
		ids = append(ids, o.ID)
	}
	digests, err := a.digests(ctx, c, ids, byID)
	return have, digests, err
}

// digests reads objects at the destination and digests their meaning. Files
// are known by their hash. What cannot be read or understood has none.
func (a *Account) digests(ctx context.Context, c *collection, ids []string, known map[string]destination.Object) (map[string][32]byte, error) {
	out := make(map[string][32]byte, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	if c.src.Kind == model.KindFiles {
		for _, id := range ids {
			out[id] = known[id].Hash
		}
		return out, nil
	}
	var mu sync.Mutex
	return out, a.dst.ReadObjects(ctx, c.at(), ids, func(o destination.Object, r io.Reader, err error) error {
		if err != nil {
			if model.ClassOf(err) == model.ClassItem {
				return nil
			}
			return err
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			return &model.Fault{Class: model.ClassRetry, Code: "read", Err: err}
		}
		if sum, ok := meaning(c.src.Kind, raw); ok {
			mu.Lock()
			defer mu.Unlock()
			out[o.ID] = sum
		}
		return nil
	})
}
