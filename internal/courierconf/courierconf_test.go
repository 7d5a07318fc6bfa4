package courierconf

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/lab"
)

func TestParseShell(t *testing.T) {
	t.Parallel()
	const text = `##NAME: x:0
# comment
PORT=143
 TCPDOPTS="-nodnslookup -noidentlookup" # why
export A='$PORT "x"'
B="$A and ${PORT}"
C=x\ y z
D=
if test -f x
E="not \"closed\"
F=$NOWHERE.$PORT
`
	got := map[string]string{}
	if err := parseShell(strings.NewReader(text), got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"PORT": "143", "TCPDOPTS": "-nodnslookup -noidentlookup", "A": `$PORT "x"`, "B": `$PORT "x" and 143`, "C": "x y", "D": "", "E": `not "closed"`, "F": ".143"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

const mysqlrc = `# MYSQL_SERVER not.this
MYSQL_SERVER		db.acme.test
MYSQL_USERNAME	courier
MYSQL_PASSWORD	s p#c
MYSQL_PORT	0
MYSQL_OPT	0
MYSQL_DATABASE	mail
MYSQL_USER_TABLE	users
MYSQL_CRYPT_PWFIELD	crypt
MYSQL_LOGIN_FIELD	email
MYSQL_MAILDIR_FIELD	CONCAT(SUBSTRING_INDEX(email,'@',-1),'/', \
			SUBSTRING_INDEX(email,'@',1),'/')
MYSQL_WHERE_CLAUSE	active = 1
DEFAULT_DOMAIN	acme.test
`

func TestParseSQL(t *testing.T) {
	t.Parallel()
	got, err := ParseSQL(strings.NewReader(mysqlrc), "authmysql")
	if err != nil {
		t.Fatal(err)
	}
	want := SQL{Module: "authmysql", Driver: "mysql", Host: "db.acme.test", Database: "mail", User: "courier", Password: "s p#c", Domain: "acme.test",
		Query: "SELECT email AS name, crypt AS crypt, '' AS clear, home AS home, CONCAT(SUBSTRING_INDEX(email,'@',-1),'/', SUBSTRING_INDEX(email,'@',1),'/') AS maildir," +
			" '' AS quota, '' AS fullname, '' AS options FROM users WHERE active = 1 ORDER BY email"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	own := "PGSQL_HOST /run/postgresql\nPGSQL_PORT 5433\nPGSQL_DATABASE m\nPGSQL_SELECT_CLAUSE SELECT a FROM b WHERE l='$(local_part)' AND d='$(domain)' AND s='$(service)'\n"
	if _, err := ParseSQL(strings.NewReader(own), "authpgsql"); err == nil || !strings.Contains(err.Error(), "ENUMERATE_CLAUSE") {
		t.Errorf("a query for one account only: %v", err)
	}
	got, err = ParseSQL(strings.NewReader(own+"PGSQL_ENUMERATE_CLAUSE SELECT a FROM b\nDEFAULT_DOMAIN acme.test\n"), "authpgsql")
	if err != nil || got.Host != "/run/postgresql" || got.Port != 5433 || got.Query != "" || got.Enumerate != "SELECT a FROM b" {
		t.Errorf("%+v, %v", got, err)
	}
	double := func(s string) string { return strings.ReplaceAll(s, "'", "''") }
	if q := got.Lookup("o'x", double); q != "SELECT a FROM b WHERE l='o''x' AND d='acme.test' AND s='imap'" {
		t.Error(q)
	}
	for text, want := range map[string]string{"MYSQL_PORT x\nMYSQL_DATABASE d\n": "no port", "": "no MYSQL_DATABASE", "MYSQL_DATABASE d\n": "no MYSQL_USER_TABLE"} {
		if _, err := ParseSQL(strings.NewReader(text), "authmysql"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestParseLDAP(t *testing.T) {
	t.Parallel()
	const text = `LDAP_URI		ldaps://a.test, ldap://b.test
LDAP_BASEDN		ou=people, dc=acme, dc=test
LDAP_BINDDN		cn=courier
LDAP_BINDPW		secret
LDAP_FILTER		(objectClass=CourierMailAccount)
LDAP_DOMAIN		acme.test
LDAP_MAILROOT		/srv/mail
LDAP_CRYPTPW		userPassword
LDAP_FULLNAME		cn
LDAP_AUXOPTIONS		noimap=disableimap,shared=sharedgroup
`
	got, err := ParseLDAP(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := LDAP{URIs: []string{"ldaps://a.test", "ldap://b.test"}, Base: "ou=people, dc=acme, dc=test", BindDN: "cn=courier", BindPW: "secret",
		Filter: "(&(objectClass=CourierMailAccount)(mail=*))", Domain: "acme.test", MailRoot: "/srv/mail",
		Attributes: map[string]string{"name": "mail", "crypt": "userPassword", "home": "homeDirectory", "fullname": "cn"},
		Options:    map[string]string{"disableimap": "noimap", "sharedgroup": "shared"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got, err = ParseLDAP(strings.NewReader("LDAP_SERVER old.test\nLDAP_PORT 390\nLDAP_BASEDN x\nLDAP_ENUMERATE_FILTER (a=b)\n"))
	if err != nil || !slices.Equal(got.URIs, []string{"ldap://old.test:390"}) || got.Filter != "(a=b)" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := ParseLDAP(strings.NewReader("x y\n")); err == nil {
		t.Error("no server, no error")
	}
}

// The files of a real Courier tell what init needs.
func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := lab.StartCourier(t, lab.CourierOptions{Mail: dir, Shared: true, Users: []lab.CourierUser{{Name: "anna@acme.test", Password: "x", Home: dir + "/anna"}}})
	f, err := Find(srv.Config)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Modules, []string{"authuserdb"}) || f.UserDB != filepath.Join(srv.Config, "userdb") || f.MaildirPath != "Maildir" || f.EmptyTrash != "Trash:7" {
		t.Errorf("%+v", f)
	}
	if !slices.ContainsFunc(f.Notes, func(n string) bool { return strings.Contains(n, "IMAP_EMPTYTRASH=Trash:7") }) {
		t.Errorf("notes %q", f.Notes)
	}
	if _, err := Find(dir); err == nil {
		t.Error("a folder without Courier's files is none")
	}
}

// What a module needs and is not there is told in a note, and the rest stands.
func TestFindModules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("authdaemonrc", "authmodulelist=\"authmysql authldap authuserdb authpam authcustom\"\nDEFAULTOPTIONS=\"disablepop3=1\"\n")
	write("imapd", "MAILDIRPATH=Mail\nIMAP_EMPTYTRASH=\n")
	write("authmysqlrc", mysqlrc)
	write("userdb/acme.test", "x\n")
	write("userdb/sub/other.test", "x\n")
	write("userdb/.lock", "x\n")
	f, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	if f.SQL == nil || f.SQL.Database != "mail" || f.LDAP != nil || f.DefaultOptions != "disablepop3=1" || f.MaildirPath != "Mail" || f.EmptyTrash != "" {
		t.Errorf("%+v", f)
	}
	for _, want := range []string{"authldaprc", "authpam", "authcustom"} {
		if !slices.ContainsFunc(f.Notes, func(n string) bool { return strings.Contains(n, want) }) {
			t.Errorf("no note on %s: %q", want, f.Notes)
		}
	}
	files, err := Files(f.UserDB)
	if err != nil || !slices.Equal(files, []string{filepath.Join(dir, "userdb/acme.test"), filepath.Join(dir, "userdb/sub/other.test")}) {
		t.Errorf("%q, %v", files, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(mysqlrc)
	f.Add("LDAP_URI a\\\nLDAP_BASEDN b\n")
	f.Add("A=\"x${B}\\\"' 'y'z")
	f.Fuzz(func(t *testing.T, text string) {
		set := map[string]string{}
		if err := parseShell(strings.NewReader(text), set); err == nil {
			for k := range set {
				if k == "" || strings.ContainsAny(k, " =$") {
					t.Errorf("name %q", k)
				}
			}
		}
		if s, err := ParseSQL(strings.NewReader(text), "authmysql"); err == nil && (s.Database == "" || s.Query == "" && s.Select == "") {
			t.Errorf("%+v", s)
		}
		if l, err := ParseLDAP(strings.NewReader(text)); err == nil && (l.Filter == "" || len(l.URIs) == 0) {
			t.Errorf("%+v", l)
		}
	})
}
