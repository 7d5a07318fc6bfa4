package courierconf

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// SQL is how Courier asks an SQL database for its accounts.
type SQL struct {
	Module string // "authmysql", "authpgsql" or "authsqlite"
	Driver string // "mysql", "pgsql" or "sqlite"
	// Host is a name, or the path of a socket; empty: the client's usual one.
	// Port 0 is the usual one. Database is the file for SQLite.
	Host           string
	Port           int
	Database       string
	User, Password string
	CA             string // a PEM file, or empty
	// Domain completes a name without one.
	Domain string
	// Query lists every account, in the columns of a directory.CourierEntry:
	// name, crypt, clear, home, maildir, quota, fullname, options.
	Query string
	// Enumerate and Select are the site's own queries, where it has them: then
	// Query is empty, and the accounts are those whose name Enumerate yields in
	// its first column, asked one by one with Lookup. Select yields name, crypt,
	// clear, uid, gid, home, maildir, quota, fullname, options, by position.
	Enumerate, Select string
}

// modules are the SQL databases by the name of Courier's module, with the
// prefix of its settings.
var modules = map[string]struct{ driver, prefix string }{
	"authmysql":  {"mysql", "MYSQL_"},
	"authpgsql":  {"pgsql", "PGSQL_"},
	"authsqlite": {"sqlite", "SQLITE_"},
}

// ParseSQL reads authmysqlrc, authpgsqlrc or authsqliterc; module is
// "authmysql" and so on. Errors are model.Faults of model.ClassFatal and hold
// no password.
func ParseSQL(r io.Reader, module string) (SQL, error) {
	m, ok := modules[module]
	if !ok {
		return SQL{}, model.Faultf(model.ClassFatal, "courierconf", "%s is none of %s", module, strings.Join(slices.Sorted(maps.Keys(modules)), ", "))
	}
	rc, err := parseRC(r)
	if err != nil {
		return SQL{}, model.Faultf(model.ClassFatal, "courierconf", "%src: %w", module, err)
	}
	fail := func(format string, args ...any) (SQL, error) {
		return SQL{}, model.Faultf(model.ClassFatal, "courierconf", "%src: %s", module, fmt.Sprintf(format, args...))
	}
	get := func(name, missing string) string {
		if v := rc[m.prefix+name]; v != "" {
			return v
		}
		return missing
	}
	s := SQL{Module: module, Driver: m.driver, Host: get("SOCKET", get("HOST", get("SERVER", ""))), Database: get("DATABASE", ""), User: get("USERNAME", ""), Password: get("PASSWORD", ""),
		CA: get("SSL_CACERT", ""), Domain: rc["DEFAULT_DOMAIN"], Enumerate: get("ENUMERATE_CLAUSE", ""), Select: get("SELECT_CLAUSE", "")}
	if p := get("PORT", "0"); p != "0" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port < 1 || s.Port > 65535 {
			return fail("%sPORT %q is no port", m.prefix, p)
		}
	}
	if s.Database == "" {
		return fail("there is no %sDATABASE: is it Courier's file?", m.prefix)
	}
	if s.Select != "" {
		if s.Enumerate == "" {
			return fail("%sSELECT_CLAUSE tells of accounts by name only, and there is no %sENUMERATE_CLAUSE that lists them: list the accounts in a CSV file", m.prefix, m.prefix)
		}
		s.Enumerate = s.with(s.Enumerate, "*", nil)
		return s, nil
	}
	s.Enumerate = ""
	table := get("USER_TABLE", "")
	if table == "" {
		return fail("there is no %sUSER_TABLE", m.prefix)
	}
	login := get("LOGIN_FIELD", "id")
	s.Query = fmt.Sprintf("SELECT %s AS name, %s AS crypt, %s AS clear, %s AS home, %s AS maildir, %s AS quota, %s AS fullname, %s AS options FROM %s WHERE %s ORDER BY %s",
		login, get("CRYPT_PWFIELD", "''"), get("CLEAR_PWFIELD", "''"), get("HOME_FIELD", "home"), get("MAILDIR_FIELD", "''"),
		get("QUOTA_FIELD", "''"), get("NAME_FIELD", "''"), get("AUXOPTIONS_FIELD", "''"), table, get("WHERE_CLAUSE", "1=1"), login)
	return s, nil
}

// Lookup is the query for one account, where the site has queries of its own.
// escape makes a text safe between the quotes that the site has written around
// it.
func (s SQL) Lookup(name string, escape func(string) string) string {
	return s.with(s.Select, name, escape)
}

// with puts the parts of a name into a query of the site's
// (courier-authlib authconfigfile.cpp, parse_custom_query).
func (s SQL) with(query, name string, escape func(string) string) string {
	if escape == nil {
		escape = func(s string) string { return s }
	}
	local, domain, ok := strings.Cut(name, "@")
	if !ok {
		domain = s.Domain
	}
	return strings.NewReplacer("$(local_part)", escape(local), "$(domain)", escape(domain), "$(service)", "imap").Replace(query)
}
