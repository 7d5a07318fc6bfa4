package doveconf

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// SQL is how Dovecot asks an SQL database.
type SQL struct {
	Driver string // "mysql", "pgsql", "sqlite"
	// Hosts hold the same; any of them will do. For SQLite there is one, whose
	// Database is the file.
	Hosts []SQLHost
	// The queries have variables of Dovecot in them.
	PasswordQuery, UserQuery, IterateQuery string
	// Scheme is that of passwords without one.
	Scheme string
}

// SQLHost is one server of a database.
type SQLHost struct {
	Host           string // or the path of a socket; empty: the client's usual one
	Port           int    // 0: the usual one
	Database       string
	User, Password string
	// CA is a PEM file; TLS demands an encrypted connection.
	CA  string
	TLS bool
}

// What Dovecot 2.3 asks unless told otherwise (src/auth/db-sql.c).
const (
	passwordQuery23 = "SELECT username, domain, password FROM users WHERE username = '%n' AND domain = '%d'"
	userQuery23     = "SELECT home, uid, gid FROM users WHERE username = '%n' AND domain = '%d'"
	iterateQuery23  = "SELECT username, domain FROM users"
)

// ParseSQL reads dovecot-sql.conf.ext of Dovecot 2.3. name is the file's, for
// errors, which are model.Faults of model.ClassFatal and hold no password.
func ParseSQL(r io.Reader, name string) (SQL, error) {
	b, err := ParseExternal(r, name)
	if err != nil {
		return SQL{}, err
	}
	s := SQL{Driver: b.Get("driver"), PasswordQuery: b.Get("password_query"), UserQuery: b.Get("user_query"), IterateQuery: b.Get("iterate_query"),
		Scheme: b.Get("default_pass_scheme")}
	for _, d := range []struct {
		to   *string
		text string
	}{{&s.PasswordQuery, passwordQuery23}, {&s.UserQuery, userQuery23}, {&s.IterateQuery, iterateQuery23}, {&s.Scheme, "MD5"}} {
		if *d.to == "" {
			*d.to = d.text
		}
	}
	connect := b.Get("connect")
	if s.Driver == "" || connect == "" {
		return SQL{}, model.Faultf(model.ClassFatal, "doveconf", "%s has no driver or no connect: is it Dovecot's file for an SQL database?", name)
	}
	s.Hosts, err = hosts23(s.Driver, connect)
	if err != nil {
		return SQL{}, model.Faultf(model.ClassFatal, "doveconf", "%s: connect: %w", name, err)
	}
	return s, nil
}

// hosts23 reads "host=a host=b dbname=mail user=x password=y".
func hosts23(driver, connect string) ([]SQLHost, error) {
	switch driver {
	case "sqlite":
		path, _, _ := strings.Cut(connect, " ") // options follow
		return []SQLHost{{Database: path}}, nil
	case "mysql", "pgsql":
	default:
		return nil, fmt.Errorf("the driver %q is not read: list the users in a CSV file", driver)
	}
	pairs, err := connectWords(connect, driver == "pgsql")
	if err != nil {
		return nil, err
	}
	var hosts []string
	var h SQLHost
	for _, p := range pairs {
		switch p.Key {
		case "host", "hostaddr":
			hosts = append(hosts, p.Text)
		case "port":
			if h.Port, err = strconv.Atoi(p.Text); err != nil {
				return nil, fmt.Errorf("the port is no number")
			}
		case "dbname":
			h.Database = p.Text
		case "user":
			h.User = p.Text
		case "password":
			h.Password = p.Text
		case "ssl_ca", "sslrootcert":
			h.CA = p.Text
		case "sslmode":
			h.TLS = p.Text == "require" || strings.HasPrefix(p.Text, "verify-")
		case "option_file", "option_group", "service", "passfile":
			return nil, fmt.Errorf("%s is not followed: write user and password into a file that mailhaul.yaml names, under users.sql", p.Key)
		}
	}
	h.TLS = h.TLS || h.CA != ""
	if len(hosts) == 0 {
		hosts = []string{""}
	}
	var out []SQLHost
	for _, name := range hosts {
		h.Host = name
		out = append(out, h)
	}
	return out, nil
}

