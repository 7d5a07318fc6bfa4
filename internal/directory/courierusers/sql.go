package courierusers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"os"
	"strings"

	"mailhaul.org/mailhaul/internal/courierconf"
	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/sqlusers"
	"mailhaul.org/mailhaul/internal/model"
)

// columns of a directory.CourierEntry, in the order of Courier's own SELECT
// clause.
var columns = []string{"name", "crypt", "clear", "uid", "gid", "home", "maildir", "quota", "fullname", "options"}

// sql asks an SQL database.
func (r *reader) sql(ctx context.Context, s courierconf.SQL) bool {
	server := sqlusers.Server{Driver: sqlusers.Driver(s.Driver), Host: s.Host, Port: s.Port, Database: s.Database, User: s.User, Password: s.Password, Reach: r.wait.Another()}
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			return r.fatal(model.Faultf(model.ClassFatal, "directory", "there is no certificate in %s, which %src names: %v", s.CA, s.Module, err))
		}
		server.TLS = &tls.Config{RootCAs: pool}
	}
	db, err := sqlusers.Open(ctx, server)
	if err != nil {
		return r.fatal(err)
	}
	defer db.Close()
	if s.Query != "" {
		return r.rows(ctx, db, server, s.Query, func(row sqlusers.Row) bool {
			return r.entry(entryOf(row.Get), fmt.Sprintf("%s: row %d", server, row.Number))
		})
	}
	var names []string
	if !r.rows(ctx, db, server, s.Enumerate, func(row sqlusers.Row) bool {
		if len(row.Values) > 0 && row.Values[0].String != "" {
			names = append(names, row.Values[0].String)
		}
		return true
	}) {
		return false
	}
	for _, name := range names {
		found := false
		if !r.rows(ctx, db, server, s.Lookup(name, escaper(s.Driver)), func(row sqlusers.Row) bool {
			if found { // Courier takes the first
				return true
			}
			found = true
			return r.entry(entryOf(byPosition(row)), fmt.Sprintf("%s: %s", server, name))
		}) {
			return false
		}
	}
	return true
}

func (r *reader) rows(ctx context.Context, db *sql.DB, server sqlusers.Server, query string, each func(sqlusers.Row) bool) bool {
	for row, err := range sqlusers.Rows(ctx, db, query) {
		if err != nil {
			return r.fatal(model.Faultf(model.ClassFatal, "directory", "%s: %w, asked %s", server, err, sqlusers.Shorten(query)))
		}
		if !each(row) {
			return false
		}
	}
	return true
}

func entryOf(get func(string) string) directory.CourierEntry {
	return directory.CourierEntry{Name: get("name"), Crypt: get("crypt"), Clear: get("clear"), Home: get("home"), Maildir: get("maildir"),
		Quota: get("quota"), FullName: get("fullname"), Options: get("options")}
}

// byPosition reads a site's own SELECT clause, whose columns have no names that
// count.
func byPosition(row sqlusers.Row) func(string) string {
	return func(column string) string {
		for i, c := range columns {
			if c == column && i < len(row.Values) {
				return row.Values[i].String
			}
		}
		return ""
	}
}

// escaper makes a name safe between single quotes. MariaDB takes backslashes
// for escapes there, the others do not.
func escaper(driver string) func(string) string {
	if driver == "mysql" {
		return strings.NewReplacer(`\`, `\\`, "'", `\'`, `"`, `\"`, "\x00", "").Replace
	}
	return strings.NewReplacer("'", "''", "\x00", "").Replace
}
