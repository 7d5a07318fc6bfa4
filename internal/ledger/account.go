package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Account is the ledger's row of one account.
type Account struct {
	ID             int64
	Login, Address string
	// Remote is the account's ID at the destination.
	Remote string
	// Settle is the destination's email state before an import whose
	// outcome was never recorded; empty when nothing is in doubt.
	Settle string
	State  string
}

// Account returns the row of the login, making it if needed. It writes only
// what is new, so that an unchanged account costs no fsync here.
func (l *Ledger) Account(ctx context.Context, login, address string) (Account, error) {
	a := Account{Login: login}
	err := l.read.QueryRowContext(ctx, "SELECT id, address, remote, settle, state FROM accounts WHERE login = ?", login).
		Scan(&a.ID, &a.Address, &a.Remote, &a.Settle, &a.State)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return a, fatal("ledger", err)
	}
	if err == nil && a.Address == address {
		return a, nil
	}
	a.Address = address
	err = l.Write(ctx, func(t *Tx) error {
		if _, err := t.exec(`INSERT INTO accounts (login, address) VALUES (?, ?)
			ON CONFLICT (login) DO UPDATE SET address = excluded.address`, login, address); err != nil {
			return err
		}
		return t.tx.QueryRowContext(ctx, "SELECT id, remote, settle, state FROM accounts WHERE login = ?", login).
			Scan(&a.ID, &a.Remote, &a.Settle, &a.State)
	})
	return a, err
}

// LoginOf returns the login of the account with this ID at the destination;
// empty when the ledger has none.
func (l *Ledger) LoginOf(ctx context.Context, remote string) (string, error) {
	var login string
	err := l.read.QueryRowContext(ctx, "SELECT login FROM accounts WHERE remote = ?", remote).Scan(&login)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fatal("ledger", err)
	}
	return login, nil
}

// SetRemote records the account's ID at the destination.
func (t *Tx) SetRemote(account int64, remote string) error {
	_, err := t.exec("UPDATE accounts SET remote = ? WHERE id = ?", remote, account)
	return err
}

// SetSettle records the destination's email state before an import, or
// that nothing is in doubt any more (empty).
func (t *Tx) SetSettle(account int64, state string) error {
	_, err := t.exec("UPDATE accounts SET settle = ? WHERE id = ?", state, account)
	return err
}

// Finish records how a run left the account.
func (l *Ledger) Finish(ctx context.Context, account int64, state, problem string, at time.Time) error {
	return l.Write(ctx, func(t *Tx) error {
		_, err := t.exec("UPDATE accounts SET state = ?, error = ?, last_run = ? WHERE id = ?", state, problem, at.Unix(), account)
		return err
	})
}

// Verified records the outcome of a verification.
func (l *Ledger) Verified(ctx context.Context, account, differences int64, at time.Time) error {
	return l.Write(ctx, func(t *Tx) error {
		_, err := t.exec("UPDATE accounts SET last_verify = ?, differences = ? WHERE id = ?", at.Unix(), differences, account)
		return err
	})
}

// Words returns the custom keywords that the account uses at the destination.
func (l *Ledger) Words(ctx context.Context, account int64) ([]string, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT word FROM account_keywords WHERE account = ? ORDER BY word", account)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	var words []string
	for rows.Next() {
		var w string
		if err := rows.Scan(&w); err != nil {
			return nil, fatal("ledger", err)
		}
		words = append(words, w)
	}
	return words, rows.Err()
}

// AddWord records a custom keyword of the account.
func (t *Tx) AddWord(account int64, word string) error {
	_, err := t.exec("INSERT OR IGNORE INTO account_keywords VALUES (?, ?)", account, word)
	return err
}

// Statuses returns where every account stands, by login.
func (l *Ledger) Statuses(ctx context.Context) ([]AccountStatus, error) {
	rows, err := l.read.QueryContext(ctx, "SELECT id, login, address, state, error, last_run, last_verify, differences FROM accounts ORDER BY login")
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	var out []AccountStatus
	var ids []int64
	for rows.Next() {
		var s AccountStatus
		var id, run, verify int64
		if err := rows.Scan(&id, &s.Login, &s.Address, &s.State, &s.Error, &run, &verify, &s.Differences); err != nil {
			return nil, fatal("ledger", err)
		}
		s.LastRun, s.LastVerify = unixTime(run), unixTime(verify)
		out, ids = append(out, s), append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fatal("ledger", err)
	}
	for i, id := range ids {
		sum, err := l.Sums(ctx, id)
		if err != nil {
			return nil, err
		}
		out[i].Items, out[i].Octets, out[i].Mailboxes = sum.Items, sum.Octets, sum.Mailboxes
		if out[i].Objects, err = l.objectsByName(ctx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Sums are an account's totals.
type Sums struct {
	Items     map[string]int64 // by State's name
	Octets    int64            // at the destination
	Mailboxes int64
}

// Sums returns the totals of one account.
func (l *Ledger) Sums(ctx context.Context, account int64) (Sums, error) {
	s := Sums{Items: map[string]int64{}}
	rows, err := l.read.QueryContext(ctx, `SELECT state, count(*), coalesce(sum(size), 0) FROM items
		WHERE collection IN (SELECT id FROM collections WHERE account = ?) GROUP BY state`, account)
	if err != nil {
		return s, fatal("ledger", err)
	}
	defer rows.Close()
	for rows.Next() {
		var st State
		var n, octets int64
		if err := rows.Scan(&st, &n, &octets); err != nil {
			return s, fatal("ledger", err)
		}
		s.Items[st.String()] = n
		if st == Moved || st == Changed {
			s.Octets += octets
		}
	}
	if err := rows.Err(); err != nil {
		return s, fatal("ledger", err)
	}
	err = l.read.QueryRowContext(ctx, "SELECT count(*) FROM collections WHERE account = ? AND retired = 0", account).Scan(&s.Mailboxes)
	if err != nil {
		return s, fatal("ledger", err)
	}
	return s, nil
}

func unixTime(sec int64) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}

// Holding is what the source was last seen to hold of one account.
type Holding struct {
	Login     string
	Mailboxes int
	Depth     int   // levels of the deepest mailbox
	Octets    int64 // of messages that are still to be moved
}

// Holdings returns what is known of all accounts that were listed, by a run or
// a dry run.
func (l *Ledger) Holdings(ctx context.Context) ([]Holding, error) {
	rows, err := l.read.QueryContext(ctx, `SELECT a.login, count(*), max(json_array_length(c.path)), sum((SELECT coalesce(sum(size), 0)
		FROM items WHERE collection = c.id AND state IN (1, 2) AND state <> 3))
		FROM accounts a JOIN collections c ON c.account = a.id AND c.retired = 0 GROUP BY a.id ORDER BY a.login`)
	if err != nil {
		return nil, fatal("ledger", err)
	}
	defer rows.Close()
	var out []Holding
	for rows.Next() {
		var h Holding
		if err := rows.Scan(&h.Login, &h.Mailboxes, &h.Depth, &h.Octets); err != nil {
			return nil, fatal("ledger", err)
		}
		out = append(out, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fatal("ledger", err)
	}
	return out, nil
}
