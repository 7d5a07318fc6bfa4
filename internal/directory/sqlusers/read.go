package sqlusers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/nearest"
	"mailhaul.org/mailhaul/internal/model"
)

// Settings say what to read.
type Settings struct {
	Server Server
	// Query yields the accounts. Its columns are directory.Columns, in any
	// order; login is required. Several rows of one login that follow each
	// other are one account: their aliases and forwards are put together, of
	// the rest the first row holds.
	Query string
	// Preset names the query of a well-known schema, where Query is empty.
	Preset string
	// Scheme is that of passwords without one in braces; empty means CRYPT.
	Scheme string
	// Domain completes bare names to addresses; the login stays bare.
	Domain string
}

// Read yields the accounts that a query tells of, as they arrive. What cannot
// be asked at all is a model.ClassFatal error and the end. A row that cannot be
// used yields an error with its number, and the next ones follow.
func Read(ctx context.Context, s Settings) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		query, err := s.query()
		if err != nil {
			yield(model.Account{}, err)
			return
		}
		db, err := Open(ctx, s.Server)
		if err != nil {
			yield(model.Account{}, err)
			return
		}
		defer db.Close()
		for a, err := range s.read(ctx, db, query) {
			if !yield(a, err) {
				return
			}
		}
	}
}

func (s Settings) query() (string, error) {
	if s.Query != "" {
		return s.Query, nil
	}
	q, ok := Preset(s.Preset, s.Server.Driver)
	if !ok {
		return "", model.Faultf(model.ClassFatal, "", "there is no query and no preset %q for %s: known are %s", s.Preset, s.Server.Driver, strings.Join(Presets(), ", "))
	}
	return q, nil
}

// read yields the accounts of a query.
func (s Settings) read(ctx context.Context, db *sql.DB, query string) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		var account model.Account // the one whose rows are being read
		var problem error
		give := func() bool {
			a, err := account, problem
			account, problem = model.Account{}, nil
			if a.Login == "" && err == nil {
				return true
			}
			directory.Complete(&a, s.Domain)
			if err != nil {
				a = model.Account{}
			}
			return yield(a, err)
		}
		for row, err := range Rows(ctx, db, query) {
			if err != nil {
				if give() {
					yield(model.Account{}, s.failed(query, err))
				}
				return
			}
			if row.Number == 1 {
				if err := checkColumns(row.Columns); err != nil {
					yield(model.Account{}, s.failed(query, err))
					return
				}
			}
			login := strings.TrimSpace(row.Get("login"))
			if login != account.Login || login == "" || problem != nil {
				if !give() {
					return
				}
			}
			more := login == account.Login && login != ""
			if err := s.set(&account, row, more); err != nil {
				problem = s.wrong(row.Number, login, err)
			}
		}
		give()
	}
}

// set fills an account from a row; of the second row of an account only lists.
func (s Settings) set(a *model.Account, row Row, more bool) error {
	if row.Get("login") == "" {
		return errors.New("the login is empty")
	}
	for i, name := range row.Columns {
		if !row.Values[i].Valid || more && name != "aliases" && name != "forwards" {
			continue
		}
		v := row.Values[i].String
		if name == "password" {
			hash, locked := directory.Password(v, s.Scheme)
			a.Password, a.Disabled = hash, a.Disabled || locked
			continue
		}
		if name != "secret" {
			v = strings.TrimSpace(v)
		}
		if err := directory.SetColumn(a, name, v); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func checkColumns(names []string) error {
	for i, n := range names {
		if !slices.Contains(directory.Columns, n) {
			return fmt.Errorf("unknown column %q%s (give columns their meaning with AS: %s)", n, nearest.Hint(n, directory.Columns), strings.Join(directory.Columns, ", "))
		}
		if slices.Contains(names[:i], n) {
			return fmt.Errorf("two columns are called %q", n)
		}
	}
	if !slices.Contains(names, "login") {
		return errors.New(`there is no column "login", which names the account at the source: SELECT … AS login`)
	}
	return nil
}

// failed names the query.
func (s Settings) failed(query string, err error) error {
	if model.CodeOf(err) != "" {
		return err
	}
	return &model.Fault{Class: model.ClassFatal, Code: "database", Err: fmt.Errorf("%s: the query %q: %w", s.Server, Shorten(query), err)}
}

func (s Settings) wrong(row int, login string, err error) error {
	return &model.Fault{Class: model.ClassAccount, Code: "directory", Account: login, Err: fmt.Errorf("%s, row %d of the query: %w", s.Server, row, err)}
}