// connectWords splits at blanks. PostgreSQL's library knows quotes and
// backslashes in its values, MariaDB's takes them as they are.
func connectWords(s string, quotes bool) ([]Value, error) {
	if !quotes {
		return words(s), nil
	}
	var out []Value
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		key, rest, ok := strings.Cut(s, "=")
		if key = strings.TrimSpace(key); !ok || key == "" || strings.ContainsAny(key, " '") {
			return nil, fmt.Errorf("a word is no key=value")
		}
		rest = strings.TrimLeft(rest, " \t")
		quoted := strings.HasPrefix(rest, "'")
		if quoted {
			rest = rest[1:]
		}
		var b strings.Builder
		i := 0
		for ; i < len(rest); i++ {
			if quoted && rest[i] == '\'' || !quoted && (rest[i] == ' ' || rest[i] == '\t') {
				break
			}
			if rest[i] == '\\' && i+1 < len(rest) {
				i++
			}
			b.WriteByte(rest[i])
		}
		if quoted {
			if i == len(rest) {
				return nil, fmt.Errorf("the value of %s has a quote that does not end", key)
			}
			i++
		}
		out = append(out, Value{key, b.String()})
		s = rest[i:]
	}
	return out, nil
}

// SQL reads the settings of an SQL database in the main configuration, where
// 2.4 has them.
func (s Settings) SQL(d Database) (SQL, error) {
	out := SQL{Driver: s.setting(d, "sql_driver"), Scheme: s.DefaultScheme(d), IterateQuery: s.setting(d, "userdb_sql_iterate_query")}
	query := s.setting(d, d.Kind+"_sql_query")
	if d.Kind == "passdb" {
		out.PasswordQuery = query
	} else {
		out.UserQuery = query
	}
	if out.Scheme == "" {
		out.Scheme = "CRYPT"
	}
	fail := func(format string, args ...any) (SQL, error) {
		return SQL{}, model.Faultf(model.ClassFatal, "doveconf", "%s %s: %s", d.Kind, d.Name, fmt.Sprintf(format, args...))
	}
	switch out.Driver {
	case "sqlite":
		path := s.setting(d, "sqlite_path")
		for _, b := range s.sections(d, "sqlite") {
			path = b.first("path", "sqlite_path")
		}
		if path == "" {
			return fail("there is no sqlite_path")
		}
		out.Hosts = []SQLHost{{Database: path}}
	case "mysql", "pgsql":
		for _, b := range s.sections(d, out.Driver) {
			h, err := host24(b, out.Driver)
			if err != nil {
				return fail("%v", err)
			}
			out.Hosts = append(out.Hosts, h)
		}
		if len(out.Hosts) == 0 {
			return fail("there is no section %s with a server", out.Driver)
		}
	default:
		return fail("the sql_driver %q is not read: list the users in a CSV file", out.Driver)
	}
	return out, nil
}

// host24 reads "mysql host { user = x }" or "pgsql host { parameters { user = x } }".
func host24(b *Block, driver string) (h SQLHost, err error) {
	get := func(name string) string {
		v := b.first(name, driver+"_"+name)
		for _, p := range append(b.All("parameters"), b.All(driver+"_parameters")...) {
			if w := p.Get(name); w != "" {
				v = w
			}
		}
		return v
	}
	h = SQLHost{Host: b.Name, Database: get("dbname"), User: get("user"), Password: get("password"), CA: get("sslrootcert")}
	if v := get("host"); v != "" {
		h.Host = v
	}
	if p := get("port"); p != "" && p != "0" {
		if h.Port, err = strconv.Atoi(p); err != nil {
			return h, fmt.Errorf("the port %q is no number", p)
		}
	}
	if v := b.first("ssl_client_ca_file"); v != "" {
		h.CA = v
	}
	mode := get("sslmode")
	h.TLS = h.CA != "" || b.first("ssl", driver+"_ssl") == "yes" || mode == "require" || strings.HasPrefix(mode, "verify-")
	return h, nil
}
