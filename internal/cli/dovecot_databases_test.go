package cli_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/sample"
)

// databases keep the users of a Dovecot: each fills one and returns the passdb
// and userdb for it.
var databases = map[string]func(t *testing.T, org organisation) string{
	"MariaDB": func(t *testing.T, org organisation) string {
		d := lab.StartMariaDB(t)
		d.Exec(t, usersTable(org)...)
		return org.sqlConf(t, "mysql", connection(d))
	},
	"PostgreSQL": func(t *testing.T, org organisation) string {
		d := lab.StartPostgreSQL(t)
		d.Exec(t, usersTable(org)...)
		return org.sqlConf(t, "pgsql", connection(d))
	},
	"SQLite": func(t *testing.T, org organisation) string {
		path := filepath.Join(org.dir, "users.sqlite")
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, s := range usersTable(org) {
			if _, err := db.Exec(s); err != nil {
				t.Fatal(err)
			}
		}
		return org.sqlConf(t, "sqlite", path)
	},
	"LDAP": func(t *testing.T, org organisation) string {
		s := lab.StartSlapd(t, lab.SlapdOptions{})
		s.Add(t, s.Reader, map[string][]string{"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"reader"}, "userPassword": {"reader-pw"}})
		for _, a := range org.sample.Accounts {
			s.Add(t, "mail="+a.Login+","+s.Base, map[string][]string{"objectClass": {"inetOrgPerson"}, "mail": {a.Login}, "cn": {a.Name}, "sn": {a.Name},
				"userPassword": {a.Hash}, "employeeNumber": {fmt.Sprint(a.Quota)}})
		}
		return org.write(t, "ldap", fmt.Sprintf(`uris = ldap://%s
dn = %s
dnpass = reader-pw
base = %s
pass_filter = (&(objectClass=inetOrgPerson)(mail=%%u))
pass_attrs = mail=user,userPassword=password
user_filter = (&(objectClass=inetOrgPerson)(mail=%%u))
user_attrs = =home=%s/%%d/%%n, =uid=%d, =gid=%d, employeeNumber=quota_rule=*:bytes=%%$
iterate_filter = (objectClass=inetOrgPerson)
iterate_attrs = mail=user
`, s.Addr, s.Reader, s.Base, org.dir, mailUID(), mailUID()))
	},
}

func mailUID() int {
	if os.Getuid() == 0 {
		return lab.MailUID
	}
	return os.Getuid()
}

func connection(d *lab.Database) string {
	return fmt.Sprintf("host=%s port=%d dbname=%s user=%s password=%s", d.Host, d.Port, d.Name, d.Reader, d.ReaderPassword)
}

func usersTable(org organisation) []string {
	out := []string{"CREATE TABLE users (username varchar(80), domain varchar(80), password varchar(250), quota bigint)"}
	for _, a := range org.sample.Accounts {
		name, domain, _ := strings.Cut(a.Login, "@")
		out = append(out, fmt.Sprintf("INSERT INTO users VALUES ('%s', '%s', '%s', %d)", name, domain, strings.ReplaceAll(a.Hash, "'", "''"), a.Quota))
	}
	return out
}

func (org organisation) sqlConf(t *testing.T, driver, connect string) string {
	rule := "'*:bytes=' || quota"
	if driver == "mysql" {
		rule = "CONCAT('*:bytes=', quota)"
	}
	return org.write(t, "sql", fmt.Sprintf(`driver = %s
connect = %s
default_pass_scheme = CRYPT
password_query = SELECT username, domain, password FROM users \
  WHERE username = '%%n' AND domain = '%%d'
user_query = SELECT '%s/%%d/%%n' AS home, %d AS uid, %d AS gid, %s AS quota_rule FROM users WHERE username = '%%n' AND domain = '%%d'
iterate_query = SELECT username, domain FROM users
`, driver, connect, org.dir, mailUID(), mailUID(), rule))
}

// write keeps the database's settings and returns the sections that name them.
func (org organisation) write(t *testing.T, driver, text string) string {
	t.Helper()
	path := filepath.Join(org.dir, "dovecot-"+driver+".conf.ext")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("passdb {\n  driver = %s\n  args = %s\n}\nuserdb {\n  driver = %s\n  args = %s\n}\n", driver, path, driver, path)
}

// A Dovecot whose users are in a database moves with the configuration that
// init writes, from init to verify: its accounts with their homes, quotas and
// passwords.
func TestDatabasesMove(t *testing.T) {
	for name, fill := range databases {
		t.Run(name, func(t *testing.T) {
			org := organisation{dir: t.TempDir(), sample: sample.New(sample.Options{Accounts: 14, Messages: 400, Seed: 11, Now: today})}
			if err := org.sample.WriteMaildir(org.dir); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(org.dir, "users")); err != nil { // no other way to know
				t.Fatal(err)
			}
			org.Dovecot = lab.StartDovecot(t, lab.DovecotOptions{Databases: fill(t, org), Mail: org.dir, Location: "maildir:~/Maildir",
				Packages: []string{"dovecot-mysql", "dovecot-pgsql", "dovecot-sqlite", "dovecot-ldap"}})
			t.Setenv("PATH", org.Doveconf(t)+":"+os.Getenv("PATH"))
			for target, start := range targets() {
				t.Run(target, func(t *testing.T) {
					t.Parallel()
					org.moves(t, start(t), without())
				})
			}
		})
	}
}
