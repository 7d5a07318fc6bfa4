package courierusers_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/courierconf"
	"mailhaul.org/mailhaul/internal/directory/courierusers"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// site is a folder of Courier's files.
func site(t *testing.T, files map[string]string) courierconf.Facts {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := courierconf.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t *testing.T, f courierconf.Facts) (accounts []model.Account, problems []string) {
	t.Helper()
	for a, err := range courierusers.Read(t.Context(), f, "acme.test", nil) {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		accounts = append(accounts, a)
	}
	return accounts, problems
}

var statements = []string{
	"CREATE TABLE users (email varchar(80), crypt varchar(128), clear varchar(80), home varchar(80), maildir varchar(80), quota varchar(80), name varchar(80), active int)",
	"INSERT INTO users VALUES ('anna@acme.test', '{MD5}1B2M2Y8AsgTpgAmY7PhCfg==', '', '/srv/mail', 'acme.test/anna/', '1000S,5C', 'Anna', 1)",
	"INSERT INTO users VALUES ('o''b@acme.test', '', 'pw', '/srv/mail/b', '', '', '', 1)",
	"INSERT INTO users VALUES ('off@acme.test', '', 'pw', '/srv/mail/off', '', '', '', 0)",
}

// accounts of the statements, behind the one of the userdb.
var want = []model.Account{
	{Login: "first@acme.test", Address: "first@acme.test", Home: "/srv/first", Location: "maildir:/srv/first/Mail"},
	{Login: "anna@acme.test", Address: "anna@acme.test", Name: "Anna", Home: "/srv/mail", Location: "maildir:/srv/mail/acme.test/anna", Quota: 1000, Password: "{LDAP-MD5}1B2M2Y8AsgTpgAmY7PhCfg=="},
	{Login: "o'b@acme.test", Address: "o'b@acme.test", Home: "/srv/mail/b", Location: "maildir:/srv/mail/b/Mail", Password: "{PLAIN}pw", Secret: "pw"},
}

const others = "MAILDIRPATH=Mail\n"

// Accounts in a database's table, asked of both servers as Courier asks them.
func TestDatabases(t *testing.T) {
	t.Parallel()
	for prefix, module := range map[string]struct {
		name  string
		start func(t testing.TB) *lab.Database
		where string // of the server, of the account
	}{
		"MYSQL": {"authmysql", lab.StartMariaDB, "MYSQL_SERVER %s\nMYSQL_PORT %d\nMYSQL_USERNAME %s\nMYSQL_PASSWORD %s\n"},
		"PGSQL": {"authpgsql", lab.StartPostgreSQL, "PGSQL_HOST %s\nPGSQL_PORT %d\nPGSQL_USERNAME %s\nPGSQL_PASSWORD %s\n"},
	} {
		t.Run(module.name, func(t *testing.T) {
			t.Parallel()
			d := module.start(t)
			d.Exec(t, statements...)
			table := "X_DATABASE " + d.Name + "\nX_USER_TABLE users\nX_LOGIN_FIELD email\nX_CRYPT_PWFIELD crypt\nX_CLEAR_PWFIELD clear\nX_MAILDIR_FIELD maildir\nX_QUOTA_FIELD quota\nX_NAME_FIELD name\nX_WHERE_CLAUSE active=1\n"
			f := site(t, map[string]string{
				"authdaemonrc": "authmodulelist=\"authuserdb " + module.name + "\"\n", "imapd": others, "userdb": "first@acme.test\thome=/srv/first\n",
				module.name + "rc": fmt.Sprintf(module.where, d.Host, d.Port, d.Reader, d.ReaderPassword) + strings.ReplaceAll(table, "X_", prefix+"_"),
			})
			got, problems := read(t, f)
			if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
				t.Errorf("%s\n%q", diff, problems)
			}
		})
	}
}

// A site's own clauses: who there is, and then each one by name.
func TestOwnClauses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mail.sqlite")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	f := site(t, map[string]string{
		"authdaemonrc": "authmodulelist=\"authuserdb authsqlite\"\n", "imapd": others, "userdb": "first@acme.test\thome=/srv/first\n",
		"authsqliterc": "SQLITE_DATABASE " + file + "\nSQLITE_ENUMERATE_CLAUSE SELECT email, 1, 1, home, maildir FROM users WHERE active = 1\n" +
			"SQLITE_SELECT_CLAUSE SELECT email, crypt, clear, 1, 1, home, maildir, quota, name, '' \\\n  FROM users WHERE email = '$(local_part)@$(domain)'\n",
	})
	got, problems := read(t, f)
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("%s\n%q", diff, problems)
	}
}

// What cannot be asked ends the reading with an error that hides the password.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	f := site(t, map[string]string{"authdaemonrc": "authmodulelist=\"authpgsql authldap\"\n",
		"authpgsqlrc": "PGSQL_HOST 127.0.0.1\nPGSQL_PORT 1\nPGSQL_DATABASE d\nPGSQL_USERNAME u\nPGSQL_PASSWORD verysecret\nPGSQL_USER_TABLE t\n"})
	var errs []error
	for _, err := range courierusers.Read(t.Context(), f, "", nil) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || model.ClassOf(errs[0]) != model.ClassFatal || strings.Contains(errs[0].Error(), "verysecret") {
		t.Errorf("%v", errs)
	}
}

func TestLDAP(t *testing.T) {
	t.Parallel()
	s := lab.StartSlapd(t, lab.SlapdOptions{})
	s.Add(t, s.Reader, map[string][]string{"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"reader"}, "userPassword": {"reader-pw"}})
	s.Add(t, "uid=anna,"+s.Base, map[string][]string{"objectClass": {"inetOrgPerson", "posixAccount"}, "uid": {"anna"}, "sn": {"K"}, "cn": {"Anna K"}, "mail": {"anna@acme.test"},
		"uidNumber": {"1001"}, "gidNumber": {"100"}, "homeDirectory": {"acme/anna"}, "userPassword": {"{SSHA}abc"}, "description": {"1"}})
	s.Add(t, "uid=ben,"+s.Base, map[string][]string{"objectClass": {"inetOrgPerson", "posixAccount"}, "uid": {"ben"}, "sn": {"B"}, "cn": {"Ben"}, "mail": {"ben"},
		"uidNumber": {"1002"}, "gidNumber": {"100"}, "homeDirectory": {"/home/ben"}, "userPassword": {"{MD5}abc"}})
	f := site(t, map[string]string{"authdaemonrc": "authmodulelist=\"authldap\"\n", "imapd": others,
		"authldaprc": "LDAP_URI ldap://" + s.Addr + "\nLDAP_BASEDN " + s.Base + "\nLDAP_BINDDN " + s.Reader + "\nLDAP_BINDPW reader-pw\nLDAP_FILTER (objectClass=posixAccount)\n" +
			"LDAP_DOMAIN acme.test\nLDAP_MAILROOT /srv/mail\nLDAP_CRYPTPW userPassword\nLDAP_FULLNAME cn\nLDAP_AUXOPTIONS description=disableimap,description=disablepop3\n"})
	got, problems := read(t, f)
	want := []model.Account{
		{Login: "anna@acme.test", Address: "anna@acme.test", Name: "Anna K", Home: "/srv/mail/acme/anna", Location: "maildir:/srv/mail/acme/anna/Mail", Password: "{SSHA}abc", Disabled: true},
		{Login: "ben@acme.test", Address: "ben@acme.test", Name: "Ben", Home: "/home/ben", Location: "maildir:/home/ben/Mail", Password: "{LDAP-MD5}abc"},
	}
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("%s\n%q", diff, problems)
	}
}
