package site

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// Site is a host with the sample organisation.
type Site struct {
	*lab.Postfix // configured, its tables compiled; not started
	Sample       *sample.Directory
	// Users is the section source.users of an engagement's file, on one line.
	Users string
}

// Kinds are the ways in which hosts keep an organisation; Common are those that
// most do.
var (
	Kinds  = []string{"files", "LDAP", "MariaDB", "PostgreSQL", "SQLite"}
	Common = Kinds[:3]
)

var layouts = map[string]func(testing.TB, *Site) error{
	"files": func(t testing.TB, s *Site) error {
		s.Users = fmt.Sprintf("passwd: %q", filepath.Join(s.Dir, "users"))
		return s.Sample.WritePasswd(s.Dir, "lmdb")
	},
	"LDAP": func(t testing.TB, s *Site) error {
		l := lab.StartSlapd(t, lab.SlapdOptions{Schema: sample.LDAPSchema})
		for _, e := range s.Sample.LDAP(l.Base) {
			l.Add(t, e.DN, e.Attributes)
		}
		l.Add(t, l.Reader, map[string][]string{"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"reader"}, "userPassword": {"reader-pw"}})
		s.Users = fmt.Sprintf("ldap: {url: ldap://%s, base: %q, bind: %q, password: inline:reader-pw, preset: mailrecipient}", l.Addr, l.Base, l.Reader)
		return s.Sample.WriteLDAP(s.Dir, "ldap://"+l.Addr, l.Base)
	},
	"MariaDB":    func(t testing.TB, s *Site) error { return s.database(t, "mysql", lab.StartMariaDB(t)) },
	"PostgreSQL": func(t testing.TB, s *Site) error { return s.database(t, "pgsql", lab.StartPostgreSQL(t)) },
	"SQLite": func(t testing.TB, s *Site) error {
		path := filepath.Join(s.Dir, "mail.sqlite")
		db, err := sql.Open("sqlite", path)
		if err != nil {
			return err
		}
		defer db.Close()
		for _, statement := range s.Sample.SQL("sqlite") {
			if _, err := db.Exec(statement); err != nil {
				return err
			}
		}
		s.Users = fmt.Sprintf("sql: {driver: sqlite, database: %q, preset: postfixadmin}", path)
		return s.Sample.WriteSQL(s.Dir, "sqlite", "", "", "", path)
	},
}

func (s *Site) database(t testing.TB, driver string, db *lab.Database) error {
	db.Exec(t, s.Sample.SQL(driver)...)
	s.Users = fmt.Sprintf("sql: {driver: %s, host: %s, port: %d, database: %s, user: %s, password: %q, preset: postfixadmin}", driver, db.Host, db.Port, db.Name, db.Reader, "inline:"+db.ReaderPassword)
	return s.Sample.WriteSQL(s.Dir, driver, db.Addr(), db.Reader, db.ReaderPassword, db.Name)
}

// Start lays the organisation out in one of Kinds. The test is skipped where the
// servers cannot be had.
func Start(t testing.TB, kind string, o sample.DirectoryOptions) *Site {
	t.Helper()
	layout, ok := layouts[kind]
	if !ok {
		t.Fatalf("no host keeps an organisation as %s", kind)
	}
	s := &Site{Postfix: lab.NewPostfix(t), Sample: sample.NewDirectory(o)}
	if err := layout(t, s); err != nil {
		t.Fatal(err)
	}
	s.Configure(t)
	for _, table := range []string{"domains", "mailboxes", "virtual"} {
		path := filepath.Join(s.Dir, table)
		if _, err := os.Stat(path); err == nil {
			s.Run(t, "", "postmap", "lmdb:"+path)
		}
	}
	s.Run(t, "", "postalias", "hash:"+filepath.Join(s.Dir, "aliases"))
	return s
}

// Engagement writes an engagement's file for the site, with more at its end,
// and returns its path. The mail of the source cannot be reached.
func (s *Site) Engagement(t testing.TB, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mailhaul.yaml")
	text := "engagement: ./e\ninsecure_inline_secrets: true\nsource:\n  kind: imap\n  imap: {url: imaps://mail.old.test, master: m, password: inline:x}\n" +
		"  postfix: " + s.Dir + "\n  users:\n    " + s.Users + "\ndestination: {embedded: true}\n" + more
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
