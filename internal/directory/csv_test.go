package directory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func TestReadCSV(t *testing.T) {
	t.Parallel()
	want := []model.Account{
		{Login: "anna", Address: "anna.k@acme.test", Name: "Anna, K", Secret: " p;w ", Aliases: []string{"a@acme.test", "k@acme.test"}, Quota: 1 << 30},
		{Login: "ben@acme.test", Address: "ben@acme.test", Disabled: true, Excluded: "left in May"},
		{Login: "cleo", Address: "cleo@acme.test"},
	}
	for name, file := range map[string]string{
		"comma": "login,address,name,secret,aliases,quota,disabled,exclude\nanna,anna.k@acme.test,\"Anna, K\",\" p;w \",a@acme.test k@acme.test,1G,,\nben@acme.test,,,,,,yes,left in May\ncleo\n",
		"semicolon, BOM, CRLF, other order": "\ufeffName;Login;Address;Secret;Aliases;Quota;Exclude;Disabled\r\nAnna, K;anna;anna.k@acme.test;\" p;w \";\"a@acme.test;k@acme.test\";1G;;no\r\n" +
			";ben@acme.test;;;;;left in May;1\r\n;cleo\r\n",
		"tab": "login\taddress\tname\tsecret\taliases\tquota\tdisabled\texclude\nanna\tanna.k@acme.test\tAnna, K\t p;w \ta@acme.test k@acme.test\t1G\t\t\nben@acme.test\t\t\t\t\t\ty\tleft in May\ncleo\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, problems := collect(ReadCSV(strings.NewReader(file), CSVOptions{DefaultDomain: "acme.test"}))
			if d := cmp.Diff([]string(nil), problems); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReadCSVErrors(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]string{
		"":                              {"users.csv is empty: its first row names the columns, for example login,address,name"},
		"login,adress\nanna,x@y.test\n": {`users.csv:1: unknown column "adress": did you mean "address"? (the first row names the columns: login, address, aliases, name, language, password, secret, quota, disabled, active, home, location, forwards, groups, exclude)`},
		"address\nx@y.test\n":           {`users.csv:1: there is no column "login", which names the account at the source`},
		"login,name,login\na,b,c\n":     {`users.csv:1: two columns are called "login"`},
		"login,quota\na,much\nb,1,2\n\nc d,\nok,1G\n,5\n\"x\"y,1\nlast,\n": {
			`users.csv:2: "much" is no size: write a number with K, M, G or T`,
			"users.csv:3: 3 fields for 2 columns: put a field with a separator in it between quotes",
			`users.csv:5: the login "c d" contains ' '`,
			"users.csv:7: the login is empty",
			`users.csv:8: extraneous or missing " in quoted-field`,
		},
	} {
		_, problems := collect(ReadCSV(strings.NewReader(file), CSVOptions{Name: "users.csv"}))
		if d := cmp.Diff(want, problems); d != "" {
			t.Errorf("%q: %s", file, d)
		}
	}
}

func TestReadLogins(t *testing.T) {
	t.Parallel()
	want := []model.Account{{Login: "anna", Secret: "a,b"}, {Login: "ben", Secret: " c "}}
	for _, file := range []string{"anna,\"a,b\"\nben, c \n", "login;password\nanna;a,b\nben; c \n"} {
		got, problems := collect(ReadLogins(strings.NewReader(file), "logins.csv"))
		if d := cmp.Diff(want, got); d != "" || problems != nil {
			t.Error(d, problems)
		}
	}
	_, problems := collect(ReadLogins(strings.NewReader("anna,hunter2,hunter3\nben,\nhunter4\n"), "logins.csv"))
	want2 := []string{
		"logins.csv:1: 3 fields instead of login and password: put a password with a separator in it between quotes",
		"logins.csv:2: the password of ben is empty",
		"logins.csv:3: 1 field instead of login and password: put a password with a separator in it between quotes",
	}
	if d := cmp.Diff(want2, problems); d != "" {
		t.Error(d)
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{
		"login,address,name,password,secret\nanna,a@x.test,A,{PLAIN}p,p\n", "login;quota\r\na;1G\r\n", "\ufefflogin\tname\nx\ty",
		"login\n\"a\nb\"\n", "login,login\n", "anna,pw\n", "login,password\nanna,\"p\"\"w\"\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, _ := collect(ReadCSV(strings.NewReader(s), CSVOptions{DefaultDomain: "x.test"}))
		b, _ := collect(ReadLogins(strings.NewReader(s), "f"))
		for _, a := range append(a, b...) {
			if a.Login == "" || strings.ContainsAny(a.Login, " \n\t") {
				t.Errorf("%+v", a)
			}
		}
	})
}
