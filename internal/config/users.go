package config

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/directory/nearest"
	"mailhaul.org/mailhaul/internal/directory/sqlusers"
)

// Users says who exists at the source. All of it together is the directory.
type Users struct {
	// Dovecot asks the databases of Dovecot's configuration: AskDoveconf, or
	// the path of a file with what doveconf -n -P prints; or empty.
	Dovecot string
	Passwd  string // a passwd-file, or empty
	Scheme  string // scheme of its passwords without one; empty means CRYPT
	// Courier is the folder of Courier's files, whose authdaemonrc says who
	// exists: a userdb, an SQL database, an LDAP directory; or empty.
	Courier string
	UserDB  string   // the text of Courier's userdb, a file or a folder of them, or empty
	CSV     string   // a CSV file with a heading, or empty
	SQL     *SQL     // nil when the file has no source.users.sql
	LDAP    *LDAP    // nil when the file has no source.users.ldap
	List    []string // logins, or globs on what else is known
	// Domain completes bare names to addresses; empty makes them errors.
	Domain string
}

// AskDoveconf stands for the configuration of the Dovecot on this host.
const AskDoveconf = "doveconf"

// SQL is a database that tells who exists.
type SQL struct {
	Driver        string // "mysql", "pgsql", "sqlite"
	Host          string // or the path of a socket; empty means this host
	Port          int    // 0 means the usual one
	Database      string // its name, or the path of an SQLite file
	User          string
	Password      Secret
	TLS           *TLS // nil means: where the server has it, unverified
	Query, Preset string
	Scheme        string // of passwords without one; empty means CRYPT
	// Addresses, Domains and Vacations are queries for more than accounts; empty
	// means those of Preset, "-" none.
	Addresses, Domains, Vacations string
}

// LDAP is a directory that tells who exists.
type LDAP struct {
	URLs       []string
	StartTLS   bool
	TLS        TLS
	Bind       string // a DN; empty means anonymous
	Password   Secret
	Base       string
	Scope      string
	Filter     string
	Preset     string
	Attributes map[string][]string // of directory.Columns
	MailHost   string
	Scheme     string      // of passwords without one; empty means PLAIN
	Groups     *LDAPGroups // nil: where they usually are
}

// LDAPGroups say where groups are in an LDAP directory, where they are not where
// they usually are. Those with an address are lists.
type LDAPGroups struct {
	None         bool // no groups are read
	Base, Filter string
	Attributes   map[string][]string // of ldapusers.GroupColumns
}

func (c *LDAP) groups() LDAPGroups {
	if c.Groups == nil {
		return LDAPGroups{}
	}
	return *c.Groups
}

// Any reports whether the file names users at all.
func (u Users) Any() bool { return u.enumerates() || len(u.List) > 0 }

// enumerates reports whether the file names what can tell who exists.
func (u Users) enumerates() bool {
	return u.Dovecot != "" || u.Passwd != "" || u.Courier != "" || u.UserDB != "" || u.CSV != "" || u.SQL != nil || u.LDAP != nil
}

func (d *decoder) users(c *Users, v value, s *sections) {
	if _, ok := v.node.(*ast.SequenceNode); ok {
		v.setTexts(&c.List)
		return
	}
	v.fields(
		s.see("dovecot", func(v value) {
			if t, ok := v.text(); ok && t == AskDoveconf {
				c.Dovecot = t
			} else if ok {
				v.setPath(&c.Dovecot)
			}
		}),
		s.see("passwd", func(v value) { v.setPath(&c.Passwd) }),
		s.see("scheme", func(v value) { v.setText(&c.Scheme) }),
		s.see("courier", func(v value) { v.setPath(&c.Courier) }),
		s.see("userdb", func(v value) { v.setPath(&c.UserDB) }),
		s.see("csv", func(v value) { v.setPath(&c.CSV) }),
		s.see("sql", func(v value) {
			c.SQL = &SQL{}
			d.sql(c.SQL, v, s)
		}),
		s.see("ldap", func(v value) {
			c.LDAP = &LDAP{}
			d.ldap(c.LDAP, v, s)
		}),
		s.see("list", func(v value) { v.setTexts(&c.List) }),
		s.see("domain", func(v value) { v.setText(&c.Domain) }),
	)
}

