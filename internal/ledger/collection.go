package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// Collection is the ledger's row of one collection in one UIDVALIDITY.
type Collection struct {
	ID          int64
	Account     int64
	Kind        model.Kind
	SourceID    string
	UIDValidity uint32
	Native      string
	Path        []string // at the source
	// Target is the mailbox's ID at the destination, and TargetPath its
	// names from the top. Created says that we made it.
	Target     string
	TargetPath []string
	Created    bool
	// Subscribed is what was last written: 1, 0, or -1 for never.
	Subscribed int
	// Fingerprint and Cursor belong to the last listing that was completed.
	Fingerprint, Cursor string
	// Retired collections are gone at the source, or their UIDVALIDITY is.
	Retired bool
}

// Collections returns the account's collections, the retired ones too.
func (l *Ledger) Collections(ctx context.Context, account int64) ([]Collection, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT id, account, kind, source_id, uidvalidity, native, path, target, target_path,
		created, subscribed, fingerprint, cursor, retired FROM collections WHERE account = ? ORDER BY id`, account)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	var out []Collection
	for rows.Next() {
		var c Collection
		var path, target string
		if err := rows.Scan(&c.ID, &c.Account, &c.Kind, &c.SourceID, &c.UIDValidity, &c.Native, &path, &c.Target, &target,
			&c.Created, &c.Subscribed, &c.Fingerprint, &c.Cursor, &c.Retired); err != nil {
			return nil, fatal("ledger", err)
		}
		if err := json.Unmarshal([]byte(path), &c.Path); err != nil {
			return nil, fatal("ledger", err)
		}
		if err := json.Unmarshal([]byte(target), &c.TargetPath); err != nil {
			return nil, fatal("ledger", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fatal("ledger", err)
	}
	return out, nil
}

// PutCollection stores c and sets its ID if it has none.
func (t *Tx) PutCollection(c *Collection) error {
	path, _ := json.Marshal(c.Path)
	target, _ := json.Marshal(c.TargetPath)
	if c.TargetPath == nil {
		target = []byte("[]")
	}
	if c.ID != 0 {
		_, err := t.exec(`UPDATE collections SET native = ?, path = ?, target = ?, target_path = ?, created = ?, subscribed = ?,
			fingerprint = ?, cursor = ?, retired = ? WHERE id = ?`,
			c.Native, string(path), c.Target, string(target), c.Created, c.Subscribed, c.Fingerprint, c.Cursor, c.Retired, c.ID)
		return err
	}
	res, err := t.exec(`INSERT INTO collections (account, kind, source_id, uidvalidity, native, path, target, target_path,
		created, subscribed, fingerprint, cursor, retired) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.Account, c.Kind, c.SourceID, c.UIDValidity, c.Native, string(path), c.Target, string(target),
		c.Created, c.Subscribed, c.Fingerprint, c.Cursor, c.Retired)
	if err != nil {
		return err
	}
	c.ID, err = res.LastInsertId()
	return err
}

// notesOf selects the notes of a collection by their key; its ID is given
// twice.
const notesOf = "account = (SELECT account FROM collections WHERE id = ?) AND collection = ?"

// DeleteCollection forgets a collection and its items.
func (t *Tx) DeleteCollection(id int64) error {
	if _, err := t.exec("DELETE FROM items WHERE collection = ?", id); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM notes WHERE "+notesOf, id, id); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM collections WHERE id = ?", id)
	return err
}

// inStates returns one or several selections of items that together are those
// in one of the states, or all for none; each begins with WHERE behind the
// name of its index. All but Moved are found by the index of what has work
// left, which SQLite would not choose by itself; one state at a time, because
// there the rows lie in order of UID.
func inStates(states []State) []string {
	if len(states) == 0 {
		return []string{"WHERE 1"}
	}
	var from []string
	for _, s := range states {
		if s == Moved {
			from = append(from, "WHERE state = 3")
			continue
		}
		from = append(from, fmt.Sprintf("INDEXED BY items_work WHERE state = %d AND state <> 3", s))
	}
	return from
}

// Count returns how many items of the collection are in one of the states.
// Moved ones take a walk through the mailbox, others only through themselves.
func (l *Ledger) Count(ctx context.Context, collection int64, states ...State) (n, octets int64, err error) {
	defer l.worked(time.Now())
	for _, from := range inStates(states) {
		var c int64
		var o sql.NullInt64
		if err := l.read.QueryRowContext(ctx, "SELECT count(*), sum(size) FROM items "+from+" AND collection = ?", collection).Scan(&c, &o); err != nil {
			return 0, 0, fatal("ledger", err)
		}
		n, octets = n+c, octets+o.Int64
	}
	return n, octets, nil
}

// CountAccount returns how many items of the account are in one of the states;
// it costs what Count costs.
func (l *Ledger) CountAccount(ctx context.Context, account int64, states ...State) (n int64, err error) {
	defer l.worked(time.Now())
	for _, from := range inStates(states) {
		var c int64
		err := l.read.QueryRowContext(ctx, "SELECT count(*) FROM items "+from+" AND collection IN (SELECT id FROM collections WHERE account = ?)", account).Scan(&c)
		if err != nil {
			return 0, fatal("ledger", err)
		}
		n += c
	}
	return n, nil
}

// HasWork reports whether any item of the account waits for something to be
// done; refused ones count only if retry is set.
func (l *Ledger) HasWork(ctx context.Context, account int64, retry bool) (bool, error) {
	defer l.worked(time.Now())
	states := "1, 2, 4, 5"
	if retry {
		states += ", 6"
	}
	var work bool
	err := l.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM items INDEXED BY items_work
		WHERE collection IN (SELECT id FROM collections WHERE account = ?) AND state IN (`+states+`) AND state <> 3)`, account).Scan(&work)
	if err != nil {
		return false, fatal("ledger", err)
	}
	return work, nil
}

// Retire marks every item of a collection that is gone at the source as
// vanished, and forgets those that never reached the destination.
func (t *Tx) Retire(collection int64) error {
	if _, err := t.exec("UPDATE collections SET retired = 1 WHERE id = ?", collection); err != nil {
		return err
	}
	if _, err := t.exec("UPDATE items SET state = 5 WHERE collection = ? AND state IN (3, 4, 8)", collection); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM items WHERE collection = ? AND state NOT IN (2, 5)", collection)
	return err
}
