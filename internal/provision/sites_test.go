package provision_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
)

// sites are the sample organisation as three kinds of hosts keep it; each lays
// it out beside a Postfix and returns the section of users of an engagement.
func sites() map[string]func(t *testing.T, d *sample.Directory, p *lab.Postfix) string {
	return map[string]func(t *testing.T, d *sample.Directory, p *lab.Postfix) string{
		"passwd-file": func(t *testing.T, d *sample.Directory, p *lab.Postfix) string {
			must(t, d.WritePasswd(p.Dir, "lmdb"))
			return "passwd: " + filepath.Join(p.Dir, "users")
		},
		"LDAP": func(t *testing.T, d *sample.Directory, p *lab.Postfix) string {
			l := lab.StartSlapd(t, lab.SlapdOptions{Schema: sample.LDAPSchema})
			for _, e := range d.LDAP(l.Base) {
				l.Add(t, e.DN, e.Attributes)
			}
			l.Add(t, l.Reader, map[string][]string{"objectClass": {"organizationalRole", "simpleSecurityObject"}, "cn": {"reader"}, "userPassword": {"reader-pw"}})
			must(t, d.WriteLDAP(p.Dir, "ldap://"+l.Addr, l.Base))
			return fmt.Sprintf("ldap: {url: ldap://%s, base: %q, bind: %q, password: inline:reader-pw, preset: mailrecipient}", l.Addr, l.Base, l.Reader)
		},
		"MariaDB with PostfixAdmin": func(t *testing.T, d *sample.Directory, p *lab.Postfix) string {
			db := lab.StartMariaDB(t)
			db.Exec(t, d.SQL("mysql")...)
			must(t, d.WriteSQL(p.Dir, "mysql", db.Addr(), db.Reader, db.ReaderPassword, db.Name))
			return fmt.Sprintf("sql: {driver: mysql, host: %s, port: %d, database: %s, user: %s, password: %q, preset: postfixadmin}", db.Host, db.Port, db.Name, db.Reader, "inline:"+db.ReaderPassword)
		},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read reads the organisation as an engagement does.
func read(t *testing.T, d *sample.Directory, layout func(*testing.T, *sample.Directory, *lab.Postfix) string) model.Organisation {
	t.Helper()
	p := lab.NewPostfix(t)
	users := layout(t, d, p)
	p.Configure(t)
	for _, table := range []string{"domains", "mailboxes", "virtual"} {
		if path := filepath.Join(p.Dir, table); isFile(path) {
			p.Run(t, "", "postmap", "lmdb:"+path)
		}
	}
	p.Run(t, "", "postalias", "hash:"+filepath.Join(p.Dir, "aliases"))
	file := filepath.Join(t.TempDir(), "mailhaul.yaml")
	must(t, os.WriteFile(file, []byte("engagement: ./e\ninsecure_inline_secrets: true\nsource:\n  kind: imap\n  imap: {url: imaps://mail.old.test, master: m, password: inline:x}\n"+
		"  postfix: "+p.Dir+"\n  users:\n    "+users+"\ndestination: {embedded: true}\n"), 0o600))
	e, err := engagement.Load(file, slog.New(slog.DiscardHandler))
	must(t, err)
	defer e.Close()
	o, err := e.Organisation(t.Context())
	must(t, err)
	return o
}

func isFile(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
