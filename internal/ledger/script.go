package ledger

import "context"

// Script is the last common state of one Sieve script.
type Script struct {
	Hash    [32]byte // BLAKE3-256 of the source's text
	Written [32]byte // of what was written to the destination; zero if refused
	Active  bool
}

// Scripts returns the account's scripts by name.
func (l *Ledger) Scripts(ctx context.Context, account int64) (map[string]Script, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT name, hash, written, active FROM scripts WHERE account = ?", account)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	out := map[string]Script{}
	for rows.Next() {
		var name string
		var hash, written []byte
		var s Script
		if err := rows.Scan(&name, &hash, &written, &s.Active); err != nil {
			return nil, fatal("ledger", err)
		}
		copy(s.Hash[:], hash)
		copy(s.Written[:], written)
		out[name] = s
	}
	return out, rows.Err()
}

// PutScript records that a script was written to the destination.
func (t *Tx) PutScript(account int64, name string, s Script) error {
	_, err := t.exec("INSERT OR REPLACE INTO scripts VALUES (?, ?, ?, ?, ?)", account, name, s.Hash[:], s.Written[:], s.Active)
	return err
}