func (d *decoder) sql(c *SQL, v value, s *sections) {
	v.fields(
		s.see("driver", func(v value) { v.setText(&c.Driver) }),
		s.see("host", func(v value) { v.setText(&c.Host) }),
		s.see("port", func(v value) { v.setInt(&c.Port, 1, 65535) }),
		s.see("database", func(v value) { v.setText(&c.Database) }),
		s.see("user", func(v value) { v.setText(&c.User) }),
		s.see("password", func(v value) { v.setSecret(&c.Password) }),
		s.see("preset", func(v value) { v.setText(&c.Preset) }),
		s.see("query", func(v value) { v.setText(&c.Query) }),
		s.see("scheme", func(v value) { v.setText(&c.Scheme) }),
		s.see("addresses", func(v value) { v.setText(&c.Addresses) }),
		s.see("domains", func(v value) { v.setText(&c.Domains) }),
		s.see("vacations", func(v value) { v.setText(&c.Vacations) }),
		s.see("tls", func(v value) {
			c.TLS = &TLS{}
			d.tls(c.TLS, v, s)
		}),
	)
	if c.Driver == string(sqlusers.SQLite) {
		c.Database = resolvePath(d.dir, c.Database)
	}
}

func (d *decoder) ldap(c *LDAP, v value, s *sections) {
	v.fields(
		s.see("url", func(v value) { v.setTexts(&c.URLs) }),
		s.see("starttls", func(v value) { v.setBool(&c.StartTLS) }),
		s.see("bind", func(v value) { v.setText(&c.Bind) }),
		s.see("password", func(v value) { v.setSecret(&c.Password) }),
		s.see("base", func(v value) { v.setText(&c.Base) }),
		s.see("scope", func(v value) { v.setText(&c.Scope) }),
		s.see("filter", func(v value) { v.setText(&c.Filter) }),
		s.see("preset", func(v value) { v.setText(&c.Preset) }),
		s.see("attributes", func(v value) { v.attributes(&c.Attributes, "a directory", directory.Columns) }),
		s.see("groups", func(v value) {
			c.Groups = &LDAPGroups{}
			if b, ok := v.node.(*ast.BoolNode); ok && !b.Value {
				c.Groups.None = true
				return
			}
			v.fields(
				s.see("base", func(v value) { v.setText(&c.Groups.Base) }),
				s.see("filter", func(v value) { v.setText(&c.Groups.Filter) }),
				s.see("attributes", func(v value) { v.attributes(&c.Groups.Attributes, "a group", ldapusers.GroupColumns) }),
			)
		}),
		s.see("mailhost", func(v value) { v.setText(&c.MailHost) }),
		s.see("scheme", func(v value) { v.setText(&c.Scheme) }),
		s.see("tls", func(v value) { d.tls(&c.TLS, v, s) }),
	)
}

// attributes reads a map of columns to attributes.
func (v value) attributes(to *map[string][]string, who string, columns []string) {
	*to = map[string][]string{}
	for _, e := range v.entries() {
		if !slices.Contains(columns, e.key) {
			hint := nearest.Hint(e.key, columns)
			if hint == "" {
				hint = ": known are " + strings.Join(columns, ", ")
			}
			e.value.problem("%s tells no %q%s", who, e.key, hint)
			continue
		}
		var names []string
		e.value.setTexts(&names)
		(*to)[e.key] = names
	}
}

func (d *decoder) validateUsers(c *Config, s *sections) {
	u := c.Source.Users
	if u.Domain != "" {
		if _, err := directory.Normalize("x@"+u.Domain, ""); err != nil {
			d.wrong(s, "source.users.domain", "%q is no domain", u.Domain)
		}
	}
	if s.has("source.users.scheme") && !s.has("source.users.passwd") {
		d.wrong(s, "source.users.scheme", "it belongs to a passwd-file: set source.users.passwd, too")
	}
	if u.SQL != nil {
		d.validateSQL(u.SQL, s)
	}
	if u.LDAP != nil {
		d.validateLDAP(u.LDAP, s)
	}
	for _, e := range u.List {
		if v, ok := s.keys["source.users.list"]; ok {
			v.glob(e)
		}
	}
	enumerates := c.Source.Maildir != nil || c.Source.Dbox != nil || c.Source.Kind == KindCyrus || u.enumerates() || c.Source.IMAP != nil && c.Source.IMAP.Logins != "" ||
		c.Source.Vdir != nil && c.Source.Kind == KindVdir || c.Source.DAV != nil && c.Source.DAV.Logins != ""
	switch {
	case enumerates || c.Source.IMAP == nil && c.Source.Kind != KindDAV || s.has("source.users") && !u.Any() && u.Domain == "":
	case !u.Any():
		d.problem(s.place("source.users"), "source.users is missing: %s cannot tell who exists, so name a passwd file, a csv file, a database (sql, ldap) or a list", protocol(c.Source))
	case !slices.ContainsFunc(u.List, func(e string) bool { return !directory.IsGlob(e) }):
		d.wrong(s, "source.users.list", "patterns choose from known accounts, and %s cannot tell who exists: name a passwd or csv file, too, or write the logins out", protocol(c.Source))
	}
}

