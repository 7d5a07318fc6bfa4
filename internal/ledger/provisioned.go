package ledger

import "context"

// provisionedTable came later; Open adds it to ledgers that lack it. It holds
// what `mailhaul provision` has written at the destination, value by value.
const provisionedTable = `
CREATE TABLE IF NOT EXISTS provisioned (
	kind     TEXT NOT NULL,
	subject  TEXT NOT NULL,
	property TEXT NOT NULL,
	item     TEXT NOT NULL,    -- member of a set, else empty
	value    TEXT NOT NULL,
	intended INTEGER NOT NULL, -- 1: about to be written
	before   TEXT,             -- value until then; NULL: none
	PRIMARY KEY (kind, subject, property, item)
) WITHOUT ROWID;
`

// Provisioned is one value that was written at the destination, or was about
// to be (Intended; Before is then what was written until then, if Had).
type Provisioned struct {
	Kind, Subject, Property, Item string
	Value                         string
	Intended                      bool
	Before                        string
	Had                           bool
}

// Provisioned returns all that was ever provisioned and still holds.
func (l *Ledger) Provisioned(ctx context.Context) ([]Provisioned, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT kind, subject, property, item, value, intended, COALESCE(before, ''), before IS NOT NULL FROM provisioned")
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	var out []Provisioned
	for rows.Next() {
		var p Provisioned
		if err := rows.Scan(&p.Kind, &p.Subject, &p.Property, &p.Item, &p.Value, &p.Intended, &p.Before, &p.Had); err != nil {
			return nil, fatal("ledger", err)
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fatal("ledger", err)
	}
	return out, nil
}

// IntendProvision notes a value that is about to be written.
func (t *Tx) IntendProvision(p Provisioned) error {
	_, err := t.exec(`INSERT INTO provisioned VALUES (?, ?, ?, ?, ?, 1, NULL)
		ON CONFLICT DO UPDATE SET before = CASE WHEN intended THEN before ELSE value END, value = excluded.value, intended = 1`,
		p.Kind, p.Subject, p.Property, p.Item, p.Value)
	return err
}

// ConfirmProvision notes a value that is written.
func (t *Tx) ConfirmProvision(p Provisioned) error {
	_, err := t.exec("INSERT OR REPLACE INTO provisioned VALUES (?, ?, ?, ?, ?, 0, NULL)", p.Kind, p.Subject, p.Property, p.Item, p.Value)
	return err
}

// ForgetProvision drops a value that was taken back; without a property all of
// a subject.
func (t *Tx) ForgetProvision(p Provisioned) error {
	if p.Property == "" {
		_, err := t.exec("DELETE FROM provisioned WHERE kind = ? AND subject = ?", p.Kind, p.Subject)
		return err
	}
	_, err := t.exec("DELETE FROM provisioned WHERE kind = ? AND subject = ? AND property = ? AND item = ?", p.Kind, p.Subject, p.Property, p.Item)
	return err
}
