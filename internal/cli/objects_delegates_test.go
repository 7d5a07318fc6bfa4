package cli_test

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"
	gocmp "github.com/google/go-cmp/cmp"

	"mailhaul.org/mailhaul/internal/cli"
	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// Whom SabreDAV lets act for somebody, with whom a calendar is shared by
// invitation, and what a group has, arrives as shares; the group's calendar in a
// group.
func TestSabreDAVDelegates(t *testing.T) {
	t.Parallel()
	s := lab.StartSabreDAV(t)
	clients := map[string]*davClient{}
	for _, p := range team {
		s.AddUser(t, lab.DAVUser{Name: p, Password: annaSecret})
		clients[p] = newDAVClient(s.URL, p, annaSecret, map[model.Kind]string{model.KindCalendar: "/calendars/" + p + "/"})
	}
	s.AddGroup(t, "team", "ben", "carla")
	s.Delegate(t, "anna", "read", "dora")
	s.Delegate(t, "anna", "write", "eve")
	for _, name := range []string{"Work", "Private"} {
		clients["anna"].make(t, model.KindCalendar, name)
	}
	clients["anna"].put(t, model.KindCalendar, "Work", "e.ics", booked("Later"))
	work := clients["anna"].path(model.KindCalendar, "Work", "")
	for who, access := range map[string]string{"ben": "read-write", "carla": "read", "dora": "read-write"} {
		clients["anna"].send(t, "POST", work, "application/xml", []byte(`<cs:share xmlns:cs="http://calendarserver.org/ns/" xmlns:d="DAV:"><cs:set><d:href>mailto:`+who+`@acme.test</d:href><cs:`+access+`/></cs:set></cs:share>`))
		answer := map[bool]string{true: "invite-declined", false: "invite-accepted"}[who == "dora"]
		clients[who].send(t, "POST", "/calendars/"+who+"/", "application/xml", []byte(`<cs:invite-reply xmlns:cs="http://calendarserver.org/ns/" xmlns:d="DAV:"><d:href>mailto:`+who+`@acme.test</d:href><cs:`+answer+`/><cs:hosturl><d:href>`+work+`</d:href></cs:hosturl><cs:in-reply-to>1</cs:in-reply-to></cs:invite-reply>`))
	}
	s.AddGroup(t, "club", "anna")
	newDAVClient(s.URL, "anna", annaSecret, map[model.Kind]string{model.KindCalendar: "/calendars/club/"}).make(t, model.KindCalendar, "Matches")
	ben := newDAVClient(s.URL, "ben", annaSecret, map[model.Kind]string{model.KindCalendar: "/calendars/team/"})
	ben.make(t, model.KindCalendar, "Plan")
	ben.put(t, model.KindCalendar, "Plan", "e.ics", booked("Together"))

	to := startObjectTarget(t)
	_, migrator := to.movesCalendars(t, fmt.Sprintf("  kind: dav\n  dav: {url: %q, logins: %q}\n  users: {domain: acme.test}\n  groups: {accounts: {team: {name: The team, readers: [ben]}}}", s.URL, teamLogins(t)), 2)
	// A group that nobody has named is.
	for _, command := range []string{"check", "assess"} {
		if out := migrator.run(cli.ExitOK, command, "--json"); !strings.Contains(out, "Matches") || !strings.Contains(out, "the group club") || strings.Contains(out, "the group team") {
			t.Errorf("%s does not say that a group's calendar stays behind:\n%s", command, out)
		}
	}
	want := map[string]string{"Work ben": keepsIt, "Work carla": seesAll, "Work dora": seesAll, "Work eve": delegated, "Private dora": seesAll, "Private eve": delegated}
	if d := gocmp.Diff(want, calendarsSeen(t, to.target, "anna", team...)); d != "" {
		t.Errorf("anna's calendars (-want +got):\n%s", d)
	}
	want = map[string]string{"Plan ben": keepsIt, "Plan carla": keepsIt}
	if d := gocmp.Diff(want, calendarsSeen(t, to.target, "team", team...)); d != "" {
		t.Errorf("the team's calendar (-want +got):\n%s", d)
	}
	if got := defaultCalendar(t, to.target, "anna"); !strings.HasPrefix(got, "Stalwart ") { // this server tells of none
		t.Errorf("anna's default calendar became %q", got)
	}
	// This server tells everybody who has a login when others are busy.
	for _, p := range []string{"carla", "dora"} {
		if !busy(t, to.target, "team", p) {
			t.Errorf("%s is not told when the team is busy", p)
		}
	}
}

