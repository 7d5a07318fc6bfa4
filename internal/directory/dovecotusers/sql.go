package dovecotusers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"io"
	"iter"
	"strings"

	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/model"
)

type sqlConn struct {
	doveconf.SQL
	db     *sql.DB
	server sqlusers.Server
}

// forSQL connects for a database whose driver is sql.
func (c *connections) forSQL(ctx context.Context, ch *chain, l *link) error {
	key := l.Args // passdb and userdb usually name the same file
	if key == "" {
		key = l.Kind + " " + l.Name
	}
	conn := c.sql[key]
	if conn == nil {
		conf, err := c.confSQL(l.Database)
		if err != nil {
			return err
		}
		conn = &sqlConn{SQL: conf}
		// All hosts are tried before any is waited for.
		err = c.reach.Another().Await(ctx, conf.Driver+" database", func() (err error) {
			conn.db, err = anyOf(conf.Hosts, func(h doveconf.SQLHost) (*sql.DB, error) {
				conn.server = sqlusers.Server{Driver: sqlusers.Driver(conf.Driver), Host: h.Host, Port: h.Port, Database: h.Database, User: h.User, Password: h.Password}
				if h.TLS {
					trust, err := c.trust(h.CA, false)
					if err != nil {
						return nil, err
					}
					conn.server.TLS = trust
				}
				return sqlusers.Open(ctx, conn.server)
			})
			return err
		})
		if err != nil {
			return err
		}
		c.sql[key] = conn
	}
	query := conn.UserQuery
	if l.Kind == "passdb" {
		query = conn.PasswordQuery
	}
	l.scheme = conn.Scheme
	l.backend = &sqlBackend{sqlConn: conn, chain: ch, query: query}
	return nil
}

func (c *connections) confSQL(d doveconf.Database) (doveconf.SQL, error) {
	if d.Args == "" {
		return c.settings.SQL(d)
	}
	return readExternal(c.open, d, doveconf.ParseSQL)
}

// trust makes TLS settings of Dovecot's.
func (c *connections) trust(ca string, unverified bool) (*tls.Config, error) {
	t := &tls.Config{InsecureSkipVerify: unverified}
	if ca == "" {
		return t, nil
	}
	f, err := c.open(ca)
	if err != nil {
		return nil, model.Faultf(model.ClassFatal, "directory", "the certificate authority: %w", err)
	}
	defer f.Close()
	pem, err := io.ReadAll(io.LimitReader(f, 16<<20))
	if err != nil {
		return nil, model.Faultf(model.ClassFatal, "directory", "the certificate authority: %w", err)
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return nil, model.Faultf(model.ClassFatal, "directory", "there is no certificate in %s", ca)
	}
	return t, nil
}

// sqlBackend asks with Dovecot's queries.
type sqlBackend struct {
	*sqlConn
	chain *chain
	query string // about one user
}

func (b *sqlBackend) list(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if b.IterateQuery == "" {
			yield("", fmt.Errorf("%w: it has no iterate_query", errCannotList))
			return
		}
		// It has no user to put into it.
		query, err := b.chain.expander("", nil).Expand(b.IterateQuery)
		if err != nil {
			yield("", b.fault("iterate_query", b.IterateQuery, err))
			return
		}
		for row, err := range sqlusers.Rows(ctx, b.db, query) {
			if err != nil {
				yield("", b.fault("iterate_query", query, err))
				return
			}
			login := row.Get("user")
			if login == "" {
				if login = row.Get("username"); login != "" && row.Get("domain") != "" {
					login += "@" + row.Get("domain")
				}
			}
			if login == "" {
				err := model.Faultf(model.ClassAccount, "directory", "%s: row %d of the iterate_query has neither user nor username", b.server, row.Number)
				if !yield("", err) {
					return
				}
				continue
			}
			if !yield(login, nil) {
				return
			}
		}
	}
}

func (b *sqlBackend) fault(what, query string, err error) error {
	if model.ClassOf(err) == model.ClassFatal {
		return err
	}
	return &model.Fault{Class: model.ClassFatal, Code: "database", Err: fmt.Errorf("%s: Dovecot's %s %q: %w", b.server, what, sqlusers.Shorten(query), err)}
}

// many is how many queries make one. PostgreSQL plans each.
const many = 50

func (b *sqlBackend) lookup(ctx context.Context, users []string) []answer {
	out := make([]answer, len(users))
	queries := make([]string, len(users))
	for i, u := range users {
		e := b.chain.expander(u, nil)
		e.Quote = b.quote
		query, err := e.Expand(b.query)
		if err != nil {
			out[i].err = err
			continue
		}
		queries[i] = strings.TrimRight(strings.TrimSpace(query), ";")
	}
	for start := 0; start < len(users); start += many {
		end := min(start+many, len(users))
		if !b.together(ctx, queries[start:end], out[start:end]) {
			for i := start; i < end; i++ {
				if out[i].err == nil {
					out[i] = b.alone(ctx, queries[i])
				}
			}
		}
	}
	return out
}

// number is the column by which answers that came together are told apart.
const number = "mailhaul_number"

// together asks several queries at once. It reports false where they cannot be
// put together, or one of them is wrong.
func (b *sqlBackend) together(ctx context.Context, queries []string, out []answer) bool {
	var all strings.Builder
	for i, q := range queries {
		if q == "" {
			continue
		}
		if all.Len() > 0 {
			all.WriteString("\nUNION ALL\n")
		}
		// The line end ends a comment at the query's end.
		fmt.Fprintf(&all, "SELECT %d AS %s, q%d.* FROM (%s\n) q%d", i, number, i, q, i)
	}
	if all.Len() == 0 {
		return true
	}
	answers := make([]answer, len(queries))
	for row, err := range sqlusers.Rows(ctx, b.db, all.String()) {
		if err != nil {
			return false
		}
		i := 0
		if _, err := fmt.Sscan(row.Get(number), &i); err != nil || i < 0 || i >= len(queries) {
			return false
		}
		answers[i] = b.add(answers[i], row)
	}
	for i := range out {
		if out[i].err == nil {
			out[i] = answers[i]
		}
	}
	return true
}

func (b *sqlBackend) alone(ctx context.Context, query string) (a answer) {
	for row, err := range sqlusers.Rows(ctx, b.db, query) {
		if err != nil {
			return answer{err: fmt.Errorf("%s: the query %q: %w", b.server, sqlusers.Shorten(query), err)}
		}
		a = b.add(a, row)
	}
	return a
}

// add takes a row. Dovecot refuses passwords of several rows and takes the
// first of a userdb's.
func (b *sqlBackend) add(a answer, row sqlusers.Row) answer {
	if a.fields != nil {
		if b.query == b.PasswordQuery && b.query != b.UserQuery {
			a.err = fmt.Errorf("%s: the password_query finds several rows", b.server)
		}
		return a
	}
	a.fields = map[string]string{"": ""}
	for i, name := range row.Columns {
		if row.Values[i].Valid && name != number {
			a.fields[name] = row.Values[i].String
		}
	}
	return a
}

// quote makes a value safe between the quotes of an SQL string.
func (b *sqlBackend) quote(s string) string {
	if b.Driver == string(sqlusers.MySQL) {
		return mysqlQuotes.Replace(s)
	}
	return strings.ReplaceAll(s, "'", "''")
}

var mysqlQuotes = strings.NewReplacer(`\`, `\\`, "'", `\'`, `"`, `\"`, "\x00", `\0`, "\n", `\n`, "\r", `\r`, "\x1a", `\Z`)
