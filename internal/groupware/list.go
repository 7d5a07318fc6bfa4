package groupware

import (
	"context"
	"encoding/json"
	"time"

	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// meta is what a listing tells of a file and reading it does not.
type meta struct {
	Name     string    `json:"name,omitempty"`
	Type     string    `json:"type,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	Repaired bool      `json:"repaired,omitempty"` // the name was not in UTF-8
}

// listAll brings what the source holds now into the ledger, and retires
// collections that it no longer has.
func (a *Account) listAll(ctx context.Context) error {
	for _, c := range a.all {
		if !c.changed || c.lost {
			continue
		}
		if err := a.list(ctx, c); err != nil {
			if model.ClassOf(err) != model.ClassItem {
				return err
			}
			a.unreadable(c.name(), err)
		}
	}
	if a.incomplete {
		return nil
	}
	for i := range a.retired {
		if err := a.retire(ctx, &a.retired[i]); err != nil {
			return err
		}
	}
	return nil
}

// list is one step: the rows and the cursor that stands for them.
func (a *Account) list(ctx context.Context, c *collection) error {
	rows := map[string][]ledger.Object{}
	if c.row.ID != 0 {
		have, err := a.Ledger.Objects(ctx, c.row.ID)
		if err != nil {
			return err
		}
		for _, o := range have {
			rows[o.SourceID] = append(rows[o.SourceID], o)
		}
	}
	var put, del []ledger.Object
	gone := func(o ledger.Object) {
		switch o.State {
		case ledger.Moved, ledger.Changed, ledger.Detached:
			o.State = ledger.Vanished
			put = append(put, o)
		case ledger.Pending, ledger.Refused, ledger.Excluded:
			del = append(del, o)
		}
	}
	full, cursor := false, ""
	// seen are all that were named, listed those in the complete listing: what
	// changed may have been told before, until the source could tell no more.
	seen, listed := map[string]bool{}, map[string]bool{}
	for ch, err := range a.Source.ObjectChanges(ctx, c.src, c.row.Cursor) {
		if err != nil {
			return err
		}
		id := ch.Object.ID
		switch ch.Op {
		case model.OpListing:
			full = true
			clear(listed)
		case model.OpRemoved:
			for _, o := range rows[id] {
				gone(o)
			}
			delete(rows, id)
		case model.OpCheckpoint:
			cursor = ch.Cursor
		case model.OpUpsert:
			listed[id] = true
			if seen[id] {
				continue
			}
			seen[id] = true
			about := ""
			if c.src.Kind == model.KindFiles {
				name, repaired := readable(ch.Object.Name)
				raw, _ := json.Marshal(meta{Name: name, Type: ch.Object.Type, Modified: ch.Object.Modified, Repaired: repaired})
				about = string(raw)
			}
			if len(rows[id]) == 0 {
				put = append(put, ledger.Object{SourceID: id, State: ledger.Pending, Version: ch.Object.Version, Meta: about})
			}
			for _, o := range rows[id] {
				if o.Version == ch.Object.Version && o.Version != "" && o.State != ledger.Vanished {
					continue
				}
				o.Version, o.Meta = ch.Object.Version, about
				switch o.State {
				case ledger.Moved, ledger.Vanished:
					o.State = ledger.Changed
				case ledger.Refused, ledger.Excluded:
					o.State = ledger.Pending
				}
				put = append(put, o)
			}
		}
	}
	if full {
		for id, list := range rows {
			if !listed[id] {
				for _, o := range list {
					gone(o)
				}
			}
		}
	}
	return a.step(ctx, "list", func(t *ledger.Tx) error {
		c.row.Cursor, c.row.Fingerprint = cursor, c.src.Fingerprint
		if err := t.PutObjectCollection(&c.row); err != nil {
			return err
		}
		for _, o := range del {
			if err := t.DeleteObject(o); err != nil {
				return err
			}
		}
		for _, o := range put {
			o.Collection = c.row.ID
			if err := t.PutObject(o); err != nil {
				return err
			}
		}
		return nil
	})
}

// retire marks everything in a collection that is gone at the source.
func (a *Account) retire(ctx context.Context, c *ledger.ObjectCollection) error {
	rows, err := a.Ledger.Objects(ctx, c.ID)
	if err != nil {
		return err
	}
	if c.Retired && len(rows) == 0 {
		return nil
	}
	return a.step(ctx, "retire", func(t *ledger.Tx) error {
		c.Retired, c.Cursor, c.Fingerprint = true, "", ""
		if err := t.PutObjectCollection(c); err != nil {
			return err
		}
		for _, o := range rows {
			switch o.State {
			case ledger.Moved, ledger.Changed, ledger.Detached:
				o.State = ledger.Vanished
				err = t.PutObject(o)
			case ledger.Pending, ledger.Refused, ledger.Excluded:
				err = t.DeleteObject(o)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
