package directory

import (
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

// collect separates accounts from errors.
func collect(seq iter.Seq2[model.Account, error]) (accounts []model.Account, problems []string) {
	for a, err := range seq {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		accounts = append(accounts, a)
	}
	return accounts, problems
}

func TestReadPasswdLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, line string
		opts       PasswdOptions
		want       model.Account
	}{
		{"all eight fields", "anna@acme.test:{SHA512-CRYPT}$6$s$h:5000:5000:Anna K:/srv/mail/anna:/bin/false:userdb_mail=maildir:~/Maildir:LAYOUT=fs userdb_quota_rule=*:storage=1G allow_nets=10.0.0.0/8,2001:db8::/32",
			PasswdOptions{},
			model.Account{Login: "anna@acme.test", Address: "anna@acme.test", Name: "Anna K", Password: "{SHA512-CRYPT}$6$s$h", Home: "/srv/mail/anna", Location: "maildir:~/Maildir:LAYOUT=fs", Quota: 1 << 30}},
		{"bare name with a domain", "Anna:{PLAIN}x y", PasswdOptions{DefaultDomain: "Acme.test"},
			model.Account{Login: "Anna", Address: "anna@acme.test", Password: "{PLAIN}x y"}},
		{"bare name without a domain", "anna:{PLAIN}p", PasswdOptions{}, model.Account{Login: "anna", Password: "{PLAIN}p"}},
		{"user only", "anna@acme.test", PasswdOptions{}, model.Account{Login: "anna@acme.test", Address: "anna@acme.test"}},
		{"Dovecot's empty fields", "b@x.test:{PLAIN}pw::::::", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Password: "{PLAIN}pw"}},
		{"default scheme", "b@x.test:$6$s$h", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Password: "{CRYPT}$6$s$h"}},
		{"other default scheme", "b@x.test:secret", PasswdOptions{Scheme: "plain"}, model.Account{Login: "b@x.test", Address: "b@x.test", Password: "{PLAIN}secret"}},
		{"$1$ is MD5-CRYPT whatever the default", "b@x.test:$1$s$h", PasswdOptions{Scheme: "PLAIN"}, model.Account{Login: "b@x.test", Address: "b@x.test", Password: "{MD5-CRYPT}$1$s$h"}},
		{"libpam-pwdfile", "b@x.test:0123abcd[34]", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Password: "{PLAIN-MD5}0123abcd"}},
		{"nopassword", "b@x.test:{PLAIN}::::::nopassword", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test"}},
		{"nologin", "b@x.test:{PLAIN}p::::::nologin nodelay", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Password: "{PLAIN}p", Disabled: true}},
		{"nologin=no", "b@x.test:{PLAIN}p::::::nologin=no", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Password: "{PLAIN}p"}},
		{"userdb_home wins", "b@x.test:::::/a::userdb_home=/b", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Home: "/b"}},
		{"mail without prefix", "b@x.test:::::::mail=mdbox:~/mdbox:ALT=/old", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Location: "mdbox:~/mdbox:ALT=/old"}},
		{"Dovecot 2.4", "b@x.test:::::::userdb_mail_driver=maildir userdb_mail_path=~/Maildir userdb_mail_inbox_path=~/In userdb_quota_storage_size=500M", PasswdOptions{},
			model.Account{Login: "b@x.test", Address: "b@x.test", Location: "maildir:~/Maildir:INBOX=~/In", Quota: 500 << 20}},
		{"quota in KiB", "b@x.test:::::::userdb_quota_rule=*:storage=2048", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Quota: 2 << 20}},
		{"quota in octets, second rule", "b@x.test:::::::userdb_quota_rule=Trash:storage=+10% userdb_quota_rule2=*:messages=9:bytes=77", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Quota: 77}},
		{"passwd(5)", "anna:x:1000:1000:Anna K,Room 5,,:/home/anna:/bin/bash", PasswdOptions{DefaultDomain: "x.test"}, model.Account{Login: "anna", Address: "anna@x.test", Name: "Anna K", Home: "/home/anna"}},
		{"system account", "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin", PasswdOptions{}, model.Account{Login: "www-data", Name: "www-data", Home: "/var/www", Excluded: "system account (uid 33)"}},
		{"a virtual user with Debian's mail uid", "b@x.test:{PLAIN}p:8:8::/srv/b", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Password: "{PLAIN}p", Home: "/srv/b"}},
		{"locked", "b@x.test:!$6$s$h:5000:5000", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Disabled: true}},
		{"surname first", "b@x.test::::Doe, Bea", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Name: "Doe, Bea"}},
		{"Latin-1 name", "b@x.test::::M\xfcller", PasswdOptions{}, model.Account{Login: "b@x.test", Address: "b@x.test", Name: "Müller"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, problems := collect(ReadPasswd(strings.NewReader(c.line+"\r\n"), c.opts))
			if problems != nil || len(got) != 1 {
				t.Fatalf("%d accounts, problems %q", len(got), problems)
			}
			if d := cmp.Diff(c.want, got[0]); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReadPasswdGoesOnAfterErrors(t *testing.T) {
	t.Parallel()
	file := "\ufeff# users\n\n:skipped\n  \nanna@acme.test:{PLAIN}a\nsome text, not a user\nben@acme.test:{PLAIN}b::::::userdb_quota_rule=*:storage=lots\nn\xfcll:x\nlast@acme.test:{PLAIN}c"
	accounts, problems := collect(ReadPasswd(strings.NewReader(file), PasswdOptions{Name: "users"}))
	var logins []string
	for _, a := range accounts {
		logins = append(logins, a.Login)
	}
	if d := cmp.Diff([]string{"anna@acme.test", "ben@acme.test", "last@acme.test"}, logins); d != "" {
		t.Error(d)
	}
	want := []string{
		`users:6: the login "some text, not a user" contains ' ': every line begins with user:password`,
		`ben@acme.test: users:7: quota_rule=*:storage=lots: "lots" is no size: write a number with K, M, G or T; the account moves without a limit`,
		`users:8: the login "n\xfcll" is not UTF-8: every line begins with user:password`,
	}
	if d := cmp.Diff(want, problems); d != "" {
		t.Error(d)
	}
}

func TestReadPasswdClasses(t *testing.T) {
	t.Parallel()
	var classes []model.Class
	for _, err := range ReadPasswd(strings.NewReader("a b:x\nc:::::::userdb_quota_rule=*:storage=x\n"), PasswdOptions{}) {
		if err != nil {
			classes = append(classes, model.ClassOf(err))
		}
	}
	if d := cmp.Diff([]model.Class{model.ClassAccount, model.ClassItem}, classes); d != "" {
		t.Error(d)
	}
	broken := errors.New("disk on fire")
	for _, err := range ReadPasswd(iotest.ErrReader(broken), PasswdOptions{}) {
		if !errors.Is(err, broken) || model.ClassOf(err) != model.ClassFatal {
			t.Errorf("%v", err)
		}
	}
}

func TestReadPasswdStops(t *testing.T) {
	t.Parallel()
	n := 0
	for range ReadPasswd(strings.NewReader("a:x\nb:x\nc:x\n"), PasswdOptions{}) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Error(n)
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{"0": 0, "7": 7 * 1024, "7B": 7, "1k": 1 << 10, "2M": 2 << 20, "3 GB": 3 << 30, "1TiB": 1 << 40} {
		if got, err := ParseSize(s, 1024); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "-1", "1X", "10%", "M", "9223372036854775807K", "1MM", "1.5G"} {
		if got, err := ParseSize(s, 1); err == nil {
			t.Errorf("ParseSize(%q) = %d, no error", s, got)
		}
	}
}

func FuzzReadPasswd(f *testing.F) {
	for _, s := range []string{
		"anna@acme.test:{PLAIN}p::::::\n", "a:x:1:1:g,:h:s:userdb_mail=mdbox:~/m:ALT=/b nologin\n#\n:\n\n", "u:$1$a$b\r\nv:abc[13]",
		"q:::::::userdb_quota_rule=*:storage=1G:messages=5", "\ufeffü@x:", "::::::::", "a\x00b:c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lines := strings.Count(s, "\n") + 1
		accounts, problems := collect(ReadPasswd(strings.NewReader(s), PasswdOptions{DefaultDomain: "x.test"}))
		if len(accounts) > lines || len(problems) > lines {
			t.Fatalf("%d accounts and %d problems of %d lines", len(accounts), len(problems), lines)
		}
		for _, a := range accounts {
			if a.Login == "" || a.Quota < 0 || a.Password != "" && a.Password[0] != '{' {
				t.Errorf("%+v", a)
			}
			if a.Address != "" {
				if n, err := Normalize(a.Address, ""); err != nil || n != a.Address {
					t.Errorf("address %q becomes %q, %v", a.Address, n, err)
				}
			}
		}
	})
}
