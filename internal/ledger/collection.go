package ledger

import (
	"context"
	"database/sql"
	"encoding/json"

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

// DeleteCollection forgets a collection and its items.
func (t *Tx) DeleteCollection(id int64) error {
	for _, q := range []string{"DELETE FROM items WHERE collection = ?", "DELETE FROM notes WHERE collection = ?", "DELETE FROM collections WHERE id = ?"} {
		if _, err := t.exec(q, id); err != nil {
			return err
		}
	}
	return nil
}

// Count returns how many items of the collection are in one of the states.
func (l *Ledger) Count(ctx context.Context, collection int64, states ...State) (n, octets int64, err error) {
	for _, s := range states {
		var c int64
		var o sql.NullInt64
		q := "SELECT count(*), sum(size) FROM items WHERE collection = ? AND state = ?"
		if s != Moved {
			q += " AND state <> 3" // lets the partial index serve
		}
		if err := l.read.QueryRowContext(ctx, q, collection, s).Scan(&c, &o); err != nil {
			return 0, 0, fatal("ledger", err)
		}
		n, octets = n+c, octets+o.Int64
	}
	return n, octets, nil
}

// HasWork reports whether any item of the account waits for something to be
// done; refused ones count only if retry is set.
func (l *Ledger) HasWork(ctx context.Context, account int64, retry bool) (bool, error) {
	states := "1, 2, 4, 5"
	if retry {
		states += ", 6"
	}
	var work bool
	err := l.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM collections c JOIN items i ON i.collection = c.id
		WHERE c.account = ? AND i.state IN (`+states+`) AND i.state <> 3)`, account).Scan(&work)
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
	if _, err := t.exec("UPDATE items SET state = 5 WHERE collection = ? AND state IN (3, 4)", collection); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM items WHERE collection = ? AND state NOT IN (2, 5)", collection)
	return err
}

// CountAccount returns how many items of the account are in one of the states.
func (l *Ledger) CountAccount(ctx context.Context, account int64, states ...State) (n int64, err error) {
	rows, err := l.Collections(ctx, account)
	if err != nil {
		return 0, err
	}
	for _, c := range rows {
		k, _, err := l.Count(ctx, c.ID, states...)
		if err != nil {
			return 0, err
		}
		n += k
	}
	return n, nil
}
