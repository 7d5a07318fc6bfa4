package engagement

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// Databases that mailhaul.yaml names tell who exists, with secrets that stand
// elsewhere; what they forward is told.
func TestAccountsFromDatabases(t *testing.T) {
	t.Parallel()
	secrets := t.TempDir()
	secret := func(name, text string) string {
		path := filepath.Join(secrets, name)
		write(t, path, text+"\n")
		return "file:" + path
	}
	db := lab.StartMariaDB(t)
	db.Exec(t, "CREATE TABLE people (mail varchar(80), pw varchar(80), to_whom varchar(80))",
		"INSERT INTO people VALUES ('anna@acme.test', '$6$x', 'a@else.test'), ('cleo@acme.test', NULL, NULL)")
	ldap := lab.StartSlapd(t, lab.SlapdOptions{})
	ldap.Add(t, "uid=dora,"+ldap.Base, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"dora"}, "cn": {"Dora"}, "sn": {"D"}, "mail": {"dora@acme.test"}})
	sqlSection := fmt.Sprintf("{driver: mysql, host: %s, port: %d, database: %s, user: %s, password: '%s', query: \"SELECT mail AS login, pw AS password, to_whom AS forwards FROM people\"}",
		db.Host, db.Port, db.Name, db.Reader, secret("sql", db.ReaderPassword))
	ldapSection := fmt.Sprintf("{url: 'ldap://%s', base: '%s', bind: '%s', password: '%s', preset: inetorgperson}", ldap.Addr, ldap.Base, ldap.Admin, secret("ldap", ldap.AdminPassword))

	files := t.TempDir()
	write(t, filepath.Join(files, "users"), "eva@acme.test:{PLAIN}x::::/home/eva::\n")
	saved := filepath.Join(files, "doveconf.txt")
	write(t, saved, "# 2.3.19.1 (x): /etc/dovecot/dovecot.conf\npassdb {\n  driver = passwd-file\n  args = "+files+"/users\n}\nuserdb {\n  driver = passwd-file\n  args = "+files+"/users\n}\n")

	e := acme(t, "{dovecot: "+saved+", sql: "+sqlSection+", ldap: "+ldapSection+"}")
	accounts, err := e.Accounts(t.Context(), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range accounts {
		got = append(got, a.Address+" "+a.Password+" "+a.Home)
	}
	if s, want := strings.Join(got, "|"), "eva@acme.test {PLAIN}x /home/eva|anna@acme.test {CRYPT}$6$x |cleo@acme.test  |dora@acme.test  "; s != want {
		t.Errorf("%s, want %s", s, want)
	}
	found := false
	for _, f := range e.Plan.Findings {
		found = found || strings.Contains(f.Message, "accounts that forward their mail (1), which provision goes on with by Sieve: anna@acme.test → a@else.test")
	}
	if !found {
		t.Errorf("forwards are not told: %+v", e.Plan.Findings)
	}

	wrong := acme(t, "{sql: "+strings.Replace(sqlSection, db.Reader, "nobody", 1)+"}")
	if _, err := wrong.Accounts(t.Context(), nil, ""); model.CodeOf(err) != model.CodeAuth {
		t.Errorf("a wrong user: %v", err)
	}
}
