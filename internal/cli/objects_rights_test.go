package cli_test

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	gocmp "github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// Who may use a calendar, address book or folder of a Cyrus may use it at the
// destination, as each of them sees it there: by name, by group, as everybody,
// less what is taken away by name, from a group, and from everybody.
func TestCyrusObjectRights(t *testing.T) {
	t.Parallel()
	people := []string{"ben", "carla", "dora", "eve"}
	users := map[string]string{anna.Name: anna.Password}
	for _, p := range people {
		users[p] = "pw"
	}
	old := lab.StartCyrus(t, lab.CyrusOptions{Users: users,
		Settings: map[string]string{"httpmodules": "caldav carddav webdav", "httpallowcompress": "no", "caldav_allowscheduling": "no"}})
	admin := cyrusAs(t, old, "")
	for user := range users {
		admin.create("user/" + user)
	}
	c := newDAVClient("http://"+old.HTTP, anna.Name, anna.Password, map[model.Kind]string{model.KindCalendar: "/dav/calendars/user/anna/", model.KindContacts: "/dav/addressbooks/user/anna/", model.KindFiles: "/dav/drive/user/anna/"})
	tops := map[model.Kind]string{model.KindCalendar: "#calendars", model.KindContacts: "#addressbooks", model.KindFiles: "#drive"}
	for kind, home := range c.home {
		c.try(t, "PROPFIND", home, "", nil) // makes the homes
		c.make(t, kind, "Team")
		if kind == model.KindFiles {
			c.put(t, kind, "Team", "a.txt", []byte("x"))
		}
		at := "user/anna/" + tops[kind] + "/" + filepath.Base(c.paths[key(kind, "Team")])
		for _, grant := range []string{"anyone lrs9", "-anyone x", "ben lrswipkxten7", "-carla lrswipkxten789", "group:staff swipte", "-group:games lr9"} {
			who, rights, _ := strings.Cut(grant, " ")
			admin.must(admin.c.SetACL(at, goimap.RightsIdentifier(who), goimap.RightModificationReplace, goimap.RightSet(rights)).Wait())
		}
	}
	to := startStalwart(t)
	a := administrator{t: t, config: filepath.Join(t.TempDir(), "mailhaul.yaml")}
	for _, groups := range []string{"", ", addresses: {anyone: everybody@acme.test, staff: staff@acme.test}"} {
		a.source(to, fmt.Sprintf("  kind: cyrus\n  cyrus: {config: %q}\n  users: {domain: acme.test}\n  groups: {members: {staff: [carla, dora], games: [eve]}%s}", old.Config, groups))
		if groups == "" {
			a.run(cli.ExitOK, "provision")
			a.run(cli.ExitOK, "sync")
		}
		notes := a.shared()
		if len(notes["seen"])+len(notes["differs"])+len(notes["refused"])+len(notes["unknown"]) > 0 {
			t.Errorf("%q", notes)
		}
		got := objectsSeen(t, to, people)
		const reads, writes = "read", "read write"
		want := map[string]string{}
		for _, kind := range allObjects {
			free := ""
			if kind == model.KindCalendar {
				free = "free/busy "
			}
			want[fmt.Sprint(kind, " ben")], want[fmt.Sprint(kind, " dora")] = free+writes, free+writes
		}
		want["calendar ben"] = "free/busy read write reply"
		if d := gocmp.Diff(want, got); d != "" {
			t.Errorf("with groups at the destination: %v (-want +got):\n%s", groups != "", d)
		}
		if again := a.shared(); len(again["shared"])+len(again["kept"])+len(again["seen"]) > 0 {
			t.Errorf("sharing again did %q", again)
		}
	}
}

// objectsSeen is what readers may do with anna's collections "Team", by kind and
// reader.
func objectsSeen(t *testing.T, to target, readers []string) map[string]string {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: to.url, User: to.user, Password: to.password})
	must(err)
	defer d.Close()
	at, err := d.Open(t.Context(), "anna@acme.test")
	must(err)
	out := map[string]string{}
	for _, kind := range allObjects {
		all, err := at.(destination.ObjectStore).ObjectCollections(t.Context(), kind)
		must(err)
		i := slices.IndexFunc(all, func(c destination.ObjectCollection) bool { return c.Name == "Team" })
		if i < 0 {
			t.Fatalf("no %s Team", kind)
		}
		for _, r := range readers {
			seen, err := at.(destination.ObjectSharer).ObjectsSeenBy(t.Context(), all[i].Collection, r+"@acme.test")
			must(err)
			if seen != 0 {
				out[fmt.Sprint(kind, " ", r)] = cmp.Or(seen.String(), "none")
			}
		}
	}
	return out
}
