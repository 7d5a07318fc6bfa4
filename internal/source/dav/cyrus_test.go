package dav

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// cyrusHarness is a writer of a Cyrus.
type cyrusHarness struct {
	*writer
	grant func(mailbox, to string)
}

// ShareWithBen grants as an administrator does.
func (h cyrusHarness) ShareWithBen(t *testing.T, collection string) string {
	t.Helper()
	top := map[model.Kind]string{model.KindCalendar: "#calendars/", model.KindContacts: "#addressbooks/", model.KindFiles: "#drive/"}[h.kind]
	h.grant("user/"+h.user+"/"+top+path.Base(h.paths[collection]), "ben")
	return "ben"
}

// Put works around a server that takes an empty body for the one that it got
// before.
func (h cyrusHarness) Put(t *testing.T, collection, name string, content []byte) {
	t.Helper()
	if len(content) == 0 {
		t.Skip("this server stores no empty files over WebDAV")
	}
	h.writer.Put(t, collection, name, content)
}

// CanName leaves out what a folder of files, which is a mailbox, cannot be
// called there.
func (h cyrusHarness) CanName(name string) bool {
	return h.kind != model.KindFiles || !slices.Contains([]string{"Größe", "送信", "100% & more", "a%20b"}, name)
}

// cyrusPainted is one of what has colours and descriptions.
type cyrusPainted struct{ cyrusHarness }

func (h cyrusPainted) Paint(t *testing.T, collection, shown, description, color string) {
	t.Helper()
	painting{h.writer}.Paint(t, collection, shown, description, color)
}

// Each account by its own password: outside of a Murder, this server lets
// nobody act for others over HTTP.
func TestCyrus(t *testing.T) {
	t.Parallel()
	const password = "dav-Pw-1"
	users := map[string]string{"ben": password}
	for n := range 80 {
		users[fmt.Sprintf("d%d", n)] = password
	}
	s := lab.StartCyrus(t, lab.CyrusOptions{Users: users, Settings: map[string]string{"httpmodules": "caldav carddav webdav", "httpallowcompress": "no", "caldav_allowscheduling": "no"}})
	admin, err := imapclient.DialInsecure(s.IMAP, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.Login(s.Admin, s.AdminPassword).Wait(); err != nil {
		t.Fatal(err)
	}
	create := func(login string) {
		t.Helper()
		if err := admin.Create("user/"+login, nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	create("ben")
	grant := func(mailbox, to string) {
		t.Helper()
		if err := admin.SetACL(mailbox, imap.RightsIdentifier(to), imap.RightModificationReplace, imap.RightSet("lr9")).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	var n atomic.Int32
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles} {
		t.Run(kind.String(), func(t *testing.T) {
			base := "http://" + s.HTTP
			account := func(t *testing.T) *writer {
				login := fmt.Sprintf("d%d", n.Add(1))
				create(login)
				part := map[model.Kind]string{model.KindCalendar: "calendars", model.KindContacts: "addressbooks", model.KindFiles: "drive"}[kind]
				w := &writer{base: base, user: login, password: password, kind: kind, home: "/dav/" + part + "/user/" + url.PathEscape(login) + "/",
					opts: Options{URL: base}, account: model.Account{Login: login, Secret: password}}
				if kind == model.KindFiles {
					w.opts = Options{Files: base + "/dav/drive/user/{user}/"}
				}
				w.try(t, "PROPFIND", w.home, "", nil) // makes the homes
				return w
			}
			sourcetest.RunObjects(t, func(t *testing.T) sourcetest.ObjectHarness {
				w := account(t)
				if kind == model.KindFiles {
					return cyrusHarness{w, grant}
				}
				return cyrusPainted{cyrusHarness{w, grant}}
			})
			// Two accounts share a connection, and each has its own.
			t.Run("connection", func(t *testing.T) {
				one, two := account(t), account(t)
				one.Make(t, "Of one")
				two.Make(t, "Of two")
				o := one.opts
				o.Connections = 1
				src, err := New(o)
				if err != nil {
					t.Fatal(err)
				}
				defer src.Close()
				for range 2 {
					for _, w := range []*writer{one, two} {
						st, err := src.open(t.Context(), w.account)
						if err != nil {
							t.Fatal(err)
						}
						all, errs, err := st.ObjectCollections(t.Context())
						if err != nil || len(errs) > 0 {
							t.Fatal(err, errs)
						}
						want := map[*writer]string{one: "Of one", two: "Of two"}[w]
						var names []string
						for _, c := range all {
							if len(c.Path) > 0 && strings.HasPrefix(c.Path[len(c.Path)-1], "Of ") {
								names = append(names, c.Path[len(c.Path)-1])
							}
						}
						if len(names) != 1 || names[0] != want {
							t.Errorf("%s has %q, want %q", w.account.Login, names, want)
						}
					}
				}
			})
		})
	}
}

// Delegates that somebody chose in a client that speaks JMAP are in the list that
// CalDAV shows: a Cyrus has one for both.
func TestCyrusDelegatesOverJMAP(t *testing.T) {
	t.Parallel()
	const password = "dav-Pw-1"
	team := []string{"anna", "ben", "carla", "dora"}
	users := map[string]string{}
	for _, u := range team {
		users[u] = password
	}
	s := lab.StartCyrus(t, lab.CyrusOptions{Users: users, Settings: map[string]string{"httpmodules": "caldav carddav jmap", "httpallowcompress": "no", "caldav_allowscheduling": "yes",
		"conversations": "yes", "jmap_nonstandard_extensions": "yes"}})
	admin, err := imapclient.DialInsecure(s.IMAP, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.Login(s.Admin, s.AdminPassword).Wait(); err != nil {
		t.Fatal(err)
	}
	client := map[string]*writer{}
	for _, u := range team {
		if err := admin.Create("user/"+u, nil).Wait(); err != nil {
			t.Fatal(err)
		}
		client[u] = &writer{base: "http://" + s.HTTP, user: u, password: password, kind: model.KindCalendar, home: "/dav/calendars/user/" + u + "/"}
		client[u].try(t, "PROPFIND", client[u].home, "", nil) // makes the homes
	}
	client["anna"].Make(t, "Work")
	answer := client["anna"].send(t, "POST", "/jmap/", "application/json", []byte(`{"using":["urn:ietf:params:jmap:core","https://cyrusimap.org/ns/jmap/calendars"],"methodCalls":[["Calendar/set",{"accountId":"anna","update":{"c1":{"shareWith":{
		"ben":{"mayReadFreeBusy":true,"mayRead":true},"carla":{"mayReadFreeBusy":true,"mayRead":true,"mayWrite":true},"dora":{"mayReadFreeBusy":true}}}}},"0"]]}`))
	if !strings.Contains(answer, `"updated":{"c1":`) {
		t.Fatal(answer)
	}
	src, err := New(Options{URL: "http://" + s.HTTP})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	st, err := src.open(t.Context(), model.Account{Login: "anna", Secret: password})
	if err != nil {
		t.Fatal(err)
	}
	grants, err := st.ObjectRights(t.Context(), model.ObjectCollection{Kind: model.KindCalendar, ID: client["anna"].paths["Work"], Path: []string{"Work"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]model.ObjectRights{}
	for _, g := range grants {
		got[strings.TrimSuffix(g.Identifier, "@internal")] |= g.Rights // one is invited, too
	}
	want := map[string]model.ObjectRights{"anyone": model.ObjectFreeBusy, "ben": mayRead, "carla": mayWrite, "dora": model.ObjectFreeBusy}
	if !maps.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