// protocol is what a source is asked by.
func protocol(c Source) string {
	if c.Kind == KindDAV {
		return "DAV"
	}
	return "IMAP"
}

func (d *decoder) validateSQL(c *SQL, s *sections) {
	const at = "source.users.sql"
	d.missing(s, at+".driver", "write mysql (MariaDB, too), pgsql or sqlite")
	d.missing(s, at+".database", "it is its name; for SQLite the path of the file")
	known := slices.Contains(sqlusers.Drivers, sqlusers.Driver(c.Driver))
	if c.Driver != "" && !known {
		d.wrong(s, at+".driver", "%q is unknown: write mysql (MariaDB, too), pgsql or sqlite", c.Driver)
	}
	switch {
	case c.Driver == string(sqlusers.SQLite):
		for _, key := range []string{"host", "port", "user", "password", "tls"} {
			if s.has(at + "." + key) {
				d.wrong(s, at+"."+key, "an SQLite file is no server: remove it")
			}
		}
	case known:
		d.missing(s, at+".user", "it needs no more than SELECT")
	}
	switch {
	case c.Query != "" && c.Preset != "":
		d.wrong(s, at+".preset", "the query counts: remove one of them")
	case c.Preset != "":
		d.preset(s, at, c.Preset, sqlusers.Presets())
	case !s.has(at+".query") && !s.has(at+".preset"):
		d.problem(s.place(at), "%s has neither query nor preset: presets are %s", at, strings.Join(sqlusers.Presets(), ", "))
	}
}

func (d *decoder) validateLDAP(c *LDAP, s *sections) {
	const at = "source.users.ldap"
	d.missing(s, at+".url", "write ldaps://host, or ldap://host with starttls: true")
	d.missing(s, at+".base", "it is where the search begins, as dc=acme,dc=test")
	clear := false
	for _, u := range c.URLs {
		if strings.HasPrefix(u, "ldapi://") {
			continue
		}
		if parsed := d.checkURL(s, at+".url", u, "ldaps", "ldap"); parsed != nil {
			clear = clear || parsed.Scheme == "ldap" && !loopback(parsed.Hostname())
		}
	}
	if clear && c.Bind != "" && !c.StartTLS && !c.TLS.Insecure {
		d.wrong(s, at+".url", "ldap would send the password in clear text: write ldaps or starttls: true, or set tls.insecure if you accept that")
	}
	if c.Bind != "" {
		d.missing(s, at+".password", "it is that of bind, as env:OLD_LDAP")
	} else if s.has(at + ".password") {
		d.wrong(s, at+".password", "it belongs to a DN: set source.users.ldap.bind, too")
	}
	switch ldapusers.Scope(c.Scope) {
	case "", ldapusers.Subtree, ldapusers.OneLevel, ldapusers.BaseOnly:
	default:
		d.wrong(s, at+".scope", "%q is unknown: write subtree, onelevel or base", c.Scope)
	}
	for name, filter := range map[string]string{".filter": c.Filter, ".groups.filter": c.groups().Filter} {
		if filter != "" && (filter[0] != '(' || filter[len(filter)-1] != ')') {
			d.wrong(s, at+name, "a filter is written as (&(objectClass=inetOrgPerson)(mail=*))")
		}
	}
	switch {
	case c.Preset != "":
		d.preset(s, at, c.Preset, ldapusers.Presets())
	case !s.has(at+".preset") && len(c.Attributes["login"]) == 0:
		d.problem(s.place(at), "%s has neither preset nor attributes.login: presets are %s", at, strings.Join(ldapusers.Presets(), ", "))
	}
}

func (d *decoder) preset(s *sections, at, name string, known []string) {
	if !slices.Contains(known, name) {
		hint := nearest.Hint(name, known)
		if hint == "" {
			hint = ": known are " + strings.Join(known, ", ")
		}
		d.wrong(s, at+".preset", "%q is unknown%s", name, hint)
	}
}
