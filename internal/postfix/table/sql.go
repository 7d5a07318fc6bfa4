package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/model"
)

// database is a table of mysql_table(5), pgsql_table(5) or sqlite_table(5).
type database struct {
	ref     Ref
	query   string
	format  string
	domains []string
	list    string // an explicit query that lists it
	servers []sqlusers.Server
	shared  *Connections
}

func openSQL(r Ref, o Options) (Table, error) {
	get, err := o.settings(r)
	if err != nil {
		return nil, err
	}
	t := &database{ref: r, query: get("query"), format: get("result_format"), list: o.list(r), shared: o.Connections}
	for _, d := range List(get("domain")) {
		if d.Type == "" && !strings.HasPrefix(d.Name, "/") {
			t.domains = append(t.domains, d.Name)
		} else { // too rare to read: better too many than none
			t.domains = nil
			break
		}
	}
	if t.query == "" && get("select_field") != "" { // before Postfix 2.2
		t.query = fmt.Sprintf("SELECT %s FROM %s WHERE %s = '%%s' %s", get("select_field"), get("table"), get("where_field"), get("additional_conditions"))
	}
	if t.query == "" {
		return nil, fault(r, "it needs query = SELECT …", "there is no query in its settings")
	}
	driver := sqlusers.Driver(r.Type)
	if driver == sqlusers.SQLite {
		t.servers = []sqlusers.Server{{Driver: driver, Database: o.Path(get("dbpath"))}}
		return t, nil
	}
	hosts := Words(get("hosts"))
	if len(hosts) == 0 {
		hosts = []string{"localhost"}
	}
	for _, h := range hosts {
		t.servers = append(t.servers, server(driver, h, get))
	}
	return t, nil
}

// server reads one of hosts: "name", "name:port", "inet:name:port",
// "unix:/path", or for PostgreSQL a URI.
func server(driver sqlusers.Driver, host string, get settings) sqlusers.Server {
	s := sqlusers.Server{Driver: driver, User: get("user"), Password: get("password"), Database: get("dbname")}
	host = strings.TrimPrefix(strings.TrimPrefix(host, "postgresql://"), "inet:")
	if path, ok := strings.CutPrefix(host, "unix:"); ok {
		s.Host = path
		if driver == sqlusers.PostgreSQL { // the folder is what counts
			s.Host = strings.TrimSuffix(path, "/"+filepath.Base(path))
			if !strings.Contains(filepath.Base(path), ".s.PGSQL") {
				s.Host = path
			}
		}
		return s
	}
	host, _, _ = strings.Cut(host, "/")
	if name, port, err := net.SplitHostPort(host); err == nil {
		s.Host = name
		s.Port, _ = strconv.Atoi(port) // 0 is the usual one
		return s
	}
	s.Host = host
	return s
}

func (t *database) Ref() Ref { return t.ref }

// open asks the servers in their order.
func (t *database) open(ctx context.Context) (*sql.DB, error) {
	var errs []error
	for _, s := range t.servers {
		db, err := t.shared.database(ctx, s)
		if err == nil {
			return db, nil
		}
		errs = append(errs, err)
	}
	err := errors.Join(errs...)
	return nil, &model.Fault{Class: model.ClassFatal, Code: model.CodeOf(errs[0]), Item: t.ref.String(), Err: err,
		Remedy: "run mailhaul where Postfix can reach the database, or leave source.postfix out"}
}

// quote makes a text safe within a string of the query.
func (t *database) quote(s string) string {
	if t.ref.Type == "mysql" {
		return strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `\"`, "\x00", `\0`, "\n", `\n`, "\r", `\r`, "\x1a", `\Z`).Replace(s)
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\x00", ""), "'", "''")
}

func (t *database) Lookup(ctx context.Context, key string) (string, bool, error) {
	key = fold(key)
	query, ok := expand(t.query, key, t.quote)
	if !ok || !eligible(key, t.domains) {
		return "", false, nil
	}
	db, err := t.open(ctx)
	if err != nil {
		return "", false, err
	}
	var values []string
	for row, err := range sqlusers.Rows(ctx, db, query) {
		if err != nil {
			return "", false, t.failed(query, err)
		}
		values = append(values, t.values(key, row.Values)...)
	}
	return strings.Join(values, ","), len(values) > 0, nil
}

// values are what a row gives: every column that has something.
func (t *database) values(key string, columns []sql.NullString) (out []string) {
	for _, c := range columns {
		if v, ok := format(t.format, key, c.String); ok {
			out = append(out, v)
		}
	}
	return out
}

func (t *database) failed(query string, err error) error {
	return &model.Fault{Class: model.ClassAccount, Code: "table", Item: t.ref.String(), Err: fmt.Errorf("the query %q: %w", sqlusers.Shorten(query), err),
		Remedy: "name a query that lists the table in source.postfix.lists, with the columns key and value"}
}

// Entries lists the table by the query that is given for it or derived from its
// own.
func (t *database) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		listings, ok := []listing{{query: t.list, keys: [][]part{{{placeholder: 's'}}}}}, true
		if t.list == "" {
			listings, ok = deriveListings(t.query, t.ref.Type)
		}
		if !ok {
			yield(Entry{}, ErrAsk)
			return
		}
		db, err := t.open(ctx)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		found, order := map[string][]string{}, []string{}
		for _, l := range listings {
			if err := t.read(ctx, db, l, func(key string, values []string) {
				if _, known := found[key]; !known {
					order = append(order, key)
				} else if l.first {
					return
				}
				found[key] = append(found[key], values...)
			}); err != nil {
				yield(Entry{}, err)
				return
			}
		}
		for _, key := range order {
			if values := found[key]; len(values) > 0 && !yield(Entry{key, strings.Join(values, ",")}, nil) {
				return
			}
		}
	}
}

func (t *database) read(ctx context.Context, db *sql.DB, l listing, give func(key string, values []string)) error {
	for row, err := range sqlusers.Rows(ctx, db, l.query) {
		if err != nil {
			return t.failed(l.query, err)
		}
		columns := row.Values
		var b binding
		fits := true
		for _, parts := range l.keys {
			var expressions []string
			for _, p := range parts {
				if p.expression {
					expressions = append(expressions, "")
				}
			}
			if len(columns) < 1+len(expressions) {
				return t.failed(l.query, errors.New("it gives too few columns"))
			}
			for i := range expressions {
				expressions[i] = columns[1+i].String
			}
			fits = fits && b.bind(parts, columns[0].String, expressions)
			columns = columns[1+len(expressions):]
		}
		key, ok := b.key()
		if !fits || !ok || !eligible(key, t.domains) {
			continue
		}
		key = fold(key)
		give(key, t.values(key, columns))
	}
	return nil
}

func (t *database) Notes() []model.Note { return nil }
