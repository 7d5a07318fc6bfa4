package dav

import (
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

const (
	isBook  = "<d:resourcetype><d:collection/><a:addressbook/></d:resourcetype>"
	mayEdit = "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege><d:privilege><d:bind/></d:privilege></d:current-user-privilege-set>"
	mayLook = "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege><d:privilege><d:write-properties/></d:privilege></d:current-user-privilege-set>"
)

func ownedBy(principal string) string { return "<d:owner><d:href>" + principal + "</d:href></d:owner>" }

// leads has everything begin at a path, with a principal and its homes.
func (f *fake) leads(start, principal, calendars, contacts string) {
	f.on("PROPFIND "+start, resp(start, "<d:current-user-principal><d:href>"+principal+"</d:href></d:current-user-principal>"))
	f.on("PROPFIND "+principal, resp(principal, "<d:resourcetype><d:collection/><d:principal/></d:resourcetype><c:calendar-home-set><d:href>"+calendars+"</d:href></c:calendar-home-set><a:addressbook-home-set><d:href>"+contacts+"</d:href></a:addressbook-home-set>"))
}

// looks returns the last parts of the IDs of what is an account's own and of what is
// others', read-only ones with a sign.
func (f *fake) looks(t *testing.T, url string) (own, others []string) {
	t.Helper()
	all, foreign, errs, err := f.store(t, func(o *Options) { o.Calendars, o.URL = "", url }).collections(t.Context())
	if err != nil || len(errs) > 0 {
		t.Fatal(errs, err)
	}
	for _, c := range all {
		own = append(own, lastSegment(c.ID)+map[bool]string{true: " (read)"}[c.ReadOnly])
	}
	for _, c := range foreign {
		others = append(others, lastSegment(c.ID)+" of "+c.Owner)
	}
	return own, others
}

// What a Nextcloud shows beside a user's own calendars and address books: what it
// generates is copied, what others share and the list of all users is not, and
// neither is what lies in the trash bin.
func TestNextcloudsHomes(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	const dav, me = "/remote.php/dav/", "/remote.php/dav/principals/users/anna/"
	f.leads(dav, me, dav+"calendars/anna/", dav+"addressbooks/users/anna/")
	at := dav + "calendars/anna/"
	f.on("PROPFIND "+at, resp(at, isPlain),
		resp(at+"personal/", isCalendar+mayEdit+ownedBy(me)),
		resp(at+"contact_birthdays/", isCalendar+mayLook+ownedBy(me)),
		resp(at+"app-generated--deck--board-1/", isCalendar+mayEdit+ownedBy(me)+`<c:supported-calendar-component-set><c:comp name="VTODO"/></c:supported-calendar-component-set>`),
		resp(at+"team_shared_by_ben/", isCalendar+mayEdit+ownedBy(dav+"principals/users/ben/")),
		resp(at+"inbox/", "<d:resourcetype><d:collection/><c:schedule-inbox/></d:resourcetype>"),
		resp(at+"outbox/", "<d:resourcetype><d:collection/><c:schedule-outbox/></d:resourcetype>"),
		resp(at+"trashbin/", `<d:resourcetype><d:collection/><nc:trash-bin xmlns:nc="http://nextcloud.com/ns"/></d:resourcetype>`))
	f.on("PROPFIND "+at+"inbox/", resp(at+"inbox/", ""))
	at = dav + "addressbooks/users/anna/"
	f.on("PROPFIND "+at, resp(at, isPlain),
		resp(at+"contacts/", isBook+mayEdit+ownedBy(me)),
		resp(at+"z-app-generated--contactsinteraction--recent/", isBook+mayLook+ownedBy(me)),
		resp(at+"z-server-generated--system/", isBook+mayLook+ownedBy(dav+"principals/system/system/")))
	own, others := f.looks(t, f.URL+dav)
	if want := []string{"app-generated--deck--board-1", "contact_birthdays (read)", "personal", "contacts", "z-app-generated--contactsinteraction--recent (read)"}; !slices.Equal(own, want) {
		t.Errorf("%q, want %q", own, want)
	}
	if want := []string{"team_shared_by_ben of ben", "z-server-generated--system of system"}; !slices.Equal(others, want) {
		t.Errorf("of others %q, want %q", others, want)
	}
	for _, asked := range f.asked() {
		if strings.Contains(asked, "trashbin") {
			t.Error("the trash bin is looked into")
		}
	}
}

// A SOGo names collections without a slash at the end, its subscriptions after their
// owners, and its global address books "nobody"'s.
func TestSOGosHomes(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	const dav, me = "/SOGo/dav/", "/SOGo/dav/anna/"
	f.leads(dav, me, me+"Calendar/", me+"Contacts/")
	groupdav := func(also string) string {
		return `<d:resourcetype><d:collection/>` + also + `<x:vevent-collection xmlns:x="http://groupdav.org/"/></d:resourcetype>`
	}
	f.on("PROPFIND "+me+"Calendar/", resp(me+"Calendar", isPlain),
		resp(me+"Calendar/personal", groupdav("<c:calendar/>")+mayEdit+ownedBy("/SOGo/dav/anna/")+"<s:getctag>1600108168</s:getctag>"),
		resp(me+"Calendar/ben_A_acme.test_personal", groupdav("<c:calendar/>")+mayLook+ownedBy("/SOGo/dav/ben%40acme.test/")))
	f.on("PROPFIND "+me+"Contacts/", resp(me+"Contacts", isPlain),
		resp(me+"Contacts/personal", groupdav("<a:addressbook/>")+mayEdit+ownedBy("/SOGo/dav/anna/")),
		resp(me+"Contacts/public", groupdav("<a:addressbook/>")+mayLook+ownedBy("/SOGo/dav/nobody/")))
	own, others := f.looks(t, f.URL+dav)
	if want := []string{"personal", "personal"}; !slices.Equal(own, want) {
		t.Errorf("%q, want %q", own, want)
	}
	if want := []string{"ben_A_acme.test_personal of ben@acme.test", "public of nobody"}; !slices.Equal(others, want) {
		t.Errorf("of others %q, want %q", others, want)
	}
	// What lies in one is named with its whole path.
	f.on("PROPFIND "+me+"Calendar/personal", resp(me+"Calendar/personal", isCalendar), resp(me+"Calendar/personal/a.ics", noType+etag(`"gcs00000001"`)))
	st := f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL+dav })
	if got := changes(t, st, model.ObjectCollection{Kind: model.KindCalendar, ID: me + "Calendar/personal"}, ""); got != "listing, +"+me+"Calendar/personal/a.ics gcs00000001, =" {
		t.Error(got)
	}
}

