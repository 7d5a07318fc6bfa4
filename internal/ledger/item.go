package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/model"
)

// Item is the ledger's row of one item.
type Item struct {
	Collection int64
	UID        uint64
	State      State
	GUID       [16]byte // zero: none
	Flags      model.Flags
	// Sent are the source's flags when they were last written to the
	// destination: the last common state of the three-way comparison.
	Sent     model.Flags
	Received time.Time
	Size     int64
	Hash     [32]byte // zero: never read
	Remote   string
}

// HasGUID reports whether the source gave an identity.
func (i *Item) HasGUID() bool { return i.GUID != [16]byte{} }

// GUID packs a source's identity into 16 octets: 32 hex digits as they are,
// anything else by BLAKE3. The empty identity gives the zero value.
func GUID(s string) (g [16]byte) {
	if s == "" {
		return g
	}
	if len(s) == 32 {
		if _, err := hex.Decode(g[:], []byte(s)); err == nil {
			return g
		}
	}
	sum := blake3.Sum256([]byte(s))
	copy(g[:], sum[:])
	return g
}

const itemColumns = "collection, uid, state, guid, flags, keywords, sent_flags, sent_keywords, received, size, hash, remote"

func (l *Ledger) scan(rows interface{ Scan(...any) error }, q querier) (Item, error) {
	var i Item
	var uid, received, kw, sentKw int64
	var flags, sent uint8
	var guid, hash []byte
	var remote sql.NullString
	err := rows.Scan(&i.Collection, &uid, &i.State, &guid, &flags, &kw, &sent, &sentKw, &received, &i.Size, &hash, &remote)
	if err != nil {
		return i, err
	}
	i.UID, i.Received, i.Remote = uint64(uid), time.Unix(received, 0).UTC(), remote.String
	copy(i.GUID[:], guid)
	copy(i.Hash[:], hash)
	i.Flags.System, i.Sent.System = model.SystemFlags(flags), model.SystemFlags(sent)
	if i.Flags.Keywords, err = l.set(q, kw); err != nil {
		return i, err
	}
	i.Sent.Keywords, err = l.set(q, sentKw)
	return i, err
}

// itemsPage is how many rows Items reads at once.
const itemsPage = 1000

// Items yields items of a collection in ascending order of UID. With states,
// only those in one of them; without, all. Rows may be written meanwhile: what
// happens at or below the UID that was yielded last never appears, what happens
// above may or may not. It reads page by page, because a reader that stays
// keeps the write-ahead log from being emptied: it would grow with the mailbox.
// The next page is read while one is used.
func (l *Ledger) Items(ctx context.Context, collection int64, states ...State) iter.Seq2[Item, error] {
	return l.items(ctx, collection, model.UIDRange{Last: 1<<63 - 1}, states)
}

// ItemsIn yields all items of a collection whose UIDs are in one of the ranges,
// which ascend, as Items does.
func (l *Ledger) ItemsIn(ctx context.Context, collection int64, ranges []model.UIDRange) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for _, r := range ranges {
			for i, err := range l.items(ctx, collection, r, nil) {
				if !yield(i, err) || err != nil {
					return
				}
			}
		}
	}
}

func (l *Ledger) items(ctx context.Context, collection int64, in model.UIDRange, states []State) iter.Seq2[Item, error] {
	last := int64(min(in.Last, 1<<63-1))
	return func(yield func(Item, error) bool) {
		type answer struct {
			page []Item
			err  error
		}
		ask := func(into []Item, after int64) <-chan answer {
			out := make(chan answer, 1)
			go func() {
				page, err := l.page(ctx, into[:0], collection, after, last, states)
				out <- answer{page, err}
			}()
			return out
		}
		now, err := l.page(ctx, nil, collection, int64(in.First)-1, last, states)
		var used []Item
		for err == nil {
			var ahead <-chan answer
			if len(now) == itemsPage {
				ahead = ask(used, int64(now[len(now)-1].UID))
			}
			for _, i := range now {
				if !yield(i, nil) {
					if ahead != nil {
						<-ahead
					}
					return
				}
			}
			if ahead == nil {
				return
			}
			next := <-ahead
			used, now, err = now, next.page, next.err
		}
		yield(Item{}, err)
	}
}

// page appends the rows behind a UID, up to another.
func (l *Ledger) page(ctx context.Context, page []Item, collection, after, last int64, states []State) ([]Item, error) {
	defer l.worked(time.Now())
	var q strings.Builder
	var args []any
	for n, from := range inStates(states) {
		if n > 0 {
			q.WriteString(" UNION ALL ")
		}
		q.WriteString("SELECT " + itemColumns + " FROM items " + from + " AND collection = ? AND uid > ? AND uid <= ?")
		args = append(args, collection, after, last)
	}
	q.WriteString(" ORDER BY uid LIMIT ?")
	rows, err := l.read.QueryContext(ctx, q.String(), append(args, itemsPage)...)
	if err != nil {
		return page, fatal("ledger", err)
	}
	defer rows.Close()
	for rows.Next() {
		i, err := l.scan(rows, l.read)
		if err != nil {
			return page, fatal("ledger", err)
		}
		page = append(page, i)
	}
	if err := rows.Err(); err != nil {
		return page, fatal("ledger", err)
	}
	return page, nil
}

