package directory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func TestList(t *testing.T) {
	t.Parallel()
	file := "anna@acme.test:{PLAIN}a\nBen@acme.test:{PLAIN}b\nno login here:\ncleo@other.test:{PLAIN}c\n"
	known := ReadPasswd(strings.NewReader(file), PasswdOptions{Name: "users"})
	got, problems := collect(List([]string{"ben@acme.test", "*@acme.test", "dora", "x*", "[", "a b"}, ListOptions{DefaultDomain: "acme.test", Known: known}))
	want := []model.Account{
		{Login: "Ben@acme.test", Address: "ben@acme.test", Password: "{PLAIN}b"},
		{Login: "anna@acme.test", Address: "anna@acme.test", Password: "{PLAIN}a"},
		{Login: "dora", Address: "dora@acme.test"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{
		`users:3: the login "no login here" contains ' ': every line begins with user:password`,
		`"x*" matches none of the 3 accounts that the source tells of`,
		`"[" is no pattern: a [ has no ]`,
		`source.users.list: the login "a b" contains ' '`,
	}, problems); d != "" {
		t.Error(d)
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" Anna@ACME.Test ": "anna@acme.test", "anna": "anna@acme.test", "jörg@müller.test": "jörg@müller.test", "o'neil+x@a.test": "o'neil+x@a.test",
	} {
		if got, err := Normalize(in, "Acme.test"); err != nil || got != want {
			t.Errorf("Normalize(%q) = %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{
		"": "the address is empty", "anna@": `"anna@" is no address: nothing follows the @`, "@x": `"@x" is no address: nothing stands before the @`,
		"a@b@c":                             `"a@b@c" is no address: '@' cannot be part of it`,
		"a..b@c.test":                       `"a..b@c.test" is no address: a dot needs letters on both sides`,
		"a@-c.test":                         `"a@-c.test" is no address: "-c.test" is no domain`,
		"a@c..test":                         `"a@c..test" is no address: "c..test" is no domain`,
		"a@c_d.test":                        `"a@c_d.test" is no address: "c_d.test" is no domain`,
		strings.Repeat("a", 65) + "@c.test": `"` + strings.Repeat("a", 65) + `@c.test" is no address: 65 octets stand before the @, 64 are allowed`,
	} {
		if _, err := Normalize(in, ""); err == nil || err.Error() != want {
			t.Errorf("Normalize(%q): %v\nwant %s", in, err, want)
		}
	}
}
