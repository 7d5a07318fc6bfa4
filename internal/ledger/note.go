package ledger

import (
	"context"
	"strconv"
)

// Note is why an item, mailbox or script is not exactly what it was.
type Note struct {
	Collection int64 // 0: the account
	Item       string
	Code, Text string
}

// Codes of notes that decide how an item is verified.
const (
	// NoteAdoptedChanged: another tool had copied the message and changed it;
	// the item's hash is that of its copy.
	NoteAdoptedChanged = "adoptedChanged"
	// NoteAdoptedDate: another tool had copied it with another received date,
	// which no destination lets change.
	NoteAdoptedDate = "adoptedDate"
)

// NoteItem is the name of an item in a Note.
func NoteItem(uid uint64) string { return strconv.FormatUint(uid, 10) }

// PutNote records a note; one of the same code for the same item replaces
// the former.
func (t *Tx) PutNote(account int64, n Note) error {
	_, err := t.exec("INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?, ?)", account, n.Collection, n.Item, n.Code, n.Text)
	return err
}

// ClearNote removes a note.
func (t *Tx) ClearNote(account, collection int64, item, code string) error {
	_, err := t.exec("DELETE FROM notes WHERE account = ? AND collection = ? AND item = ? AND code = ?", account, collection, item, code)
	return err
}

// Notes returns the account's notes by collection and item.
func (l *Ledger) Notes(ctx context.Context, account int64) ([]Note, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT collection, item, code, text FROM notes WHERE account = ? ORDER BY collection, item, code", account)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	var out []Note
	for rows.Next() {
		var n Note
		if err := rows.Scan(&n.Collection, &n.Item, &n.Code, &n.Text); err != nil {
			return nil, fatal("ledger", err)
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// MoveNotes gives the notes of one item to another.
func (t *Tx) MoveNotes(account int64, from, to Key) error {
	_, err := t.exec("UPDATE OR REPLACE notes SET collection = ?, item = ? WHERE account = ? AND collection = ? AND item = ?",
		to.Collection, NoteItem(to.UID), account, from.Collection, NoteItem(from.UID))
	return err
}
