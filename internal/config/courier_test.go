package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/courierconf"
)

// What Courier's files tell makes a file that runs as it is.
func TestFromCourier(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		facts courierconf.Facts
		want  Source
	}{
		"userdb": {courierconf.Facts{Dir: "/etc/courier", UserDB: "/etc/courier/userdb", MaildirPath: "Maildir"},
			Source{Kind: KindCourier, Users: Users{UserDB: "/etc/courier/userdb"}}},
		"SQL": {courierconf.Facts{Dir: "/etc/courier", MaildirPath: "Mail", SQL: &courierconf.SQL{Driver: "mysql", Database: "mail", Domain: "acme.test"}},
			Source{Kind: KindCourier, Maildir: &Maildir{Path: "%h/Mail"}, Users: Users{Courier: "/etc/courier", Domain: "acme.test"}}},
	} {
		if d := cmp.Diff(c.want, drafted(t, FromCourier(c.facts)).Source); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

func TestCourierIsReadOneWay(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"{kind: courier, users: {userdb: /u}}":                                                     "",
		"{kind: courier, maildir: {path: /m/%d/%n}}":                                               "",
		"{kind: courier, imap: {url: imaps://x, logins: l.csv}}":                                   "",
		"{kind: courier, imap: {url: imaps://x, logins: l.csv}, maildir: {path: /m/%u}}":           "remove source.imap",
		"{kind: courier, imap: {url: imaps://x, master: m, password: env:X}, users: {userdb: /u}}": "no master user",
		"{kind: courier}":                       "source.maildir is missing",
		"{kind: courier, users: [a@acme.test]}": "source.maildir is missing",
	} {
		_, err := Parse("m.yaml", []byte("engagement: e\ndestination: {embedded: true}\nsource: "+source+"\n"))
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}
