package dovecotusers_test

import (
	"context"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mailhaul.org/mailhaul/internal/directory/dovecotusers"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/model"
)

// files are what the settings name.
var files = map[string]string{
	"/users":      "anna@acme.test:{PLAIN}anna-pw::::/home/anna::userdb_quota_rule=*:bytes=7 userdb_mail=maildir:~/m\nben@acme.test:$6$x::::::\n",
	"/more":       "anna@acme.test:{PLAIN}other::::/elsewhere::\ncleo@acme.test:{PLAIN}cleo-pw::::/home/cleo::proxy host=10.0.0.7\n",
	"/blocked":    "ben@acme.test:\n",
	"/bare":       "anna:{PLAIN}a::::::\n",
	"/etc/passwd": "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\nanna:x:1000:1000:Anna K,,,:/home/anna:/bin/bash\n",
	"/etc/shadow": "root:*:19000::::::\nanna:$6$salt$x:19000::::::\n",
}

func readFiles(t *testing.T, conf string) (accounts []model.Account, problems []string) {
	t.Helper()
	s, err := doveconf.Parse(strings.NewReader(conf + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	open := func(path string) (io.ReadCloser, error) {
		text, ok := files[path]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
	for a, err := range dovecotusers.Read(context.Background(), dovecotusers.Options{Settings: s, Open: open}) {
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		accounts = append(accounts, a)
	}
	slices.SortFunc(accounts, func(a, b model.Account) int { return strings.Compare(a.Login, b.Login) })
	return accounts, problems
}

func block(kind, driver, args string, more ...string) string {
	return kind + " {\n  driver = " + driver + "\n  args = " + args + "\n  " + strings.Join(more, "\n  ") + "\n}\n"
}

// Databases are asked in their order, and each tells what Dovecot would take
// of it.
func TestChain(t *testing.T) {
	t.Parallel()
	anna := model.Account{Login: "anna@acme.test", Address: "anna@acme.test", Password: "{PLAIN}anna-pw", Home: "/home/anna"}
	ben := model.Account{Login: "ben@acme.test", Address: "ben@acme.test", Password: "{CRYPT}$6$x"}
	with := func(a model.Account, change func(*model.Account)) model.Account { change(&a); return a }
	for name, c := range map[string]struct {
		conf     string
		want     []model.Account
		problems []string
	}{
		"a static userdb lists nobody, the passdb does": {
			block("passdb", "passwd-file", "/users") + block("userdb", "static", "uid=1 gid=1 home=/srv/%d/%n quota_rule=*:storage=1M"),
			[]model.Account{with(anna, func(a *model.Account) { a.Home, a.Quota = "/srv/acme.test/anna", 1<<20 }),
				with(ben, func(a *model.Account) { a.Home, a.Quota = "/srv/acme.test/ben", 1<<20 })}, nil},
		"prefetch takes the passdb's answer": {
			block("passdb", "passwd-file", "/users") + block("userdb", "prefetch", "") + block("userdb", "static", "home=/srv/%u"),
			[]model.Account{with(anna, func(a *model.Account) { a.Quota, a.Location = 7, "maildir:~/m" }),
				with(ben, func(a *model.Account) { a.Home = "/srv/ben@acme.test" })}, nil},
		"the first that knows a user decides": {
			block("passdb", "passwd-file", "/users") + block("passdb", "passwd-file", "/more") + block("userdb", "passwd-file", "/users") + block("userdb", "passwd-file", "/more"),
			[]model.Account{with(anna, func(a *model.Account) { a.Quota, a.Location = 7, "maildir:~/m" }), ben,
				{Login: "cleo@acme.test", Address: "cleo@acme.test", Password: "{PLAIN}cleo-pw", Home: "/home/cleo", Excluded: "Dovecot passes it on to 10.0.0.7"}}, nil},
		"a passdb that goes on, and fields around": {
			block("passdb", "static", "nopassword=y", "result_success = continue") + block("passdb", "passwd-file", "/users") +
				block("userdb", "passwd-file", "/users", "default_fields = home=/default/%n", "override_fields = mail=maildir:/m/%{home}"),
			[]model.Account{with(anna, func(a *model.Account) { a.Quota, a.Location = 7, "maildir:/m//home/anna" }),
				with(ben, func(a *model.Account) { a.Home, a.Location = "/default/ben", "maildir:/m//default/ben" })}, nil},
		"blocked users cannot log in": {
			block("passdb", "passwd-file", "/blocked", "deny = yes") + block("passdb", "passwd-file", "/users") + block("userdb", "static", "home=/h"),
			[]model.Account{with(anna, func(a *model.Account) { a.Home = "/h" }), with(ben, func(a *model.Account) { a.Home, a.Disabled = "/h", true })}, nil},
		"masters have no mailbox, whom no passdb knows cannot log in": {
			block("passdb", "passwd-file", "/users", "master = yes") + block("passdb", "passwd-file", "/more") + block("userdb", "passwd-file", "/users"),
			[]model.Account{with(anna, func(a *model.Account) { a.Password, a.Quota, a.Location = "{PLAIN}other", 7, "maildir:~/m" }),
				with(ben, func(a *model.Account) { a.Password, a.Disabled = "", true })}, nil},
		"users of the host": {
			block("passdb", "pam", "") + block("userdb", "passwd", "") + "mail_home = /mail/%n\nplugin {\n  quota_rule = *:storage=1G\n}",
			[]model.Account{{Login: "anna", Name: "Anna K", Home: "/home/anna", Password: "{CRYPT}$6$salt$x", Quota: 1 << 30}}, nil},
		"a realm, and a home for all": {
			"auth_default_realm = acme.test\nmail_home = /mail/%d/%n/./x\n" + block("passdb", "passwd-file", "username_format=%n /bare") + block("userdb", "passwd-file", "username_format=%n /bare"),
			[]model.Account{{Login: "anna@acme.test", Address: "anna@acme.test", Password: "{PLAIN}a", Home: "/mail/acme.test/anna/x"}}, nil},
		"only code knows passwords": {
			block("passdb", "lua", "file=/x.lua") + block("userdb", "passwd-file", "/users"),
			[]model.Account{with(anna, func(a *model.Account) { a.Password, a.Quota, a.Location = "", 7, "maildir:~/m" }), with(ben, func(a *model.Account) { a.Password = "" })},
			[]string{"only Dovecot's passdb lua knows its users: what it tells is not read"}},
		"nothing lists users": {
			block("passdb", "lua", "file=/x.lua") + block("userdb", "static", "home=/h"), nil,
			[]string{"only Dovecot's passdb lua knows its users: what it tells is not read",
				"Dovecot cannot list its users: userdb static: it cannot list its users; passdb lua: it cannot list its users (name them in source.users: csv, list or sql)"}},
		"a variable that only Dovecot knows": {
			block("passdb", "passwd-file", "/users") + block("userdb", "static", "home=/srv/%Hu"), nil,
			[]string{`anna@acme.test: userdb static: home: the variable %H is not known here in "/srv/%Hu"`, `ben@acme.test: userdb static: home: the variable %H is not known here in "/srv/%Hu"`}},
		"no databases": {"mail_location = maildir:~/m", nil, []string{"Dovecot's configuration has neither a passdb nor a userdb: is it the output of doveconf -n -P?"}},
		"a file that is not there": {block("passdb", "sql", "/nowhere.conf"), nil,
			[]string{"passdb sql: open /nowhere.conf: file does not exist (it holds a password: run as root, or as a user who may read it)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, problems := readFiles(t, c.conf)
			if d := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.problems, problems); d != "" {
				t.Error(d)
			}
		})
	}
}