// Item returns one row; ok is false when there is none.
func (t *Tx) Item(collection int64, uid uint64) (i Item, ok bool, err error) {
	st, err := t.prepare("SELECT " + itemColumns + " FROM items WHERE collection = ? AND uid = ?")
	if err != nil {
		return i, false, err
	}
	i, err = t.l.scan(st.QueryRowContext(t.ctx, collection, int64(uid)), t.tx)
	if errors.Is(err, sql.ErrNoRows) {
		return i, false, nil
	}
	return i, err == nil, err
}

// Key names a row.
type Key struct {
	Collection int64
	UID        uint64
}

// Key returns the row's key.
func (i *Item) Key() Key { return Key{i.Collection, i.UID} }

// Vanished finds a vanished item of the account that is the same message as
// like: of equal identity or, where like has none, of equal content, and
// received at the same time, which a move preserves (RFC 9051 §6.4.7, §6.4.8). What is
// taken is left out; an item in the mailbox of like wins.
func (t *Tx) Vanished(account int64, like Item, taken map[Key]bool) (Item, bool, error) {
	where, arg := "guid = ?", any(like.GUID[:])
	if !like.HasGUID() {
		where, arg = "hash = ?", like.Hash[:]
	}
	// By the index of identities alone: an account may have many mailboxes.
	st, err := t.prepare("SELECT " + itemColumns + " FROM items WHERE state = 5 AND " + where + `
		AND received = ? AND (SELECT account FROM collections WHERE id = +collection) = ? ORDER BY collection <> ?, uid`)
	if err != nil {
		return Item{}, false, err
	}
	rows, err := st.QueryContext(t.ctx, arg, like.Received.Unix(), account, like.Collection)
	if err != nil {
		return Item{}, false, fatal("ledger", err)
	}
	defer rows.Close()
	for rows.Next() {
		i, err := t.l.scan(rows, t.tx)
		if err != nil {
			return i, false, fatal("ledger", err)
		}
		if !taken[i.Key()] {
			return i, true, nil
		}
	}
	return Item{}, false, rows.Err()
}

// PutItem stores the whole row.
func (t *Tx) PutItem(i Item) error {
	kw, err := t.setID(i.Flags.Keywords)
	if err != nil {
		return err
	}
	sent, err := t.setID(i.Sent.Keywords)
	if err != nil {
		return err
	}
	_, err = t.exec("INSERT OR REPLACE INTO items ("+itemColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		i.Collection, int64(i.UID), i.State, blob(i.GUID[:]), uint8(i.Flags.System), kw, uint8(i.Sent.System), sent,
		i.Received.Unix(), i.Size, blob(i.Hash[:]), text(i.Remote))
	return err
}

// DeleteItem forgets an item, its notes, and the effect asked for on it.
func (t *Tx) DeleteItem(collection int64, uid uint64) error {
	_, err := t.exec("DELETE FROM items WHERE collection = ? AND uid = ?", collection, int64(uid))
	if err != nil {
		return err
	}
	_, err = t.exec("DELETE FROM notes WHERE "+notesOf+" AND item = CAST(? AS TEXT)", collection, collection, int64(uid))
	if err != nil {
		return err
	}
	return t.DropEffect(Key{collection, uid})
}

// SetState changes only the state of an item.
func (t *Tx) SetState(collection int64, uid uint64, s State) error {
	_, err := t.exec("UPDATE items SET state = ? WHERE collection = ? AND uid = ?", s, collection, int64(uid))
	return err
}

// Intend records that an import of this item is about to be sent.
func (t *Tx) Intend(collection int64, uid uint64, hash [32]byte, size int64) error {
	_, err := t.exec("UPDATE items SET state = 2, hash = ?, size = ? WHERE collection = ? AND uid = ?", hash[:], size, collection, int64(uid))
	return err
}

// Confirm records that the item is at the destination under this ID, with
// the flags that the row holds.
func (t *Tx) Confirm(collection int64, uid uint64, remote string) error {
	_, err := t.exec(`UPDATE items SET state = 3, remote = ?, sent_flags = flags, sent_keywords = keywords
		WHERE collection = ? AND uid = ?`, remote, collection, int64(uid))
	return err
}

func blob(b []byte) any {
	for _, c := range b {
		if c != 0 {
			return b
		}
	}
	return nil
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
