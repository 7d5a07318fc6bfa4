package lab

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestMariaDB(t *testing.T) {
	t.Parallel()
	remembers(t, StartMariaDB(t))
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	remembers(t, StartPostgreSQL(t))
}

// remembers writes to a database and reads it back.
func remembers(t *testing.T, d *Database) {
	d.Exec(t, "CREATE TABLE users (login varchar(80))", "INSERT INTO users VALUES ('änna')")
	var got string
	if err := d.db.QueryRowContext(t.Context(), "SELECT login FROM users").Scan(&got); err != nil || got != "änna" {
		t.Errorf("%q, %v", got, err)
	}
}

// Only the administrator reads passwords; everybody can log in with one.
func TestSlapd(t *testing.T) {
	t.Parallel()
	s := StartSlapd(t, SlapdOptions{})
	anna := "uid=anna," + s.Base
	s.Add(t, anna, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"anna"}, "cn": {"Anna"}, "sn": {"A"}, "userPassword": {"anna-pw"}})
	c, err := ldap.DialURL("ldap://" + s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Bind(anna, "anna-pw"); err != nil {
		t.Error(err)
	}
	r, err := c.Search(ldap.NewSearchRequest(s.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(uid=anna)", nil, nil))
	if err != nil || len(r.Entries) != 1 || r.Entries[0].GetAttributeValue("userPassword") != "" {
		t.Errorf("%+v, %v", r, err)
	}
}
