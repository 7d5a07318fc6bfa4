package sqlusers

import (
	"context"
	"database/sql"
	"iter"
	"strings"
)

// Row is one row of a result.
type Row struct {
	Number  int      // from 1
	Columns []string // lower case, in the query's order
	Values  []sql.NullString
}

// Get returns a column's text, "" where it is NULL or missing.
func (r Row) Get(column string) string {
	for i, c := range r.Columns {
		if c == column {
			return r.Values[i].String
		}
	}
	return ""
}

// Rows yields the rows of a query as they arrive, within a read-only
// transaction. An error is the last that is yielded.
func Rows(ctx context.Context, db *sql.DB, query string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer tx.Rollback() //nolint:errcheck // nothing was written
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			yield(Row{}, err)
			return
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			yield(Row{}, err)
			return
		}
		for i := range names {
			names[i] = strings.ToLower(names[i])
		}
		for n := 1; rows.Next(); n++ {
			r := Row{Number: n, Columns: names, Values: make([]sql.NullString, len(names))}
			into := make([]any, len(names))
			for i := range into {
				into[i] = &r.Values[i]
			}
			if err := rows.Scan(into...); err != nil {
				yield(Row{}, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Row{}, err)
		}
	}
}

// Shorten makes a query one line that fits into a message.
func Shorten(query string) string {
	s := strings.Join(strings.Fields(query), " ")
	if r := []rune(s); len(r) > 160 {
		return string(r[:160]) + "…"
	}
	return s
}