// DAViCal's grants of all that somebody has and of single calendars, to people
// and groups, and the calendars of a group and of a room.
func TestDAViCalDelegates(t *testing.T) {
	t.Parallel()
	s := lab.StartDAViCal(t)
	for _, p := range team {
		s.AddUser(t, lab.DAVUser{Name: p, Password: annaSecret})
	}
	s.AddGroup(t, "team", "ben", "carla")
	s.AddResource(t, "room-1")
	paths := map[string]string{}
	for owner, names := range map[string][]string{"anna": {"Work", "Private"}, "team": {"Plan"}, "room-1": {"Room 1"}} {
		c := newDAVClient(s.URL, s.Admin, s.AdminPassword, map[model.Kind]string{model.KindCalendar: s.Home(owner)})
		for _, name := range names {
			c.make(t, model.KindCalendar, name)
			c.put(t, model.KindCalendar, name, "e.ics", []byte(strings.ReplaceAll(string(booked("In "+name)), "booked@", fmt.Sprintf("%x@", name))))
			paths[name] = strings.TrimPrefix(c.path(model.KindCalendar, name, ""), "/caldav.php")
		}
	}
	// What is called so takes what names no calendar.
	daily := newDAVClient(s.URL, s.Admin, s.AdminPassword, nil)
	for path, name := range map[string]string{"another": "Another", "calendar": "Daily"} {
		daily.send(t, "MKCALENDAR", s.Home("dora")+path+"/", "application/xml", []byte(`<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop><d:displayname>`+name+`</d:displayname></d:prop></d:set></c:mkcalendar>`))
	}
	s.Grant(t, "/anna/", "dora", "read")
	s.Grant(t, "/anna/", "eve", "read", "write")
	s.Grant(t, paths["Work"], "team", "read")
	s.Grant(t, paths["Work"], "eve", "read") // less than of the others
	s.Grant(t, paths["Private"], "carla", "read-free-busy")
	s.Grant(t, "/team/", "team", "read", "write")
	s.Grant(t, paths["Room 1"], "anna", "all")
	s.Grant(t, paths["Room 1"], "team", "read-free-busy")

	to := startObjectTarget(t)
	const groups = "\n  users: {list: [anna, ben, carla, dora, eve], domain: acme.test}\n  groups: {accounts: {team: team@acme.test, room-1: {address: room1@acme.test}}}"
	_, migrator := to.movesCalendars(t, fmt.Sprintf("  kind: dav\n  dav: {url: %q, master: %s, password: %q}", s.URL+s.Home("{user}"), s.Admin, "inline:"+s.AdminPassword)+groups, 4)
	if out := migrator.run(cli.ExitOK, "check"); !strings.Contains(out, "login as team") || !strings.Contains(out, "login as room-1") {
		t.Errorf("check does not look for the groups:\n%s", out)
	}
	want := map[string]string{"Work dora": seesAll, "Work eve": seesAll, "Work ben": seesAll, "Work carla": seesAll, "Private dora": seesAll, "Private eve": delegated}
	if d := gocmp.Diff(want, calendarsSeen(t, to.target, "anna", team...)); d != "" {
		t.Errorf("anna's calendars (-want +got):\n%s", d)
	}
	if got := defaultCalendar(t, to.target, "dora"); got != "Daily" {
		t.Errorf("dora's default calendar is %q", got)
	}
	if d := gocmp.Diff(map[string]string{"Plan ben": keepsIt, "Plan carla": keepsIt}, calendarsSeen(t, to.target, "team", team...)); d != "" {
		t.Errorf("the team's calendar (-want +got):\n%s", d)
	}
	if d := gocmp.Diff(map[string]string{"Room 1 anna": "free/busy read write own reply share delete"}, calendarsSeen(t, to.target, "room1", team...)); d != "" {
		t.Errorf("the room's calendar (-want +got):\n%s", d)
	}
	for p, want := range map[string]bool{"ben": true, "dora": false} {
		if busy(t, to.target, "room1", p) != want {
			t.Errorf("%s is told when the room is booked: %v", p, !want)
		}
	}
}

