package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// objectTables came with calendars, contacts and files; Open adds them to
// ledgers that lack them.
const objectTables = `
CREATE TABLE IF NOT EXISTS object_collections (
	id          INTEGER PRIMARY KEY,
	account     INTEGER NOT NULL,
	kind        INTEGER NOT NULL,
	source_id   TEXT NOT NULL,
	path        TEXT NOT NULL,              -- JSON array, as at the source
	target      TEXT NOT NULL DEFAULT '',   -- ID at the destination
	created     INTEGER NOT NULL DEFAULT 0, -- made by us
	written     TEXT NOT NULL DEFAULT '',   -- JSON: name, colour … as last written
	fingerprint TEXT NOT NULL DEFAULT '',
	cursor      TEXT NOT NULL DEFAULT '',
	retired     INTEGER NOT NULL DEFAULT 0, -- gone at the source
	UNIQUE (account, kind, source_id)
);
CREATE TABLE IF NOT EXISTS objects (
	collection INTEGER NOT NULL,
	source_id  TEXT NOT NULL,
	uid        TEXT NOT NULL,  -- or a file's name; '' until it was read
	state      INTEGER NOT NULL,
	version    TEXT NOT NULL,  -- at the source
	digest     BLOB,           -- of the meaning that both sides had last; of a file: its BLAKE3-256
	intent     BLOB,           -- digest of what was about to be written
	remote     TEXT NOT NULL,  -- ID at the destination
	stored     TEXT NOT NULL,  -- version at the destination when both sides were equal
	meta       TEXT NOT NULL,  -- JSON: what else the source's listing told
	PRIMARY KEY (collection, source_id, uid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object_shares (
	collection INTEGER NOT NULL,
	grantee    TEXT NOT NULL,    -- account ID at the destination
	rights     INTEGER NOT NULL, -- model.ObjectRights last written
	PRIMARY KEY (collection, grantee)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_work ON objects (collection, state) WHERE state <> 3;
`

// ObjectCollection is the ledger's row of a calendar, address book or folder.
type ObjectCollection struct {
	ID       int64
	Account  int64
	Kind     model.Kind
	SourceID string
	Path     []string
	// Target is its ID at the destination, Created says that we made it, and
	// Written is what was last written of its properties.
	Target  string
	Created bool
	Written string
	// Fingerprint and Cursor belong to the last listing that was completed.
	Fingerprint, Cursor string
	Retired             bool
}

// Object is the last common state of one calendar object, card or file.
type Object struct {
	Collection int64
	SourceID   string
	// UID is that of the object, or a file's name. A resource at the source
	// that was not read yet has none; one with several objects has several
	// rows.
	UID     string
	State   State
	Version string // at the source
	// Digest is of the meaning that both sides had last, and Intent of what
	// was about to be written; zero: none.
	Digest, Intent [32]byte
	// Remote is the ID at the destination, Stored the version there when both
	// sides were equal.
	Remote, Stored string
	Meta           string
}

// ObjectCollections returns the account's rows, the retired ones too.
func (l *Ledger) ObjectCollections(ctx context.Context, account int64) ([]ObjectCollection, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT id, account, kind, source_id, path, target, created, written, fingerprint, cursor, retired
		FROM object_collections WHERE account = ? ORDER BY id`, account)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	var out []ObjectCollection
	for rows.Next() {
		var c ObjectCollection
		var path string
		if err := rows.Scan(&c.ID, &c.Account, &c.Kind, &c.SourceID, &path, &c.Target, &c.Created, &c.Written, &c.Fingerprint, &c.Cursor, &c.Retired); err != nil {
			return nil, fatal("ledger", err)
		}
		if err := json.Unmarshal([]byte(path), &c.Path); err != nil {
			return nil, fatal("ledger", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fatal("ledger", err)
	}
	return out, nil
}

// PutObjectCollection stores c and sets its ID if it has none.
func (t *Tx) PutObjectCollection(c *ObjectCollection) error {
	path, _ := json.Marshal(c.Path)
	if c.Path == nil {
		path = []byte("[]")
	}
	if c.ID != 0 {
		_, err := t.exec(`UPDATE object_collections SET path = ?, target = ?, created = ?, written = ?, fingerprint = ?, cursor = ?, retired = ? WHERE id = ?`,
			string(path), c.Target, c.Created, c.Written, c.Fingerprint, c.Cursor, c.Retired, c.ID)
		return err
	}
	res, err := t.exec(`INSERT INTO object_collections (account, kind, source_id, path, target, created, written, fingerprint, cursor, retired)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.Account, c.Kind, c.SourceID, string(path), c.Target, c.Created, c.Written, c.Fingerprint, c.Cursor, c.Retired)
	if err != nil {
		return err
	}
	c.ID, err = res.LastInsertId()
	return err
}

// DeleteObjectCollection forgets a collection and its objects.
func (t *Tx) DeleteObjectCollection(id int64) error {
	for _, table := range []string{"objects", "object_shares"} {
		if _, err := t.exec("DELETE FROM "+table+" WHERE collection = ?", id); err != nil {
			return err
		}
	}
	_, err := t.exec("DELETE FROM object_collections WHERE id = ?", id)
	return err
}

