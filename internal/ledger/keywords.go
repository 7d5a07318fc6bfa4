package ledger

import (
	"database/sql"
	"errors"
	"strings"
)

// setID returns the number of a keyword set, making one if needed.
func (t *Tx) setID(words []string) (int64, error) {
	if len(words) == 0 {
		return 0, nil
	}
	key := strings.Join(words, " ")
	t.l.mu.Lock()
	id, ok := t.l.sets[key]
	t.l.mu.Unlock()
	if ok {
		return id, nil
	}
	err := t.tx.QueryRowContext(t.ctx, "SELECT id FROM keywords WHERE words = ?", key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.tx.QueryRowContext(t.ctx, "INSERT INTO keywords (words) VALUES (?) RETURNING id", key).Scan(&id)
	}
	if err != nil {
		return 0, fatal("ledger: keywords", err)
	}
	t.l.remember(id, words)
	return id, nil
}

// set returns the keywords of a set's number.
func (l *Ledger) set(q querier, id int64) ([]string, error) {
	l.mu.Lock()
	words, ok := l.words[id]
	l.mu.Unlock()
	if ok {
		return words, nil
	}
	var key string
	if err := q.QueryRow("SELECT words FROM keywords WHERE id = ?", id).Scan(&key); err != nil {
		return nil, fatal("ledger: keywords", err)
	}
	words = strings.Split(key, " ")
	l.remember(id, words)
	return words, nil
}

func (l *Ledger) remember(id int64, words []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words[id] = words
	l.sets[strings.Join(words, " ")] = id
}

// forgetSets empties the cache after a transaction was undone: it may hold
// numbers that were never committed.
func (l *Ledger) forgetSets() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words = map[int64][]string{0: nil}
	l.sets = map[string]int64{"": 0}
}

type querier interface {
	QueryRow(query string, args ...any) *sql.Row
}
