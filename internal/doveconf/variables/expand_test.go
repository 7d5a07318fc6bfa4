package variables

import (
	"strings"
	"testing"
)

func values(login string) func(string) (string, bool) {
	return User(login, func(name string) (string, bool) {
		switch name {
		case "home":
			return "/home/x", true
		case "ldap:uid":
			return "anna", true
		case "ldap:none":
			return "", true
		}
		return "", false
	})
}

// What Dovecot 2.3.19 and its documentation of 2.4 make of the same login.
func TestExpand(t *testing.T) {
	t.Parallel()
	const login = "Anna.K@Acme.test"
	for _, c := range []struct {
		dialect  Dialect
		in, want string
	}{
		{V23, "/srv/%d/%n/%u", "/srv/Acme.test/Anna.K/Anna.K@Acme.test"},
		{V23, "%Ld/%Ln/%Uu %h %s", "acme.test/anna.k/ANNA.K@ACME.TEST /home/x imap"},
		{V23, "100%% %%u", "100% %u"},
		{V23, "%1n/%2.1n/%.3n/%-1n/%05n", "A/n/Ann/K/Anna.K"},
		{V23, "%1Mu/%2.1Mu/%MLu", "3/7/e343d0fbdc32564a26c1d202d42ee1fa"},
		{V23, "%256Nu %2.256Nu", "9c 9c"},
		{V23, "%{user} %{domain} %L{username} %{ldap:uid} %{ldap:none:else}", "Anna.K@Acme.test Acme.test anna.k anna else"},
		{V23, "%{user | username | lower}", "anna.k"},
		{V23, "%Rn", "K.annA"},
		{V24, "/srv/%{user | domain}/%{user|username|lower}", "/srv/Acme.test/anna.k"},
		{V24, "LIKE '%u%' %%", "LIKE '%u%' %"},
		{V24, "%{user | md5 | hexlify(1)}/%{user | md5 | hexlify | substr(1, 1)}", "3/b"},
		{V24, "%{user | md5 | substr(0, 8) % 256 | hex(2)}", "9c"},
		{V24, "%{nothing | default('a|b)}')}%{ldap:none | default(\"x\")}", "a|b)}x"},
		{V24, "%{user | substr(-4) | upper | concat('!', 7)}", "TEST!7"},
		{V24, "%{protocol} %{domain | ldap_dn}", "imap dc=Acme,dc=test"},
	} {
		got, err := Expander{Dialect: c.dialect, Value: values(login)}.Expand(c.in)
		if err != nil || got != c.want {
			t.Errorf("%q: %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}

func TestExpandErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dialect  Dialect
		in, want string
	}{
		{V23, "/srv/%", "a percent sign is written %%"},
		{V23, "%Hu", "the variable %H is not known here"},
		{V23, "%w", "the variable %w is not known here"},
		{V23, "%{if;%u;eq;x;a;b}", "is not known here"},
		{V23, "%{user", "a %{ has no }"},
		{V23, "%1.n", "is no variable"},
		{V24, "%{user | rot13}", "the filter rot13 is not understood in %{user | rot13}"},
		{V24, "%{other}", "the variable %{other} is not known here"},
		{V24, "%{user | hex}", "is no number"},
		{V24, "%{user | substr(x)}", "the argument x is not understood"},
		{V24, "%{user % 0}", "is no number to calculate with"},
		{V24, "%{user ~ 3}", "is not understood"},
	} {
		got, err := Expander{Dialect: c.dialect, Value: values("anna")}.Expand(c.in)
		if err == nil || got != "" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %q, %v; want %s", c.in, got, err, c.want)
		}
	}
}

// A login cannot get out of the string that it is put into.
func TestExpandQuotes(t *testing.T) {
	t.Parallel()
	quote := func(s string) string { return strings.ReplaceAll(s, "'", "''") }
	for _, d := range []Dialect{V23, V24} {
		for _, in := range []string{"'%{user}'", "'%{user | username}'"} {
			got, err := Expander{Dialect: d, Value: values("x' OR '1'='1@y"), Quote: quote}.Expand(in)
			if err != nil || strings.Count(got, "'")%2 != 0 || !strings.Contains(got, "x'' OR ") {
				t.Errorf("%q: %q, %v", in, got, err)
			}
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{"/srv/%d/%Ln", "%2.256Nu", "%{user | md5 | substr(0, 8) % 256 | hex(2)}", "%{ldap:uid:x}", "%-3.2Mu"} {
		f.Add(s, "anna@acme.test", true)
		f.Add(s, "", false)
	}
	f.Fuzz(func(t *testing.T, text, login string, new bool) {
		d := V23
		if new {
			d = V24
		}
		got, err := Expander{Dialect: d, Value: values(login)}.Expand(text)
		if err != nil && got != "" {
			t.Errorf("%q: %q with an error", text, got)
		}
		if err == nil && !strings.Contains(text, "%") && got != text {
			t.Errorf("%q became %q", text, got)
		}
	})
}
