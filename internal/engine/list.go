package engine

import (
	"context"
	"iter"

	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// listChunk is how many changes go into the ledger in one step.
const listChunk = 2000

// listAll brings what the source holds now into the ledger.
func (r *run) listAll(ctx context.Context) error {
	for _, b := range r.mailboxes {
		if !b.changed {
			continue
		}
		if err := r.list(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// list walks the changes of one mailbox. For a complete listing it walks the
// ledger's rows beside it, both in ascending order of UID, so that nothing
// grows with the mailbox.
func (r *run) list(ctx context.Context, b *mailbox) error {
	l := &lister{run: r, b: b}
	defer l.stop()
	chunk := make([]model.Change, 0, listChunk)
	flush := func(last bool) error {
		if len(chunk) == 0 && !last {
			return nil
		}
		err := r.step(ctx, "list", func(t *ledger.Tx) error {
			for _, c := range chunk {
				if err := l.apply(ctx, t, c); err != nil {
					return err
				}
			}
			if last {
				b.row.Fingerprint = b.src.Fingerprint
			}
			return t.PutCollection(&b.row)
		})
		chunk = chunk[:0]
		return err
	}
	answered, err := r.Courtesy.Asking(ctx)
	if err != nil {
		return err
	}
	for c, err := range r.store.Changes(ctx, b.src, b.row.Cursor) {
		if err != nil {
			return err
		}
		answered()
		if chunk = append(chunk, c); len(chunk) == cap(chunk) {
			if err := flush(false); err != nil {
				return err
			}
		}
	}
	return flush(true)
}

// lister applies changes of one mailbox to its rows.
type lister struct {
	*run
	b *mailbox
	// In a listing, the ledger's rows that it is about, in ascending order.
	next   func() (ledger.Item, error, bool)
	cancel func()
	head   ledger.Item
	more   bool
}

func (l *lister) stop() {
	if l.cancel != nil {
		l.cancel()
		l.cancel = nil
	}
}

func (l *lister) apply(ctx context.Context, t *ledger.Tx, c model.Change) error {
	switch c.Op {
	case model.OpListing:
		rows := l.Ledger.Items(ctx, l.b.row.ID)
		if len(c.UIDs) > 0 {
			rows = l.Ledger.ItemsIn(ctx, l.b.row.ID, c.UIDs)
		}
		l.next, l.cancel = iter.Pull2(rows)
		return l.advance()
	case model.OpUpsert:
		if l.cancel == nil {
			old, ok, err := t.Item(l.b.row.ID, c.Item.UID)
			if err != nil {
				return err
			}
			return l.upsert(t, c.Item, old, ok)
		}
		for l.more && l.head.UID < c.Item.UID {
			if err := l.gone(t, l.head); err != nil {
				return err
			}
			if err := l.advance(); err != nil {
				return err
			}
		}
		if l.more && l.head.UID == c.Item.UID {
			old := l.head
			if err := l.advance(); err != nil {
				return err
			}
			return l.upsert(t, c.Item, old, true)
		}
		return l.upsert(t, c.Item, ledger.Item{}, false)
	case model.OpRemoved:
		old, ok, err := t.Item(l.b.row.ID, c.Item.UID)
		if err != nil || !ok {
			return err
		}
		return l.gone(t, old)
	case model.OpSurvivors:
		return l.survivors(ctx, t, c.UIDs)
	case model.OpCheckpoint:
		for l.cancel != nil && l.more {
			if err := l.gone(t, l.head); err != nil {
				return err
			}
			if err := l.advance(); err != nil {
				return err
			}
		}
		l.stop()
		l.b.row.Cursor = c.Cursor
	}
	return nil
}

func (l *lister) advance() (err error) {
	l.head, err, l.more = l.next()
	return err
}

// survivors marks everything outside the ranges as gone. Rows written in
// this very step are newer than the snapshot and cannot be among them.
func (l *lister) survivors(ctx context.Context, t *ledger.Tx, ranges []model.UIDRange) error {
	for i, err := range l.Ledger.Items(ctx, l.b.row.ID) {
		if err != nil {
			return err
		}
		for len(ranges) > 0 && ranges[0].Last < i.UID {
			ranges = ranges[1:]
		}
		if len(ranges) > 0 && ranges[0].First <= i.UID {
			continue
		}
		now, ok, err := t.Item(l.b.row.ID, i.UID)
		if err != nil {
			return err
		}
		if ok {
			if err := l.gone(t, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// upsert compares an item of the source with its row.
func (l *lister) upsert(t *ledger.Tx, it model.Item, old ledger.Item, known bool) error {
	guid := ledger.GUID(it.GUID)
	if known && old.HasGUID() && guid != [16]byte{} && old.GUID != guid {
		// The UID stands for another message now, against RFC 9051 §2.3.1.1.
		if err := l.displace(t, old); err != nil {
			return err
		}
		known = false
	}
	if !known {
		return t.PutItem(ledger.Item{Collection: l.b.row.ID, UID: it.UID, State: ledger.Pending, GUID: guid,
			Flags: it.Flags, Received: it.Received, Size: it.Size})
	}
	same := old.Flags.Equal(it.Flags)
	if same && old.State != ledger.Vanished && (old.HasGUID() || guid == [16]byte{}) {
		return nil
	}
	old.Flags = it.Flags
	if !old.HasGUID() {
		old.GUID = guid
	}
	switch old.State {
	case ledger.Moved, ledger.Changed, ledger.Vanished:
		old.State = ledger.Changed
		if old.Sent.Equal(it.Flags) {
			old.State = ledger.Moved
		}
	case ledger.Pending:
		old.Received, old.Size = it.Received, it.Size
	}
	return t.PutItem(old)
}

// gone marks an item that its mailbox no longer holds: what is at the
// destination is decided later, the rest is forgotten. What its user deleted
// there is remembered, because it may have moved here: it is not brought again.
func (l *lister) gone(t *ledger.Tx, i ledger.Item) error {
	switch i.State {
	case ledger.Moved, ledger.Changed, ledger.Detached:
		return t.SetState(i.Collection, i.UID, ledger.Vanished)
	case ledger.Vanished:
		return nil
	}
	return t.DeleteItem(i.Collection, i.UID)
}

// displaced is added to the UID of a row whose UID was taken by another
// message.
const displaced = 1 << 62

func (l *lister) displace(t *ledger.Tx, i ledger.Item) error {
	if err := t.DeleteItem(i.Collection, i.UID); err != nil {
		return err
	}
	if i.State != ledger.Moved && i.State != ledger.Changed && i.State != ledger.Vanished && i.State != ledger.Detached {
		return nil
	}
	i.UID |= displaced
	i.State = ledger.Vanished
	return t.PutItem(i)
}
