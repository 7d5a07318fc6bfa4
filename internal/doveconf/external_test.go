package doveconf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseExternal(t *testing.T) {
	t.Parallel()
	const text = `# a comment \
driver = mysql   # another
connect = "host=db user=x password=a#b\"c"
query = SELECT 'a # b' AS x \
  FROM users \
  # not a comment of its own
  WHERE y = '%u'
empty =
apostrophe = it's here
last = 1`
	b, err := ParseExternal(strings.NewReader(text), "x.conf")
	if err != nil {
		t.Fatal(err)
	}
	want := []Value{{"driver", "mysql"}, {"connect", `host=db user=x password=a#b"c`}, {"query", "SELECT 'a # b' AS x  FROM users  WHERE y = '%u'"},
		{"empty", ""}, {"apostrophe", "it's here"}, {"last", "1"}}
	if d := cmp.Diff(want, b.Values); d != "" {
		t.Error(d)
	}
	for text, want := range map[string]string{
		"driver = x\nnonsense\n":         "x.conf:2: a line is neither a setting (key = value) nor a comment",
		"!include other.conf\n":          `x.conf:1: "!include other.conf" is not followed: put the files together`,
		"\n\n = value\n":                 "x.conf:3: a line is neither",
		"secret password is hunter2\n":   "x.conf:1: a line is neither",
		"a = b\n  c \\\n d\n e = hunter": "x.conf:3: a line is neither",
	} {
		if _, err := ParseExternal(strings.NewReader(text), "x.conf"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseSQL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]SQL{
		"driver = mysql\nconnect = host=/run/mysqld/mysqld.sock dbname=mail user=x password=it's\n": {Driver: "mysql", Scheme: "MD5",
			Hosts:         []SQLHost{{Host: "/run/mysqld/mysqld.sock", Database: "mail", User: "x", Password: "it's"}},
			PasswordQuery: passwordQuery23, UserQuery: userQuery23, IterateQuery: iterateQuery23},
		"driver = pgsql\ndefault_pass_scheme = CRYPT\nconnect = host=a host=b port=5433 dbname='my mail' user=x password = 'p\\'w' sslmode=verify-full sslrootcert=/ca.pem\n" +
			"password_query = P\nuser_query = U\niterate_query = I\n": {Driver: "pgsql", Scheme: "CRYPT",
			Hosts: []SQLHost{{"a", 5433, "my mail", "x", "p'w", "/ca.pem", true}, {"b", 5433, "my mail", "x", "p'w", "/ca.pem", true}}, PasswordQuery: "P", UserQuery: "U", IterateQuery: "I"},
		"driver = sqlite\nconnect = /var/mail.sqlite journal_mode=wal\nuser_query = U\n": {Driver: "sqlite", Scheme: "MD5",
			Hosts: []SQLHost{{Database: "/var/mail.sqlite"}}, PasswordQuery: passwordQuery23, UserQuery: "U", IterateQuery: iterateQuery23},
	} {
		got, err := ParseSQL(strings.NewReader(text), "x.conf")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
	for text, want := range map[string]string{
		"driver = mysql\n":                         "x.conf has no driver or no connect",
		"driver = oracle\nconnect = x\n":           `the driver "oracle" is not read`,
		"driver = mysql\nconnect = option_file=/x": "option_file is not followed",
		"driver = mysql\nconnect = port=hunter2":   "the port is no number",
		"driver = pgsql\nconnect = password='x":    "the value of password has a quote that does not end",
		"driver = pgsql\nconnect = host hunter2":   "a word is no key=value",
	} {
		if _, err := ParseSQL(strings.NewReader(text), "x.conf"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseLDAP(t *testing.T) {
	t.Parallel()
	got, err := ParseLDAP(strings.NewReader(`hosts = ldap1 ldap2:1389
uris = ldaps://ldap3
tls = yes
tls_require_cert = allow
dn = cn=reader,dc=acme
dnpass = "x"
base = ou=%d,dc=acme
auth_bind = yes
auth_bind_userdn = uid=%u,dc=acme
user_attrs = homeDirectory=home, mail=mail=maildir:/srv/%$/Maildir, \
  =quota_rule:protected=*:bytes=%{ldap:quota}, uid, x=
user_filter = (uid=%n)
`), "x.conf")
	if err != nil {
		t.Fatal(err)
	}
	want := LDAP{URIs: []string{"ldaps://ldap3", "ldap://ldap1", "ldap://ldap2:1389"}, StartTLS: true, Unverified: true, DN: "cn=reader,dc=acme", Password: "x",
		Base: "ou=%d,dc=acme", Scope: "subtree", Deref: "never", AuthBind: true, BindDN: "uid=%u,dc=acme", Scheme: "CRYPT",
		Pass: LDAPSearch{userFilter23, []LDAPField{{"user", "%{ldap:uid}", "uid"}, {"password", "%{ldap:userPassword}", "userPassword"}}},
		User: LDAPSearch{"(uid=%n)", []LDAPField{{"home", "%{ldap:homeDirectory}", "homeDirectory"}, {"mail", "maildir:/srv/%{ldap:mail}/Maildir", "mail"},
			{"quota_rule", "*:bytes=%{ldap:quota}", ""}, {"uid", "%{ldap:uid}", "uid"}}},
		Iterate: LDAPSearch{iterateFilter23, []LDAPField{{"user", "%{ldap:uid}", "uid"}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for text, want := range map[string]string{
		"base = x":        "has no uris or hosts, or no base",
		"uris = ldap://x": "has no uris or hosts, or no base",
		"uris = ldap://x\nbase = y\nuser_attrs = @ref=home": "follows references between entries",
		"uris = ldap://x\nbase = y\nuser_attrs = =home":     "has neither an attribute nor a text",
		"uris = ldap://x\nbase = y\nsasl_bind = yes":        "binds by SASL",
	} {
		if _, err := ParseLDAP(strings.NewReader(text), "x.conf"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Settings of 2.4 stand in the database's section, in one that is named for
// the driver, or outside.
func TestSettingsOf24(t *testing.T) {
	t.Parallel()
	s, err := Parse(strings.NewReader(`dovecot_config_version = 2.4.0
sql_driver = pgsql
passdb_default_password_scheme = ARGON2ID
pgsql db1 {
  parameters {
    user = x
    sslmode = require
  }
}
pgsql db2 {
  pgsql_parameters {
    dbname = mail
    port = 5433
  }
}
passdb mine {
  driver = sql
  query = P
  sql_driver = mysql
  mysql db3 {
    ssl = yes
    mysql_user = y
  }
}
userdb sql {
  userdb_sql_query = U
  iterate_query = I
  skip = found
}
userdb files {
  sql_driver = sqlite
  driver = sql
  query = F
  sqlite_path = /x
}
`))
	if err != nil {
		t.Fatal(err)
	}
	pass, user := s.Databases("passdb"), s.Databases("userdb")
	if len(pass) != 1 || len(user) != 2 || pass[0].Driver != "sql" || pass[0].Name != "mine" || user[0].Skip != "found" {
		t.Fatalf("%+v %+v", pass, user)
	}
	for i, c := range []struct {
		d    Database
		want SQL
	}{
		{pass[0], SQL{Driver: "mysql", Scheme: "ARGON2ID", PasswordQuery: "P", Hosts: []SQLHost{{Host: "db3", User: "y", TLS: true}}}},
		{user[0], SQL{Driver: "pgsql", Scheme: "ARGON2ID", UserQuery: "U", IterateQuery: "I", Hosts: []SQLHost{{Host: "db1", User: "x", TLS: true}, {Host: "db2", Database: "mail", Port: 5433}}}},
		{user[1], SQL{Driver: "sqlite", Scheme: "ARGON2ID", UserQuery: "F", Hosts: []SQLHost{{Database: "/x"}}}},
	} {
		got, err := s.SQL(c.d)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%d: %s", i, d)
		}
	}
}

func FuzzExternal(f *testing.F) {
	for _, s := range []string{"driver = mysql\nconnect = host=a host=b user=x password='y' # z\n", "uris = ldap://x\nbase = y\nuser_attrs = a=b=%$,=c=d\n", "a = \"b \\\" c\" \\\n d\n", "driver = pgsql\nconnect = password = 'a\\'b' port=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseExternal(strings.NewReader(text), "x")
		if err == nil {
			for _, v := range b.Values {
				if v.Key == "" || strings.ContainsAny(v.Key, " \t\n") || strings.Contains(v.Text, "\n") {
					t.Errorf("%q has the setting %q", text, v)
				}
			}
		}
		if s, err := ParseSQL(strings.NewReader(text), "x"); err == nil && (len(s.Hosts) == 0 || s.UserQuery == "") {
			t.Errorf("%q: %+v", text, s)
		}
		if l, err := ParseLDAP(strings.NewReader(text), "x"); err == nil && (len(l.URIs) == 0 || l.Base == "") {
			t.Errorf("%q: %+v", text, l)
		}
	})
}