const objectColumns = "collection, source_id, uid, state, version, digest, intent, remote, stored, meta"

// Objects returns the rows of a collection that are in one of the states, or
// all for none, in the order of their keys.
func (l *Ledger) Objects(ctx context.Context, collection int64, states ...State) ([]Object, error) {
	query := "SELECT " + objectColumns + " FROM objects WHERE collection = ?"
	if len(states) > 0 {
		var list []string
		for _, s := range states {
			list = append(list, fmt.Sprint(uint8(s)))
		}
		query += " AND state IN (" + strings.Join(list, ", ") + ")"
	}
	return l.objects(ctx, query+" ORDER BY source_id, uid", collection)
}

// VanishedObjects returns the account's rows of a kind that are gone at the
// source.
func (l *Ledger) VanishedObjects(ctx context.Context, account int64, kind model.Kind) ([]Object, error) {
	return l.objects(ctx, "SELECT "+objectColumns+` FROM objects INDEXED BY objects_work
		WHERE collection IN (SELECT id FROM object_collections WHERE account = ? AND kind = ?) AND state = 5 AND state <> 3`, account, kind)
}

func (l *Ledger) objects(ctx context.Context, query string, args ...any) ([]Object, error) {
	defer l.worked(time.Now())
	rows, err := l.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	var out []Object
	for rows.Next() {
		var o Object
		var digest, intent []byte
		if err := rows.Scan(&o.Collection, &o.SourceID, &o.UID, &o.State, &o.Version, &digest, &intent, &o.Remote, &o.Stored, &o.Meta); err != nil {
			return nil, fatal("ledger", err)
		}
		copy(o.Digest[:], digest)
		copy(o.Intent[:], intent)
		out = append(out, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fatal("ledger", err)
	}
	return out, nil
}

// PutObject stores a row.
func (t *Tx) PutObject(o Object) error {
	var digest, intent []byte
	if o.Digest != [32]byte{} {
		digest = o.Digest[:]
	}
	if o.Intent != [32]byte{} {
		intent = o.Intent[:]
	}
	_, err := t.exec("INSERT OR REPLACE INTO objects ("+objectColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		o.Collection, o.SourceID, o.UID, o.State, o.Version, digest, intent, o.Remote, o.Stored, o.Meta)
	return err
}

// DeleteObject forgets a row.
func (t *Tx) DeleteObject(o Object) error {
	_, err := t.exec("DELETE FROM objects WHERE collection = ? AND source_id = ? AND uid = ?", o.Collection, o.SourceID, o.UID)
	return err
}

// ObjectSums returns how many objects of the account are in each state, by
// kind.
func (l *Ledger) ObjectSums(ctx context.Context, account int64) (map[model.Kind]map[State]int64, error) {
	defer l.worked(time.Now())
	rows, err := l.read.QueryContext(ctx, `SELECT c.kind, o.state, count(*) FROM object_collections c JOIN objects o ON o.collection = c.id
		WHERE c.account = ? GROUP BY c.kind, o.state`, account)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	out := map[model.Kind]map[State]int64{}
	for rows.Next() {
		var kind model.Kind
		var s State
		var n int64
		if err := rows.Scan(&kind, &s, &n); err != nil {
			return nil, fatal("ledger", err)
		}
		if out[kind] == nil {
			out[kind] = map[State]int64{}
		}
		out[kind][s] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fatal("ledger", err)
	}
	return out, nil
}

// objectNames are the names of kinds in reports.
var objectNames = map[model.Kind]string{model.KindCalendar: "calendar", model.KindContacts: "contacts", model.KindFiles: "files"}

func (l *Ledger) objectsByName(ctx context.Context, account int64) (map[string]map[string]int64, error) {
	sums, err := l.ObjectSums(ctx, account)
	if err != nil || len(sums) == 0 {
		return nil, err
	}
	out := map[string]map[string]int64{}
	for kind, by := range sums {
		out[objectNames[kind]] = map[string]int64{}
		for state, n := range by {
			out[objectNames[kind]][state.String()] = n
		}
	}
	return out, nil
}

// ObjectShares returns what was last written of who may use a collection.
func (l *Ledger) ObjectShares(ctx context.Context, collection int64) (map[string]model.ObjectRights, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT grantee, rights FROM object_shares WHERE collection = ?", collection)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	out := map[string]model.ObjectRights{}
	for rows.Next() {
		var grantee string
		var rights model.ObjectRights
		if err := rows.Scan(&grantee, &rights); err != nil {
			return nil, fatal("ledger", err)
		}
		out[grantee] = rights
	}
	if err := rows.Err(); err != nil {
		return nil, fatal("ledger", err)
	}
	return out, nil
}

// PutObjectShare records a share that was written; no rights forget it.
func (t *Tx) PutObjectShare(collection int64, grantee string, rights model.ObjectRights) error {
	if rights == 0 {
		_, err := t.exec("DELETE FROM object_shares WHERE collection = ? AND grantee = ?", collection, grantee)
		return err
	}
	_, err := t.exec("INSERT OR REPLACE INTO object_shares VALUES (?, ?, ?)", collection, grantee, rights)
	return err
}
