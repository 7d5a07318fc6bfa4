package ledger

import "context"

// Effect is a move or a deletion that was about to be written to the
// destination. It is recorded before and forgotten with the row it concerns,
// so what an interrupted run leaves is what may or may not have happened.
type Effect struct {
	Item Key
	// To is the item that takes over the email; zero: the email is deleted.
	To Key
}

// PutEffect records an effect on an item before it is asked for. DeleteItem
// of the item forgets it.
func (t *Tx) PutEffect(account int64, e Effect) error {
	_, err := t.exec("INSERT OR REPLACE INTO effects VALUES (?, ?, ?, ?, ?)",
		account, e.Item.Collection, int64(e.Item.UID), e.To.Collection, int64(e.To.UID))
	return err
}

// DropEffect forgets the effect on an item.
func (t *Tx) DropEffect(item Key) error {
	_, err := t.exec("DELETE FROM effects WHERE collection = ? AND uid = ?", item.Collection, int64(item.UID))
	return err
}

// Effects returns what an interrupted run of the account left.
func (l *Ledger) Effects(ctx context.Context, account int64) ([]Effect, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT collection, uid, to_collection, to_uid FROM effects WHERE account = ? ORDER BY collection, uid", account)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	var out []Effect
	for rows.Next() {
		var e Effect
		var uid, to int64
		if err := rows.Scan(&e.Item.Collection, &uid, &e.To.Collection, &to); err != nil {
			return nil, fatal("ledger", err)
		}
		e.Item.UID, e.To.UID = uint64(uid), uint64(to)
		out = append(out, e)
	}
	return out, rows.Err()
}
