package directory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func userDB(text string, o CourierOptions) (accounts []model.Account, problems []string) {
	return collect(ReadUserDB(strings.NewReader(text), o))
}

func TestReadUserDB(t *testing.T) {
	t.Parallel()
	const text = "# comment\n\n" +
		"anna@acme.test\thome=/srv/anna|mail=/srv/mail/anna/|uid=1000|gid=1000|quota=10000000S,1000C|systempw=$1$abc$x|imappw={MD5}1B2M2Y8AsgTpgAmY7PhCfg==|gecos=Anna K, Berlin\n" +
		"ben\thome=/srv/ben|systempw={md5raw}d41d8cd98f00b204e9800998ecf8427e|options=disableimap=1,disablepop3=1\n" +
		"carl\thome=/srv/carl|mail=box|systempw=*|quota=5000C\n" +
		"dora\tmail=x|systempw={SSHA}abc|quota=many\n" +
		"no tab: a comment to makeuserdb\n" +
		"e f\thome=/x\n" +
		"\thome=/x\n" +
		"gina@acme.test\thome=/srv/gina|hmac-md5pw=aa|options=disableimap=1\n"
	got, problems := userDB(text, CourierOptions{DefaultDomain: "Acme.test", MaildirPath: "Mail"})
	want := []model.Account{
		{Login: "anna@acme.test", Address: "anna@acme.test", Name: "Anna K, Berlin", Home: "/srv/anna", Location: "maildir:/srv/mail/anna", Quota: 10000000, Password: "{LDAP-MD5}1B2M2Y8AsgTpgAmY7PhCfg=="},
		{Login: "ben", Address: "ben@acme.test", Home: "/srv/ben", Location: "maildir:/srv/ben/Mail", Password: "{PLAIN-MD5}d41d8cd98f00b204e9800998ecf8427e", Disabled: true},
		{Login: "carl", Address: "carl@acme.test", Home: "/srv/carl", Location: "maildir:/srv/carl/box", Disabled: true},
		{Login: "dora", Address: "dora@acme.test", Password: "{SSHA}abc"},
		{Login: "gina@acme.test", Address: "gina@acme.test", Home: "/srv/gina", Location: "maildir:/srv/gina/Mail"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(problems) != 3 || !strings.Contains(problems[0], "dora: userdb:6: its home") || !strings.Contains(problems[0], `the quota "many"`) ||
		!strings.Contains(problems[1], "userdb:8") || !strings.Contains(problems[2], "userdb:9: the login is empty") {
		t.Errorf("problems %q", problems)
	}
	// Clear text, as SQL has it, is a password to log in with, too.
	a, err := CourierOptions{}.Account(CourierEntry{Name: "x", Clear: "pw", Home: "/h"})
	if err != nil || a.Secret != "pw" || a.Password != "{PLAIN}pw" {
		t.Errorf("%+v, %v", a, err)
	}
}

func FuzzReadUserDB(f *testing.F) {
	f.Add("anna\thome=/srv/anna|mail=x|quota=1S|systempw={MD5}x|options=a=1,b=2\n", "Mail")
	f.Fuzz(func(t *testing.T, text, path string) {
		accounts, _ := userDB(text, CourierOptions{MaildirPath: path})
		for _, a := range accounts {
			if a.Login == "" || a.Quota < 0 || a.Location != "" && !strings.HasPrefix(a.Location, "maildir:/") {
				t.Errorf("%+v", a)
			}
		}
	})
}