// The home of a Zimbra is its user's whole mailbox: nothing is looked for in its
// folders of mail, of attachments and of what was deleted.
func TestHomeThatIsAMailbox(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("PROPFIND /dav/anna%40acme.test/", resp("/dav/anna%40acme.test/", isPlain),
		resp("/dav/anna%40acme.test/Inbox/", "<d:resourcetype><d:collection/><c:schedule-inbox/></d:resourcetype>"),
		resp("/dav/anna%40acme.test/Sent/", "<d:resourcetype><d:collection/><c:schedule-outbox/></d:resourcetype>"),
		resp("/dav/anna%40acme.test/Trash/", isPlain), resp("/dav/anna%40acme.test/Drafts/", isPlain), resp("/dav/anna%40acme.test/Briefcase/", isPlain), resp("/dav/anna%40acme.test/attachments/", isPlain),
		resp("/dav/anna%40acme.test/Calendar/", isCalendar+"<d:displayname>Calendar</d:displayname>"), resp("/dav/anna%40acme.test/Tasks/", isCalendar),
		resp("/dav/anna%40acme.test/Of%20Ben/", "<d:resourcetype><d:collection/><d:mountpoint/></d:resourcetype>"),
		resp("/dav/anna%40acme.test/Contacts/", "<d:resourcetype><d:collection/><a:addressbook/></d:resourcetype>"))
	home := func(o *Options) { o.Calendars = f.URL + "/dav/anna%40acme.test/"; o.Contacts = o.Calendars }
	all, errs, err := f.store(t, home).ObjectCollections(t.Context())
	var ids []string
	for _, c := range all {
		ids = append(ids, lastSegment(c.ID))
	}
	if want := []string{"Calendar", "Tasks", "Contacts"}; err != nil || len(errs) > 0 || !slices.Equal(ids, want) {
		t.Errorf("%q, %v, %v, want %q", ids, errs, err, want)
	}
	for _, asked := range f.asked() { // the Inbox, which calendar is the default one
		if strings.Count(asked, "/") > 3 && !strings.HasSuffix(asked, "/Inbox/") {
			t.Errorf("it was asked %s", asked)
		}
	}
}

// A Synology answers about another path than it was asked for: that is still the
// home, and its calendars are there once.
func TestHomeByAnotherPath(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	list := []string{resp("/caldav.php/anna/", isPlain), resp("/caldav.php/anna/home/", isCalendar), resp("/caldav.php/anna/tasks/", isCalendar)}
	f.on("PROPFIND /caldav/anna/", list...)
	f.on("PROPFIND /caldav.php/anna/", list...)
	all, errs, err := f.store(t, func(o *Options) { o.Calendars = f.URL + "/caldav/{user}/" }).ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 || len(all) != 2 || all[0].ID != "/caldav.php/anna/home/" || all[1].ID != "/caldav.php/anna/tasks/" {
		t.Errorf("%+v, %v, %v", all, errs, err)
	}
}
