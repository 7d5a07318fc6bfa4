package dav

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// radicale writes objects anew.
type radicale struct{ painting }

func (radicale) Rewrites() {}

func TestRadicale(t *testing.T) {
	t.Parallel()
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			r := lab.StartRadicale(t, lab.DAVUser{Name: "anna", Password: "secret"}, lab.DAVUser{Name: "ben@acme.test", Password: "secret"})
			sourcetest.RunObjects(t, func(t *testing.T) sourcetest.ObjectHarness {
				if err := os.RemoveAll(filepath.Join(r.Folder, "collection-root", "anna")); err != nil {
					t.Fatal(err)
				}
				w := &writer{base: r.URL, user: "anna", password: "secret", kind: kind, home: "/anna/", opts: Options{URL: r.URL},
					account: model.Account{Login: "anna", Secret: "secret"}}
				w.send(t, "PROPFIND", "/anna/", "", nil) // makes the principal
				return radicale{painting{w}}
			})
			t.Run("administrator", func(t *testing.T) {
				w := &writer{base: r.URL, user: "ben@acme.test", password: "secret", kind: kind, home: "/ben@acme.test/"}
				w.send(t, "PROPFIND", w.home, "", nil)
				w.Make(t, "Of Ben")
				for _, o := range []Options{{URL: r.URL + "/{user}/"}, {Calendars: r.URL + "/{user}/", Contacts: r.URL + "/{user}/"}} {
					o.Master, o.Password = r.Admin, r.AdminPassword
					expectOnly(t, o, model.Account{Login: "ben@acme.test"}, kind, "Of Ben")
				}
			})
		})
	}
}

// expectOnly demands that an account has one collection of a kind.
func expectOnly(t *testing.T, o Options, a model.Account, kind model.Kind, name string) {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := s.open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	all, errs, err := st.ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 {
		t.Fatal(err, errs)
	}
	var names []string
	for _, c := range all {
		if c.Kind == kind {
			names = append(names, strings.Join(c.Path, "/"))
		}
	}
	if len(names) != 1 || names[0] != name {
		t.Errorf("with %+v there are %q, want %q", o, names, name)
	}
}

func TestXandikos(t *testing.T) {
	t.Parallel()
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			x := lab.StartXandikos(t, "anna")
			sourcetest.RunObjects(t, func(t *testing.T) sourcetest.ObjectHarness {
				home := map[model.Kind]string{model.KindCalendar: "calendars/", model.KindContacts: "contacts/"}[kind]
				w := &writer{base: x.URL, user: "anna", kind: kind, home: x.Principal + home, opts: Options{URL: x.URL}, account: model.Account{Login: "anna"}}
				for n := range 8 { // what the test before has made
					if code, text := w.try(t, "DELETE", fmt.Sprintf("%sc%d/", w.home, n+1), "", nil); code/100 != 2 && code != http.StatusNotFound {
						t.Fatalf("%d %s", code, text)
					}
				}
				return &xandikos{w}
			})
		})
	}
}

