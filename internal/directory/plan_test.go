package directory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/model"
)

func accounts(logins ...string) (out []model.Account) {
	for _, l := range logins {
		out = append(out, model.Account{Login: l})
	}
	return out
}

// outline is a plan in lines that a test can show.
func outline(p Plan) (lines []string) {
	for _, e := range p.Accounts {
		s := e.Login + " → " + e.Address
		if e.Excluded != "" {
			s = e.Login + " excluded: " + e.Excluded
		}
		if e.Err != nil {
			s = e.Login + " error: " + cause(e.Err)
		}
		if e.Wave != "" {
			s += " [" + e.Wave + "]"
		}
		lines = append(lines, s)
	}
	for _, f := range p.Findings {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", f.Level, f.Subject, f.Message))
	}
	return lines
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		base  []model.Account
		rules []Rule
		waves []Wave
		want  []string
	}{
		{"a small organisation", accounts("anna", "Ben@ACME.test", "test1", "test2@acme.test", "cleo@old.test"),
			[]Rule{{Source: "anna", Destination: "anna.k@acme.test"}, {Source: "test*", Exclude: true, Reason: "test accounts"}, {Source: "*@old.test", Destination: "*@acme.test"}},
			[]Wave{{Name: "pilot", Globs: []string{"anna.k@acme.test"}}, {Name: "rest", Globs: []string{"*"}}},
			[]string{"anna → anna.k@acme.test [pilot]", "Ben@ACME.test → ben@acme.test [rest]", "test1 excluded: test accounts", "test2@acme.test excluded: test accounts", "cleo@old.test → cleo@acme.test [rest]"}},
		{"the first rule decides", accounts("anna", "test.keep", "test.go"),
			[]Rule{{Source: "test.keep"}, {Source: "test.*", Exclude: true}, {Source: "TEST.GO", Destination: "x"}}, nil,
			[]string{"anna → anna@acme.test", "test.keep → test.keep@acme.test", `test.go excluded: excluded by rule "test.*"`,
				`warning: rule "TEST.GO": it has no effect: earlier rules match all its accounts`}},
		{"nothing matches", accounts("anna@acme.test", "ben@acme.test"),
			[]Rule{{Source: "anna", Exclude: true, Where: "mailhaul.yaml:9"}, {Source: "bem@acme.test"}, {Source: "zz*"}},
			[]Wave{{Name: "one", Globs: []string{"anna@*", "nobody@acme.test"}, Where: "mailhaul.yaml:20"}, {Name: "two", Globs: []string{"anna*"}}},
			[]string{"anna@acme.test → anna@acme.test [one]", "ben@acme.test → ben@acme.test",
				`warning: rule "anna" (mailhaul.yaml:9): it matches no account: did you mean "anna@acme.test"?`,
				`warning: rule "bem@acme.test": it matches no account: did you mean "ben@acme.test"?`,
				`warning: rule "zz*": it matches no account`,
				`warning: wave "one" (mailhaul.yaml:20): "nobody@acme.test" matches no account`,
				`warning: wave "two": no account is in it`,
				`warning: waves: 1 of 2 accounts is in no wave`}},
		{"two to one address", accounts("anna", "ANNA@acme.test", "ben", "cleo"),
			[]Rule{{Source: "[bc]*", Destination: "both@acme.test"}}, nil,
			[]string{"anna error: anna, ANNA@acme.test would all become anna@acme.test: give each its own destination under accounts, or exclude all but one",
				"ANNA@acme.test error: anna, ANNA@acme.test would all become anna@acme.test: give each its own destination under accounts, or exclude all but one",
				"ben error: ben, cleo would all become both@acme.test: give each its own destination under accounts, or exclude all but one",
				"cleo error: ben, cleo would all become both@acme.test: give each its own destination under accounts, or exclude all but one",
				"stop: account anna: anna, ANNA@acme.test would all become anna@acme.test: give each its own destination under accounts, or exclude all but one",
				"stop: account ANNA@acme.test: anna, ANNA@acme.test would all become anna@acme.test: give each its own destination under accounts, or exclude all but one",
				"stop: account ben: ben, cleo would all become both@acme.test: give each its own destination under accounts, or exclude all but one",
				"stop: account cleo: ben, cleo would all become both@acme.test: give each its own destination under accounts, or exclude all but one"}},
		{"exclusion solves a conflict, and an exchange is none", accounts("anna.old", "anna", "x", "y"),
			[]Rule{{Source: "anna.old", Exclude: true, Reason: "old"}, {Source: "x", Destination: "y"}, {Source: "y", Destination: "x"}}, nil,
			[]string{"anna.old excluded: old", "anna → anna@acme.test", "x → y@acme.test", "y → x@acme.test"}},
		{"the directory's exclusion, and a rule against it", []model.Account{{Login: "root", Excluded: "system account (uid 0)"}, {Login: "mail", Excluded: "system account (uid 8)"}},
			[]Rule{{Source: "root", Destination: "postmaster@acme.test"}}, nil,
			[]string{"root → postmaster@acme.test", "mail excluded: system account (uid 8)"}},
		{"logins that are no addresses", accounts(`ACME\anna`, `ACME\ben`, "@"), []Rule{{Source: `ACME\anna`, Destination: "anna"}}, nil,
			[]string{`ACME\anna → anna@acme.test`,
				`ACME\ben error: "ACME\\ben" is no address: '\\' cannot be part of it`,
				`@ error: "@" is no address: nothing stands before the @`,
				`stop: account ACME\ben: "ACME\\ben" is no address: '\\' cannot be part of it`,
				`stop: account @: "@" is no address: nothing stands before the @`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := outline(Resolve(c.base, c.rules, c.waves, Options{DefaultDomain: "acme.test"}))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestResolveWithoutDomain(t *testing.T) {
	t.Parallel()
	p := Resolve(accounts("anna", "ben"), []Rule{{Source: "ben", Destination: "ben@acme.test"}}, nil, Options{})
	want := []string{
		`anna error: "anna" has no domain: set source.users.domain, or give it a destination under accounts`,
		"ben → ben@acme.test",
		`stop: account anna: "anna" has no domain: set source.users.domain, or give it a destination under accounts`,
	}
	if d := cmp.Diff(want, outline(p)); d != "" {
		t.Error(d)
	}
	if err := p.Accounts[0].Err; model.ClassOf(err) != model.ClassAccount {
		t.Error(err)
	}
}

func TestResolveMerges(t *testing.T) {
	t.Parallel()
	p := Resolve([]model.Account{
		{Login: "anna", Address: "anna@acme.test", Password: "{PLAIN}a", Quota: 7},
		{Login: "ben", Address: "ben@acme.test", Aliases: []string{"B@acme.test", "info", "ben@acme.test", "anna@acme.test", "b@acme.test", "a b"}},
		{Login: "anna", Secret: "s", Name: "Anna", Home: "/h", Location: "maildir:~", Quota: 8, Aliases: []string{"info@acme.test"}},
		{Login: "anna", Password: "{PLAIN}b"},
	}, nil, nil, Options{DefaultDomain: "acme.test"})
	want := []model.Account{
		{Login: "anna", Address: "anna@acme.test", Password: "{PLAIN}a", Quota: 7, Secret: "s", Name: "Anna", Home: "/h", Location: "maildir:~", Aliases: []string{"info@acme.test"}},
		{Login: "ben", Address: "ben@acme.test", Aliases: []string{"b@acme.test"}},
	}
	got, err := p.Select(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var said []string
	for _, f := range p.Findings {
		said = append(said, f.Subject+": "+f.Message)
	}
	if d := cmp.Diff([]string{
		"account anna: it is listed twice, differently: the first one holds",
		"account ben: its alias info@acme.test is left out: it belongs to anna",
		"account ben: its alias anna@acme.test is left out: it belongs to anna",
		`account ben: its alias is left out: "a b" is no address: ' ' cannot be part of it`,
	}, said); d != "" {
		t.Error(d)
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	p := Resolve(accounts("anna", "ben@acme.test", "cleo@acme.test", "test1", "dora", "DORA@acme.test", "emil"),
		[]Rule{{Source: "test*", Exclude: true, Reason: "test accounts"}, {Source: "anna", Destination: "anna.k"}, {Source: "emil", Destination: "anna"}},
		[]Wave{{Name: "pilot", Globs: []string{"anna.k@*"}}, {Name: "rest", Globs: []string{"[be]*", "cleo@*"}}, {Name: "never", Globs: []string{"test*"}}}, Options{DefaultDomain: "acme.test"})
	for _, c := range []struct {
		names []string
		wave  string
		want  string // logins, or the error
	}{
		{nil, "", "anna ben@acme.test cleo@acme.test emil"},
		{nil, "rest", "ben@acme.test cleo@acme.test emil"},
		{[]string{"cleo@acme.test", "anna"}, "", "anna cleo@acme.test"},
		{[]string{"ANNA.K@acme.test"}, "", "anna"},
		{[]string{"anna@acme.test"}, "", "emil"}, // what it becomes, before what another was
		{[]string{"*@acme.test"}, "pilot", "anna"},
		{[]string{"*"}, "", "anna ben@acme.test cleo@acme.test emil"},
		{[]string{"ben@acme.test", "b*"}, "", "ben@acme.test"},
		{[]string{"bne@acme.test"}, "", `there is no account "bne@acme.test": did you mean "ben@acme.test"?`},
		{[]string{"ben"}, "", `there is no account "ben": did you mean "ben@acme.test"?`},
		{[]string{"zzzzzz"}, "", `there is no account "zzzzzz"`},
		{[]string{"z*"}, "", `"z*" matches no account`},
		{[]string{"test*"}, "", `none of the accounts that "test*" matches moves`},
		{[]string{"b*"}, "pilot", `none of the accounts that "b*" matches moves in wave "pilot"`},
		{[]string{"["}, "", `"[" is no pattern: a [ has no ]`},
		{[]string{"test1"}, "", "test1 does not move: test accounts"},
		{[]string{"ben@acme.test"}, "pilot", `ben@acme.test is in wave "rest"`},
		{[]string{"dora"}, "", "dora: dora, DORA@acme.test would all become dora@acme.test: give each its own destination under accounts, or exclude all but one"},
		{nil, "pilto", `there is no wave "pilto": did you mean "pilot"? (there are: pilot, rest, never)`},
		{nil, "never", `no account of wave "never" moves`},
	} {
		got, err := p.Select(c.names, c.wave)
		var logins []string
		for _, a := range got {
			logins = append(logins, a.Login)
		}
		said := strings.Join(logins, " ")
		if err != nil {
			said = err.Error()
		}
		if said != c.want {
			t.Errorf("Select(%q, %q) = %s\nwant %s", c.names, c.wave, said, c.want)
		}
	}
	if _, err := (Plan{}).Select(nil, "x"); err == nil || err.Error() != `there is no wave "x": the configuration has no waves` || model.CodeOf(err) != "" {
		t.Error(err)
	}
}
