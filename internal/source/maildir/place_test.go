package maildir

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/location"
)

// As in Dovecot, an account's own location counts more than the template, but
// a template that leads to a copy of the mail is used where there is only that.
func TestPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, d := range []string{"own", "copy/anna"} {
		must(t, os.MkdirAll(filepath.Join(dir, d, "cur"), 0o755))
	}
	for _, c := range []struct{ template, location, root, code string }{
		{"/copy/%u", "", "/copy/anna", ""},
		{"", "maildir:" + dir + "/own", "/own", ""},
		{"/copy/%u", "maildir:" + dir + "/own", "/own", ""},
		{"/copy/%u", "maildir:" + dir + "/missing", "/copy/anna", ""},
		{"/copy/%u", "mdbox:~/mdbox", "/copy/anna", ""},
		{"/copy/%u", "maildir:~/needs a home", "/copy/anna", ""},
		{"", "maildir:~/Maildir", "", "path"},
		{"", "mdbox:~/mdbox", "", "noMaildir"},
		{"", "maildir:" + dir + "/own:LAYOUT=index", "", "noMaildir"},
		{"/copy/%u", "maildir:" + dir + "/own:LAYOUT=index", "", "noMaildir"},
		{"", "", "", "path"},
	} {
		o := Options{}
		if c.template != "" {
			o.Path = dir + c.template
		}
		p, err := New(o).place(model.Account{Login: "anna", Location: c.location})
		if c.code != "" {
			if model.CodeOf(err) != c.code || model.ClassOf(err) != model.ClassAccount {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if err != nil || p.root != dir+c.root || p.inbox != p.root {
			t.Errorf("%+v: %+v, %v", c, p, err)
		}
	}
}

func TestHome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ root, login, want string }{
		{"/srv/acme.test/anna/Maildir", "anna@acme.test", "/srv/acme.test/anna"},
		{"/srv/acme.test/anna", "anna@acme.test", "/srv/acme.test/anna"},
		{"/srv/anna@acme.test", "anna@acme.test", "/srv/anna@acme.test"},
	} {
		if got := location.HomeOf(c.root, c.login); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.root, c.login, got, c.want)
		}
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, d := range []string{"acme.test/anna", "acme.test/bert", "beta.test/anna", "acme.test/.snapshot", "acme.test/*"} {
		must(t, os.MkdirAll(filepath.Join(dir, d, "Maildir/cur"), 0o755))
	}
	must(t, os.MkdirAll(filepath.Join(dir, "acme.test/carl/Maildir"), 0o755)) // never got mail
	put(t, dir, "README", "x")
	put(t, dir, "acme.test/notes", "x")
	want := []string{"*@acme.test", "anna@acme.test", "bert@acme.test", "anna@beta.test"}
	for _, template := range []string{"/%d/%n/Maildir", "/%Ld/%Ln/Maildir", "/%{user | domain | lower}/%{user | username}/Maildir", "/%{domain}/%{username}/Maildir"} {
		var got []string
		for a, err := range New(Options{Path: dir + template}).Accounts(t.Context()) {
			must(t, err)
			got = append(got, a.Login)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", template, got, want)
		}
	}
	for _, template := range []string{"", "%n", "/srv/mail", "/srv/%d", "/srv/%h", "/srv/%1Mu/%u"} {
		n := 0
		for _, err := range New(Options{Path: template}).Accounts(t.Context()) {
			if n++; model.CodeOf(err) != "notEnumerable" {
				t.Errorf("%q: %v", template, err)
			}
		}
		if n != 1 {
			t.Errorf("%q: %d answers", template, n)
		}
	}
}

// An account that may not be looked at is not forgotten.
func TestAccountsDenied(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := t.TempDir()
	for _, d := range []string{"anna", "bert", "carl"} {
		must(t, os.MkdirAll(filepath.Join(dir, d, "cur"), 0o755))
	}
	must(t, os.Chmod(filepath.Join(dir, "bert"), 0))
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "bert"), 0o755) })
	good, bad := 0, 0
	for _, err := range New(Options{Path: dir + "/%u"}).Accounts(t.Context()) {
		if err == nil {
			good++
		} else if bad++; model.ClassOf(err) != model.ClassAccount {
			t.Error(err)
		}
	}
	if good != 2 || bad != 1 {
		t.Errorf("%d accounts and %d errors, want 2 and 1", good, bad)
	}
}