// A Xandikos has an inbox outside of the home, and never says which calendar is the
// default one: none is taken for it.
func TestXandikosTellsNoDefault(t *testing.T) {
	t.Parallel()
	x := lab.StartXandikos(t, "anna")
	w := &writer{base: x.URL, user: "anna", kind: model.KindCalendar, home: x.Principal + "calendars/", opts: Options{URL: x.URL}, account: model.Account{Login: "anna"}}
	w.Make(t, "Work")
	src, err := New(w.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	st, err := src.open(t.Context(), w.account)
	if err != nil {
		t.Fatal(err)
	}
	if at := st.says.props[caldav("schedule-inbox-URL")].href(); at != x.Principal+"inbox" {
		t.Errorf("the inbox is %q", at)
	}
	all, errs, err := st.ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 || len(all) != 3 {
		t.Errorf("%+v, %v, %v", all, errs, err)
	}
	for _, c := range all {
		if c.Default {
			t.Errorf("%s is the default", c.ID)
		}
	}
}

// xandikos writes events anew, and takes no percent sign in the name of a
// collection.
type xandikos struct{ *writer }

func (xandikos) Rewrites() {}

func (xandikos) CanName(name string) bool { return !strings.Contains(name, "%") }

func TestApache(t *testing.T) {
	t.Parallel()
	for _, auth := range []string{"basic", "digest"} {
		t.Run(auth, func(t *testing.T) {
			t.Parallel()
			a := lab.StartApache(t, lab.DAVUser{Name: "anna", Password: "secret"})
			sourcetest.RunObjects(t, func(t *testing.T) sourcetest.ObjectHarness {
				if old, _ := filepath.Glob(filepath.Join(a.Folder, "anna", "*")); len(old) > 0 {
					for _, o := range old {
						if err := os.RemoveAll(o); err != nil {
							t.Fatal(err)
						}
					}
				}
				return &apache{&writer{base: a.URL, user: "anna", password: "secret", kind: model.KindFiles, home: "/basic/anna/",
					opts: Options{Files: a.URL + "/" + auth + "/{user}/"}, account: model.Account{Login: "anna", Secret: "secret"}}, filepath.Join(a.Folder, "anna")}
			})
		})
	}
}

type apache struct {
	*writer
	folder string
}

// Break takes the server's right to read a file.
func (a *apache) Break(t *testing.T, collection, name string) {
	t.Helper()
	if os.Getuid() != 0 {
		if err := os.Chmod(filepath.Join(a.folder, collection, name), 0); err != nil {
			t.Fatal(err)
		}
		return
	}
	path := filepath.Join(a.folder, collection, name)
	if err := os.Chown(path, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// secretHash is that of "secret".
const secretHash = "{SHA512-CRYPT}$6$labsalt$leYP1O/SwaG7fbW7P8PsNALxP8zLSliGjNZI80V.j4yytxGrI2SXlPBJnogfPEG3BvTABDgzPtKzGJoNlMA.S0"

// Old Stalwart: each account by itself, and through an administrator.
func TestStalwart(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	var n atomic.Int32
	arrive := func(t *testing.T, name string) string {
		address := fmt.Sprintf("%s%d@%s", name, n.Add(1), server.Domain)
		actions, err := d.Plan(t.Context(), []model.Account{{Login: address, Address: address, Password: secretHash}})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range actions {
			if err := d.Apply(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		return address
	}
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles} {
		t.Run(kind.String(), func(t *testing.T) {
			sourcetest.RunObjects(t, func(t *testing.T) sourcetest.ObjectHarness {
				login := arrive(t, "anna")
				part := map[model.Kind]string{model.KindCalendar: "cal", model.KindContacts: "card", model.KindFiles: "file"}[kind]
				w := &writer{base: server.URL, user: login, password: "secret", kind: kind, home: "/dav/" + part + "/" + url.PathEscape(login) + "/",
					opts: Options{URL: server.URL, Files: server.URL + "/dav/file/{user}/"}, account: model.Account{Login: login, Secret: "secret"}}
				if kind == model.KindFiles {
					return w
				}
				return stalwartHarness{painting{w}, arrive}
			})
		})
	}
	t.Run("administrator", func(t *testing.T) {
		login := arrive(t, "cleo")
		w := &writer{base: server.URL, user: login, password: "secret", kind: model.KindFiles, home: "/dav/file/" + url.PathEscape(login) + "/"}
		w.Make(t, "Of Cleo")
		s, err := New(Options{URL: server.URL, Files: server.URL + "/dav/file/{user}/", Master: arrive(t, "ben"), Separator: "%", Password: "wrong"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), model.Account{Login: login}); model.CodeOf(err) != model.CodeAuth {
			t.Errorf("a wrong password gives %v", err)
		}
	})
}

// stalwartHarness writes objects anew.
type stalwartHarness struct {
	painting
	arrive func(t *testing.T, name string) string
}

func (stalwartHarness) Rewrites() {}

func (h stalwartHarness) ShareWithBen(t *testing.T, collection string) string {
	t.Helper()
	ben := h.arrive(t, "ben")
	h.send(t, "ACL", h.paths[collection], "application/xml", []byte(`<d:acl xmlns:d="DAV:"><d:ace><d:principal><d:href>/dav/pal/`+url.PathEscape(ben)+`/</d:href></d:principal><d:grant><d:privilege><d:read/></d:privilege></d:grant></d:ace></d:acl>`))
	return ben
}

// SabreDAV asks for Digest and has ctags, but no sync tokens in this version.
func TestSabreDAV(t *testing.T) {
	t.Parallel()
	s := lab.StartSabreDAV(t)
	var n atomic.Int32
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			sourcetest.RunObjects(t, func(t *testing.T) sourcetest.ObjectHarness {
				login := fmt.Sprintf("anna%d", n.Add(1))
				s.AddUser(t, lab.DAVUser{Name: login, Password: "secret"})
				part := map[model.Kind]string{model.KindCalendar: "calendars", model.KindContacts: "addressbooks"}[kind]
				w := &writer{base: s.URL, user: login, password: "secret", kind: kind, home: "/" + part + "/" + login + "/", opts: Options{URL: s.URL}, account: model.Account{Login: login, Secret: "secret"}}
				if kind == model.KindContacts {
					return w
				}
				return painting{w}
			})
		})
	}
}

// davicalHarness shares as its administrator does. What it is about has no
// brackets in its path.
type davicalHarness struct {
	*writer
	server *lab.DAViCal
}

func (h davicalHarness) ShareWithBen(t *testing.T, collection string) string {
	t.Helper()
	h.server.Grant(t, strings.TrimPrefix(h.paths[collection], "/caldav.php"), "ben", "read")
	return "ben"
}

func (davicalHarness) CanName(name string) bool { return name != "[brackets]" }

func (h davicalHarness) Paint(t *testing.T, collection, shown, description, color string) {
	t.Helper()
	painting{h.writer}.Paint(t, collection, shown, description, color)
}

// davicalCards are what it gives a date of its own.
type davicalCards struct{ davicalHarness }

func (davicalCards) Rewrites() {}

func TestDAViCal(t *testing.T) {
	t.Parallel()
	s := lab.StartDAViCal(t)
	s.AddUser(t, lab.DAVUser{Name: "ben", Password: "secret"})
	var n atomic.Int32
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts} {
		account := func(t *testing.T) *writer {
			login := fmt.Sprintf("anna%d", n.Add(1))
			s.AddUser(t, lab.DAVUser{Name: login, Password: "secret"})
			return &writer{base: s.URL, user: login, password: "secret", kind: kind, home: s.Home(login), opts: Options{URL: s.URL}, account: model.Account{Login: login, Secret: "secret"}}
		}
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			sourcetest.RunObjects(t, func(t *testing.T) sourcetest.ObjectHarness {
				if h := (davicalHarness{account(t), s}); kind == model.KindCalendar {
					return h
				} else {
					return davicalCards{h}
				}
			})
			t.Run("administrator", func(t *testing.T) {
				w := account(t)
				w.Make(t, "Of Ben")
				expectOnly(t, Options{URL: s.URL + s.Home("{user}"), Master: s.Admin, Password: s.AdminPassword}, model.Account{Login: w.user}, kind, "Of Ben")
			})
		})
	}
}

// Calendars on a server that asks for Basic, files on one that asks for Digest.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	user := lab.DAVUser{Name: "anna", Password: "secret"}
	r, a := lab.StartRadicale(t, user), lab.StartApache(t, user)
	w := &writer{base: r.URL, user: "anna", password: "secret", kind: model.KindCalendar, home: "/anna/"}
	w.send(t, "PROPFIND", w.home, "", nil)
	w.Make(t, "Work")
	src, err := New(Options{URL: r.URL, Files: a.URL + "/digest/{user}/"})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for range 2 {
		st, err := src.open(t.Context(), model.Account{Login: "anna", Secret: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		all, errs, err := st.ObjectCollections(t.Context())
		if err != nil || len(errs) > 0 {
			t.Fatal(err, errs)
		}
		if len(all) != 2 || all[0].Kind == all[1].Kind {
			t.Errorf("%+v", all)
		}
	}
}
