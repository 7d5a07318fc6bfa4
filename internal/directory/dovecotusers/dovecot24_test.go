package dovecotusers_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
)

// What doveconf of 2.4 prints leads to the same users, of real databases.
func TestReadSettingsOf24(t *testing.T) {
	t.Parallel()
	const dir = "/srv/mail"
	sqlBlocks := func(driver, concat, rule string) string {
		return fmt.Sprintf(`sql_driver = %s
passdb sql {
  default_password_scheme = SHA256-CRYPT
  query = SELECT %s AS user, password FROM users WHERE username = '%%{user | username}' AND domain = '%%{user | domain}' AND active = 1 AND username NOT LIKE '%%zz'
}
userdb sql {
  iterate_query = SELECT username, domain FROM users
  query = <<END_1
SELECT '%s/%%{user | domain}/%%{user | md5 | substr(0,8) %% 256 | hex(2)}/%%{user | username}' AS home,
  mail, %s AS quota_rule
FROM users WHERE username = '%%{user | username | lower}' AND domain = '%%{user | domain}'
END_1
}
`, driver, concat, dir, rule)
	}
	for name, start := range map[string]func(t *testing.T) string{
		"MariaDB": func(t *testing.T) string {
			d := lab.StartMariaDB(t)
			d.Exec(t, statements(dir)...)
			return fmt.Sprintf("mysql %s {\n  dbname = %s\n  password = %s\n  port = %d\n  user = %s\n}\n", d.Host, d.Name, d.ReaderPassword, d.Port, d.Reader) +
				sqlBlocks("mysql", "CONCAT(username, '@', domain)", "CONCAT('*:bytes=', quota)")
		},
		"PostgreSQL": func(t *testing.T) string {
			d := lab.StartPostgreSQL(t)
			d.Exec(t, statements(dir)...)
			return fmt.Sprintf("pgsql %s {\n  parameters {\n    dbname = %s\n    password = %s\n    port = %d\n    user = %s\n  }\n}\n", d.Host, d.Name, d.ReaderPassword, d.Port, d.Reader) +
				sqlBlocks("pgsql", "username || '@' || domain", "'*:bytes=' || quota")
		},
		"LDAP": func(t *testing.T) string {
			s := lab.StartSlapd(t, lab.SlapdOptions{})
			s.Add(t, s.Reader, map[string][]string{"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"reader"}, "userPassword": {"reader-pw"}})
			for _, p := range people(dir) {
				e := map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {p.name}, "cn": {p.name}, "sn": {"x"}, "mail": {p.name + "@" + domain},
					"userPassword": {p.password}, "employeeType": {fmt.Sprint(p.active)}}
				if p.quota != "0" {
					e["employeeNumber"] = []string{p.quota}
				}
				if p.mail != "" {
					e["description"] = []string{p.mail}
				}
				s.Add(t, "uid="+p.name+","+s.Base, e)
			}
			return fmt.Sprintf(`ldap_auth_dn = %s
ldap_auth_dn_password = reader-pw
ldap_base = %s
ldap_uris = ldap://127.0.0.1:1 ldap://%s
passdb ldap {
  filter = (&(mail=%%{user})(employeeType=1))
  fields {
    password = %%{ldap:userPassword}
    user = %%{ldap:mail}
  }
}
userdb ldap {
  filter = (uid=%%{user | username})
  iterate_filter = (objectClass=inetOrgPerson)
  fields {
    home = %s/%%{user | domain}/%%{user | md5 | substr(0,8) %% 256 | hex(2)}/%%{user | username}
    mail = %%{ldap:description}
    quota_storage_size = %%{ldap:employeeNumber}
  }
  iterate_fields {
    user = %%{ldap:mail}
  }
}
`, s.Reader, s.Base, s.Addr, dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := doveconf.Parse(strings.NewReader("# 2.4.1 (x): /etc/dovecot/dovecot.conf\ndovecot_config_version = 2.4.0\n" + start(t)))
			if err != nil {
				t.Fatal(err)
			}
			got, problems := read(s)
			if len(problems) > 0 {
				t.Errorf("problems %q", problems)
			}
			bucket := map[string]string{"anna": "e5", "ben": "73", "cleo": "2b", "o'hara": "5e"} // the first three as doveadm of 2.3 says
			var want []model.Account
			for _, p := range people(dir) {
				login := p.name + "@" + domain
				a := model.Account{Login: login, Address: login, Home: filepath.Join(dir, domain, bucket[p.name], p.name), Location: p.mail, Password: p.password, Disabled: p.active == 0}
				if p.active == 0 {
					a.Password = ""
				}
				fmt.Sscan(p.quota, &a.Quota)
				want = append(want, a)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