// Calendars of an old Stalwart, those of a group with them, by an administrator
// and then by each account's own token (OAuth).
func TestStalwartDelegates(t *testing.T) {
	t.Parallel()
	old := lab.StartStalwart(t)
	at := func(name string) string { return name + "@" + old.Domain }
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: old.URL, User: old.AdminUser, Password: old.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	o := model.Organisation{Groups: []model.Group{{Address: at("team"), Name: "The team", Members: []string{at("ben")}}}}
	for _, p := range team {
		o.Accounts = append(o.Accounts, model.Account{Login: at(p), Address: at(p), Password: annaSecretHash})
	}
	actions, err := d.PlanOrganisation(t.Context(), destination.Wanted{Organisation: o})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range actions {
		if err := d.Apply(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	share := func(c *davClient, calendar string, privileges map[string]string) {
		t.Helper()
		acl := ""
		for _, who := range slices.Sorted(maps.Keys(privileges)) {
			acl += `<d:ace><d:principal><d:href>/dav/pal/` + url.PathEscape(at(who)) + `/</d:href></d:principal><d:grant><d:privilege>` + privileges[who] + `</d:privilege></d:grant></d:ace>`
		}
		c.send(t, "ACL", c.path(model.KindCalendar, calendar, ""), "application/xml", []byte(`<d:acl xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">`+acl+`</d:acl>`))
	}
	for owner, calendar := range map[string]string{"anna": "Work", "team": "Plan"} {
		user := map[bool]string{true: "ben", false: owner}[owner == "team"]
		c := newDAVClient(old.URL, at(user), annaSecret, map[model.Kind]string{model.KindCalendar: "/dav/cal/" + url.PathEscape(at(owner)) + "/"})
		c.make(t, model.KindCalendar, calendar)
		c.put(t, model.KindCalendar, calendar, "e.ics", []byte(strings.ReplaceAll(string(booked("In "+calendar)), "guest@outside.test", "ben@"+old.Domain)))
		share(c, calendar, map[string]string{"carla": "<d:read/>", "dora": "<c:read-free-busy/>", "eve": "<d:read/></d:privilege><d:privilege><d:write/>"})
	}
	to := startObjectTarget(t)
	tokens := ""
	for _, p := range team {
		tokens += at(p) + "," + old.Token(t, at(p), annaSecret) + "\n"
	}
	file := filepath.Join(t.TempDir(), "tokens.csv")
	if err := os.WriteFile(file, []byte(tokens), 0o600); err != nil {
		t.Fatal(err)
	}
	rest := "\n  users: {list: [" + strings.Join([]string{at("anna"), at("ben"), at("carla"), at("dora"), at("eve")}, ", ") + "]}\n  groups: {accounts: {" + at("team") + ": {name: The team, members: [" + at("ben") + "], readers: [" + at("ben") + "]}}}\naccounts:\n  - {source: \"*@" + old.Domain + "\", destination: \"*@acme.test\"}"
	_, migrator := to.movesCalendars(t, fmt.Sprintf("  kind: dav\n  dav: {url: %q, master: %s, separator: \"%%\", password: %q}", old.URL, old.AdminUser, "inline:"+old.AdminPassword)+rest, 2)
	everything := "free/busy read write own reply share delete"
	for owner, calendar := range map[string]string{"anna": "Work", "team": "Plan"} {
		want := map[string]string{calendar + " carla": seesAll, calendar + " eve": keepsIt}
		if owner == "team" {
			want[calendar+" ben"] = everything
		}
		if d := gocmp.Diff(want, calendarsSeen(t, to.target, owner, team...)); d != "" {
			t.Errorf("the calendar of %s (-want +got):\n%s", owner, d)
		}
		if !busy(t, to.target, owner, "dora") || owner == "anna" && busy(t, to.target, owner, "ben") {
			t.Errorf("who is told when %s is busy is wrong", owner)
		}
	}
	var r struct {
		Total struct{ Objects groupware.Result }
	}
	bearer := to.as(t, filepath.Dir(migrator.config), to.migrator, migratorPassword, fmt.Sprintf("  kind: dav\n  dav: {url: %q, auth: bearer, logins: %q}", old.URL, file)+rest)
	bearer.run(cli.ExitOK, "check")
	bearer.result(cli.ExitOK, &r, "sync")
	if r.Total.Objects != (groupware.Result{}) {
		t.Errorf("by their own tokens they have something else: %+v", r.Total.Objects)
	}
	bearer.run(cli.ExitOK, "verify")
	// Tokens expire.
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(tokens, ",", ",expired")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := bearer.run(cli.ExitUnreachable, "sync", "--json", "anna@acme.test"); !strings.Contains(out, "check the token") {
		t.Errorf("nothing says that the token is refused:\n%s", out)
	}
}

// A Cyrus's lists, its invitations, and a room that has a login there, over
// CalDAV; and the calendar that takes what names none.
func TestCyrusDelegates(t *testing.T) {
	t.Parallel()
	users := map[string]string{"room1": annaSecret}
	for _, p := range team {
		users[p] = annaSecret
	}
	old := lab.StartCyrus(t, lab.CyrusOptions{Users: users,
		Settings: map[string]string{"httpmodules": "caldav carddav", "httpallowcompress": "no", "caldav_allowscheduling": "yes"}})
	admin := cyrusAs(t, old, "")
	clients := map[string]*davClient{}
	for user := range users {
		admin.create("user/" + user)
		clients[user] = newDAVClient("http://"+old.HTTP, user, annaSecret, map[model.Kind]string{model.KindCalendar: "/dav/calendars/user/" + user + "/"})
		clients[user].try(t, "PROPFIND", clients[user].home[model.KindCalendar], "", nil) // makes the homes
	}
	c := clients["anna"]
	for _, name := range []string{"Team", "Asked"} {
		c.make(t, model.KindCalendar, name)
		c.put(t, model.KindCalendar, name, "e.ics", []byte(strings.ReplaceAll(string(plainEvent("In "+name)), "plain@", strings.ToLower(name)+"@")))
	}
	list := "user/anna/#calendars/" + filepath.Base(c.paths[key(model.KindCalendar, "Team")])
	for who, rights := range map[string]string{"anyone": "lrs9", "ben": "lrswipkxten7", "-carla": "lrswipkxten789", "group:staff": "swipten"} {
		admin.must(admin.c.SetACL(list, goimap.RightsIdentifier(who), goimap.RightModificationReplace, goimap.RightSet(rights)).Wait())
	}
	c.send(t, "POST", c.path(model.KindCalendar, "Asked", ""), "application/davsharing+xml", []byte(`<d:share-resource xmlns:d="DAV:"><d:sharee><d:href>mailto:dora@internal</d:href><d:share-access><d:read-write/></d:share-access></d:sharee><d:sharee><d:href>mailto:eve@internal</d:href><d:share-access><d:read/></d:share-access></d:sharee></d:share-resource>`))
	takeDefault := func(calendar string) {
		t.Helper()
		c.send(t, "PROPPATCH", "/dav/calendars/user/anna/Inbox/", "application/xml", []byte(`<d:propertyupdate xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop><c:schedule-default-calendar-URL><d:href>`+c.path(model.KindCalendar, calendar, "")+`</d:href></c:schedule-default-calendar-URL></d:prop></d:set></d:propertyupdate>`))
	}
	takeDefault("Team")
	clients["room1"].make(t, model.KindCalendar, "Room 1")
	clients["room1"].put(t, model.KindCalendar, "Room 1", "e.ics", plainEvent("In the room"))

	to := startObjectTarget(t)
	file := filepath.Join(t.TempDir(), "logins.csv")
	text := ""
	for user := range users {
		text += user + "," + annaSecret + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, migrator := to.movesCalendars(t, fmt.Sprintf("  kind: dav\n  dav: {url: %q, logins: %q}\n  users: {domain: acme.test}\n  groups: {members: {staff: [carla, dora]}, accounts: {room1: {name: Room 1}}}", "http://"+old.HTTP, file), 3)
	want := map[string]string{"Team ben": keepsIt, "Team dora": keepsIt, "Team eve": seesAll, "Asked dora": keepsIt, "Asked eve": seesAll}
	got := calendarsSeen(t, to.target, "anna", team...)
	delete(got, "personal ben")
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("anna's calendars (-want +got):\n%s", d)
	}
	if !busy(t, to.target, "room1", "anna") {
		t.Error("nobody is told when the room is booked")
	}
	expectDefault := func(anna string) {
		t.Helper()
		for owner, name := range map[string]string{"anna": anna, "room1": "personal"} {
			if got := defaultCalendar(t, to.target, owner); got != name {
				t.Errorf("the default calendar of %s is %q, want %q", owner, got, name)
			}
		}
	}
	expectDefault("Team")
	takeDefault("Asked")
	migrator.run(cli.ExitOK, "sync")
	expectDefault("Asked")
	// What she chooses at the new server stays.
	at, all := calendars(t, to.target, "anna")
	i := slices.IndexFunc(all, func(c destination.ObjectCollection) bool { return c.Name == "personal" })
	all[i].Default = true
	if _, err := at.(destination.ObjectStore).PutObjectCollection(t.Context(), all[i], ""); err != nil {
		t.Fatal(err)
	}
	takeDefault("Team")
	if out := migrator.run(cli.ExitOK, "sync"); !strings.Contains(out, "changed the default") {
		t.Errorf("nothing is said of a default that both have changed:\n%s", out)
	}
	expectDefault("personal")
}

// A room of a Cyrus that has mail, too, moves with it into a group, from disk.
func TestCyrusRoomFromDisk(t *testing.T) {
	t.Parallel()
	old := lab.StartCyrus(t, lab.CyrusOptions{Users: map[string]string{"room1": annaSecret, "anna": annaSecret},
		Settings: map[string]string{"httpmodules": "caldav carddav", "httpallowcompress": "no", "caldav_allowscheduling": "no"}})
	admin := cyrusAs(t, old, "")
	admin.create("user/anna")
	admin.create("user/room1")
	room := cyrusAs(t, old, "room1")
	room.append("INBOX", 1)
	c := newDAVClient("http://"+old.HTTP, "room1", annaSecret, map[model.Kind]string{model.KindCalendar: "/dav/calendars/user/room1/"})
	c.try(t, "PROPFIND", "/dav/calendars/user/room1/", "", nil)
	c.make(t, model.KindCalendar, "Room 1")
	c.put(t, model.KindCalendar, "Room 1", "e.ics", plainEvent("In the room"))
	admin.must(admin.c.SetACL("user/room1/#calendars/"+filepath.Base(c.paths[key(model.KindCalendar, "Room 1")]), goimap.RightsIdentifier("anna"), goimap.RightModificationReplace, goimap.RightSet("lrs9")).Wait())
	to := startObjectTarget(t)
	// Somebody has made the group already.
	type object = map[string]any
	manual := object{"@type": "Manual"}
	var made struct {
		Created    map[string]struct{ ID string }
		NotCreated map[string]any
	}
	to.call(t, "x:Domain/set", object{"create": object{"d": object{"name": "acme.test", "dkimManagement": manual, "dnsManagement": manual, "certificateManagement": manual}}}, &made)
	to.call(t, "x:Account/set", object{"create": object{"g": object{"@type": "Group", "name": "room1", "domainId": made.Created["d"].ID}}}, &made)
	if len(made.NotCreated) > 0 {
		t.Fatal(made.NotCreated)
	}
	_, migrator := to.movesCalendars(t, fmt.Sprintf("  kind: cyrus\n  cyrus: {config: %q}\n  users: {domain: acme.test}\n  groups: {accounts: {room1: {name: Room 1}}}", old.Config), 1)
	if d := gocmp.Diff(map[string]string{"Room 1 anna": seesAll}, calendarsSeen(t, to.target, "room1", "anna")); d != "" {
		t.Errorf("the room's calendar (-want +got):\n%s", d)
	}
	var v struct {
		Total struct{ Source, Identical int }
	}
	migrator.result(cli.ExitOK, &v, "verify", "room1@acme.test")
	if v.Total.Source != 1 || v.Total.Identical != 1 {
		t.Errorf("of its mail there is %+v", v.Total)
	}
}
