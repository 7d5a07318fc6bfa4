package variables

import (
	"strings"
	"testing"
)

func TestPath(t *testing.T) {
	t.Parallel()
	anna := map[string]string{"user": "Anna@acme.test", "username": "Anna", "domain": "acme.test", "home": "/home/../home/anna"}
	for template, want := range map[string]string{
		"/srv/%d/%1Ln/%Ln/":                      "/srv/acme.test/a/anna",
		"/srv/%1Mu/%2.1Mu/%u":                    "/srv/d/e/Anna@acme.test",
		"/srv/%2.256Nu/%{user | username}/100%%": "/srv/2c/Anna/100%",
		"/srv/%{user | md5 | hexlify(2)}/x":      "/srv/dd/x",
		"~/Maildir":                              "/home/anna/Maildir",
		"~":                                      "/home/anna",
		"%h/../x":                                "/home/x",
	} {
		got, err := Path(template, anna)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", template, got, err, want)
		}
	}
	for template, want := range map[string]string{
		"/srv/%":                   "a percent sign is written %%",
		"/srv/%Hu":                 "is not known here",
		"srv/%u":                   "is no absolute path",
		"/srv/%{user | rot13}":     "the filter rot13 is not understood",
		"/srv/%{user | md5}":       "is no path",
		"/srv/%{if;%u;eq;x;y;z}/x": "is not known here",
	} {
		if got, err := Path(template, anna); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; want %s", template, got, err, want)
		}
	}
	for _, login := range []string{"../../etc", "..", ".", "a/b"} {
		if got, err := Path("/srv/%u", map[string]string{"user": login, "username": login}); err == nil {
			t.Errorf("%q leads to %q", login, got)
		}
	}
	if got, err := Path("/srv/%1u/x", map[string]string{"user": ".x"}); err == nil {
		t.Errorf("a part of a login leads to %q", got)
	}
	if _, err := Path("~/x", map[string]string{"user": "anna"}); err == nil || !strings.Contains(err.Error(), "needs the home of anna") {
		t.Errorf("no home: %v", err)
	}
	if !Resolvable("/srv/%2.256Nu/%{user | domain | lower}/%h") || Resolvable("/srv/%Hu") || Resolvable("/%{user | rot13}") || Resolvable("%") {
		t.Error("what can be resolved is told wrongly")
	}
}
