package ledger

import "context"

// Shares returns what was last written of a collection's shares: rights, as
// the destination's package numbers them, by the other account's ID there.
func (l *Ledger) Shares(ctx context.Context, collection int64) (map[string]uint16, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT grantee, rights FROM shares WHERE collection = ?", collection)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	out := map[string]uint16{}
	for rows.Next() {
		var grantee string
		var rights uint16
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

// PutShare records a share that was written; no rights forget it.
func (t *Tx) PutShare(collection int64, grantee string, rights uint16) error {
	if rights == 0 {
		_, err := t.exec("DELETE FROM shares WHERE collection = ? AND grantee = ?", collection, grantee)
		return err
	}
	_, err := t.exec("INSERT OR REPLACE INTO shares VALUES (?, ?, ?)", collection, grantee, rights)
	return err
}
