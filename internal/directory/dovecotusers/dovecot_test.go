package dovecotusers_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	_ "modernc.org/sqlite"

	"mailhaul.org/mailhaul/internal/directory/dovecotusers"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

func read(s doveconf.Settings) (accounts []model.Account, problems []string) {
	for a, err := range dovecotusers.Read(context.Background(), dovecotusers.Options{Settings: s}) {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		accounts = append(accounts, a)
	}
	slices.SortFunc(accounts, func(a, b model.Account) int { return strings.Compare(a.Login, b.Login) })
	return accounts, problems
}

// settings are what the server's own doveconf says.
func settings(t *testing.T, d *lab.Dovecot) doveconf.Settings {
	t.Helper()
	out, err := exec.Command(filepath.Join(d.Doveconf(t), "doveconf"), "-n", "-P").Output()
	if err != nil {
		t.Fatal(err)
	}
	s, err := doveconf.Parse(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// organisation is a directory with these users, whatever it is kept in. dir is
// where mail goes.
type organisation func(t *testing.T, dir string) lab.DovecotOptions

// People are the users: a quota, another location, an inactive one, and a name
// that tries to get out of a query.
type person struct {
	name, password, quota, mail string
	active                      int
}

const domain = "acme.test"

func people(dir string) []person {
	return []person{
		{"anna", "{PLAIN}anna-pw-1234", "1048576", "", 1},
		{"ben", "{SHA256-CRYPT}$5$rounds=1000$saltsalt$x", "0", "maildir:" + dir + "/else/ben", 1},
		{"cleo", "{PLAIN}cleo-pw-1234", "0", "", 0},
		{`o'hara`, "{PLAIN}ohara-pw-1234", "2097152", "", 1},
	}
}

// sqlConf is Dovecot's file for any of the three drivers.
func sqlConf(t *testing.T, dir, driver, connect string) string {
	t.Helper()
	concat := "username || '@' || domain"
	if driver == "mysql" {
		concat = "CONCAT(username, '@', domain)"
	}
	path := filepath.Join(dir, "dovecot-sql.conf.ext")
	text := fmt.Sprintf(`# Dovecot's own
driver = %s
connect = %s
default_pass_scheme = SHA256-CRYPT
password_query = SELECT %s AS user, password, \
  '%%h' AS userdb_unused FROM users WHERE username = '%%n' AND domain = '%%d' AND active = 1
user_query = SELECT '%s/%%d/%%2.256Nu/%%n' AS home, %d AS uid, %d AS gid, mail, \
  '*:bytes=' || quota AS quota_rule FROM users WHERE username = '%%Ln' AND domain = '%%d'
iterate_query = SELECT username, domain FROM users
`, driver, strings.ReplaceAll(connect, "%", "%%"), concat, dir, uid(), uid())
	text = strings.Replace(text, "'%h' AS userdb_unused", "'x' AS userdb_unused", 1)
	if driver == "mysql" {
		text = strings.Replace(text, "'*:bytes=' || quota", "CONCAT('*:bytes=', quota)", 1)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func uid() int {
	if os.Getuid() == 0 {
		return lab.MailUID
	}
	return os.Getuid()
}

func statements(dir string) []string {
	out := []string{"CREATE TABLE users (username varchar(80), domain varchar(80), password varchar(200), quota bigint, mail varchar(200), active smallint)"}
	for _, p := range people(dir) {
		mail := "NULL"
		if p.mail != "" {
			mail = "'" + p.mail + "'"
		}
		out = append(out, fmt.Sprintf("INSERT INTO users VALUES ('%s', '%s', '%s', %s, %s, %d)", strings.ReplaceAll(p.name, "'", "''"), domain, p.password, p.quota, mail, p.active))
	}
	return out
}

// packages are the same for all, so that they are unpacked once.
var packages = []string{"dovecot-mysql", "dovecot-pgsql", "dovecot-sqlite", "dovecot-ldap"}

func both(driver, args string) string {
	return fmt.Sprintf("passdb {\n  driver = %s\n  args = %s\n}\nuserdb {\n  driver = %s\n  args = %s\n}\n", driver, args, driver, args)
}

func organisations() map[string]organisation {
	inDatabase := func(driver string, start func(testing.TB) *lab.Database) organisation {
		return func(t *testing.T, dir string) lab.DovecotOptions {
			d := start(t)
			d.Exec(t, statements(dir)...)
			connect := fmt.Sprintf("host=%s port=%d dbname=%s user=%s password=%s", d.Host, d.Port, d.Name, d.Reader, d.ReaderPassword)
			return lab.DovecotOptions{Databases: both("sql", sqlConf(t, dir, driver, connect)), Packages: packages}
		}
	}
	return map[string]organisation{
		"MariaDB":    inDatabase("mysql", lab.StartMariaDB),
		"PostgreSQL": inDatabase("pgsql", lab.StartPostgreSQL),
		"SQLite": func(t *testing.T, dir string) lab.DovecotOptions {
			path := filepath.Join(dir, "users.sqlite")
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, s := range statements(dir) {
				if _, err := db.Exec(s); err != nil {
					t.Fatal(err)
				}
			}
			return lab.DovecotOptions{Databases: both("sql", sqlConf(t, dir, "sqlite", path)), Packages: packages}
		},
		"LDAP": func(t *testing.T, dir string) lab.DovecotOptions {
			s := lab.StartSlapd(t, lab.SlapdOptions{SizeLimit: 500})
			s.Add(t, s.Reader, map[string][]string{"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"reader"}, "userPassword": {"reader-pw"}})
			for _, p := range people(dir) {
				e := map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {p.name}, "cn": {p.name}, "sn": {"x"}, "mail": {p.name + "@" + domain},
					"userPassword": {strings.Replace(p.password, "{PLAIN}", "{CLEARTEXT}", 1)}, "employeeType": {fmt.Sprint(p.active)}}
				if p.quota != "0" {
					e["employeeNumber"] = []string{p.quota}
				}
				if p.mail != "" {
					e["description"] = []string{p.mail}
				}
				s.Add(t, "uid="+p.name+","+s.Base, e)
			}
			path := filepath.Join(dir, "dovecot-ldap.conf.ext")
			text := fmt.Sprintf(`uris = ldap://%s
dn = %s
dnpass = "reader-pw"
base = %s
pass_filter = (&(mail=%%u)(employeeType=1))
pass_attrs = mail=user,userPassword=password
user_filter = (&(objectClass=inetOrgPerson)(uid=%%n))
user_attrs = \
  =home=%s/%%d/%%2.256Nu/%%n, \
  =uid=%d, =gid=%d, description=mail, \
  employeeNumber=quota_rule=*:bytes=%%$
iterate_filter = (objectClass=inetOrgPerson)
iterate_attrs = mail=user
`, s.Addr, s.Reader, s.Base, dir, uid(), uid())
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			return lab.DovecotOptions{Databases: both("ldap", path), Packages: packages}
		},
		"several": func(t *testing.T, dir string) lab.DovecotOptions {
			// A file for each domain, prefetched by one passdb, with defaults;
			// then a home that is the same for the rest.
			write := func(name, text string) string {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return path
			}
			var a strings.Builder
			for _, p := range people(dir)[:3] { // Dovecot finds no apostrophe in a file
				extra := ""
				if p.mail != "" {
					extra += " userdb_mail=" + p.mail
				}
				if p.quota != "0" {
					extra += " userdb_quota_rule=*:bytes=" + p.quota
				}
				if p.active == 0 {
					extra += " nologin"
				}
				fmt.Fprintf(&a, "%s:%s:%d:%d::::%s\n", p.name, p.password, uid(), uid(), strings.TrimSpace(extra))
			}
			write("domains/"+domain, a.String())
			return lab.DovecotOptions{Databases: fmt.Sprintf(`passdb {
  driver = passwd-file
  args = username_format=%%n %s/domains/%%d
}
userdb {
  driver = passwd-file
  args = username_format=%%n %s/domains/%%d
  default_fields = home=%s/%%d/%%2.256Nu/%%n
}
`, dir, dir, dir), Packages: packages}
		},
	}
}

// What Dovecot's doveadm tells of every user is what we tell.
func TestReadAsDovecot(t *testing.T) {
	t.Parallel()
	for name, start := range organisations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			o := start(t, dir)
			o.Mail, o.Location, o.Settings = dir, "maildir:~/Maildir", "auth_username_chars ="
			d := lab.StartDovecot(t, o)
			got, problems := read(settings(t, d))
			if len(problems) > 0 {
				t.Errorf("problems %q", problems)
			}
			var want []model.Account
			everybody := people(dir)
			if name == "several" {
				everybody = everybody[:3]
			}
			for _, p := range everybody {
				login := p.name + "@" + domain
				table := fieldsOf(d.Doveadm(t, "user", login))
				a := model.Account{Login: login, Address: login, Home: table["home"], Location: p.mail, Password: p.password, Disabled: p.active == 0}
				if a.Home == "" || p.mail != "" && table["mail"] != p.mail {
					t.Fatalf("doveadm user %s: %v", login, table)
				}
				if p.active == 0 && name != "several" {
					a.Password = "" // no passdb tells
				}
				if name == "LDAP" {
					a.Password = strings.Replace(a.Password, "{PLAIN}", "{CLEARTEXT}", 1)
				}
				fmt.Sscan(p.quota, &a.Quota)
				want = append(want, a)
			}
			if name != "several" { // Dovecot lists no file with a variable in its path
				if listed := strings.Fields(d.Doveadm(t, "user", "*")); len(listed) != len(want) {
					t.Errorf("doveadm lists %q", listed)
				}
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			c, err := imapclient.DialInsecure(d.IMAP, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			last := everybody[len(everybody)-1]
			if name == "several" {
				last = everybody[0]
			}
			if err := c.Login(last.name+"@"+domain, strings.TrimPrefix(last.password, "{PLAIN}")).Wait(); err != nil {
				t.Errorf("the organisation is no real one: %v", err)
			}
		})
	}
}

// fieldsOf reads the table of doveadm user.
func fieldsOf(table string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(table) {
		if f := strings.SplitN(strings.TrimSpace(line), "\t", 2); len(f) == 2 {
			out[f[0]] = f[1]
		}
	}
	return out
}
