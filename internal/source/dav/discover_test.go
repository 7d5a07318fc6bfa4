package dav

import (
	"net/http"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// A server that fails when it is asked where the address books are has not said
// that there are none.
func TestKindThatIsNotTold(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.home(t)
	f.on("PROPFIND /cal", resp("/cal/", isPlain), resp("/cal/team/", isCalendar))
	f.on("PROPFIND /more/", resp("/more/", isPlain))
	f.on("PROPFIND /.well-known/carddav", resp("/", "<d:current-user-principal><d:href>/pal/ill/</d:href></d:current-user-principal>"))
	for _, asked := range []string{"PROPFIND /pal/ill/", "PROPFIND /.well-known/carddav"} {
		f.say(asked, http.StatusInternalServerError, "oops")
		all, errs, err := f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL }).ObjectCollections(t.Context())
		if err != nil || len(all) != 1 || len(errs) != 1 || model.CodeOf(errs[0]) != "discovery" || model.ClassOf(errs[0]) != model.ClassItem {
			t.Errorf("%s: %+v, %v, %v", asked, all, errs, err)
		}
	}
	f.say("PROPFIND /.well-known/carddav", http.StatusNotFound, "")
	if _, errs, err := f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL }).ObjectCollections(t.Context()); err != nil || len(errs) > 0 {
		t.Errorf("no address books at all: %v, %v", errs, err)
	}
}

// A kind whose own service fails, or is not there, is found by the principal that
// the other one led to: then nothing is missing.
func TestKindThatThePrincipalNames(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	const both = "<d:resourcetype><d:collection/><d:principal/></d:resourcetype><c:calendar-home-set><d:href>/cal/</d:href></c:calendar-home-set><a:addressbook-home-set><d:href>/card/</d:href></a:addressbook-home-set>"
	f.on("PROPFIND /pal/anna/", resp("/pal/anna/", both))
	f.on("PROPFIND /cal/", resp("/cal/", isPlain), resp("/cal/team/", isCalendar))
	f.on("PROPFIND /card/", resp("/card/", isPlain), resp("/card/all/", "<d:resourcetype><d:collection/><a:addressbook/></d:resourcetype>"))
	for _, well := range []string{"caldav", "carddav"} {
		ill := map[string]string{"caldav": "carddav", "carddav": "caldav"}[well]
		f.on("PROPFIND /.well-known/"+well, resp("/", "<d:current-user-principal><d:href>/pal/anna/</d:href></d:current-user-principal>"))
		for _, status := range []int{http.StatusInternalServerError, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed} {
			f.say("PROPFIND /.well-known/"+ill, status, "oops")
			all, errs, err := f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL }).ObjectCollections(t.Context())
			if err != nil || len(errs) > 0 || len(all) != 2 || all[0].ID != "/cal/team/" || all[1].ID != "/card/all/" {
				t.Errorf("%s with %d: %+v, %v, %v", ill, status, all, errs, err)
			}
		}
	}
	// The principal of a server that fails at both is not known.
	f.say("PROPFIND /.well-known/caldav", http.StatusInternalServerError, "")
	f.say("PROPFIND /.well-known/carddav", http.StatusInternalServerError, "")
	all, errs, err := f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL }).ObjectCollections(t.Context())
	if err != nil || len(errs) != 2 || len(all) > 0 || model.CodeOf(errs[0]) != "discovery" || model.CodeOf(errs[1]) != "discovery" {
		t.Errorf("none: %+v, %v, %v", all, errs, err)
	}
	// Its root is enough.
	f.on("PROPFIND /", resp("/", "<d:current-user-principal><d:href>/pal/anna/</d:href></d:current-user-principal>"))
	if all, errs, err := f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL }).ObjectCollections(t.Context()); err != nil || len(errs) > 0 || len(all) != 2 {
		t.Errorf("by the root: %+v, %v, %v", all, errs, err)
	}
}

// Calendars and address books at hosts of their own, as iCloud and Fastmail have
// them, are discovered there; and what is not asked for stays out.
func TestHostsOfTheirOwn(t *testing.T) {
	t.Parallel()
	cal, card := newFake(t), newFake(t)
	cal.on("PROPFIND /.well-known/caldav", resp("/", "<d:current-user-principal><d:href>/pal/anna/</d:href></d:current-user-principal>"))
	cal.on("PROPFIND /pal/anna/", resp("/pal/anna/", "<d:resourcetype><d:principal/></d:resourcetype><c:calendar-home-set><d:href>/cal/</d:href></c:calendar-home-set><a:addressbook-home-set><d:href>/none/</d:href></a:addressbook-home-set>"))
	cal.on("PROPFIND /cal/", resp("/cal/", isPlain), resp("/cal/team/", isCalendar))
	card.on("PROPFIND /.well-known/carddav", resp("/", "<d:current-user-principal><d:href>/pal/17/</d:href></d:current-user-principal>"))
	card.on("PROPFIND /pal/17/", resp("/pal/17/", "<d:resourcetype><d:principal/></d:resourcetype><a:addressbook-home-set><d:href>/card/</d:href></a:addressbook-home-set>"))
	card.on("PROPFIND /card/", resp("/card/", isPlain), resp("/card/all/", "<d:resourcetype><d:collection/><a:addressbook/></d:resourcetype>"))
	collections := func(o Options) string {
		t.Helper()
		all, errs, err := cal.store(t, func(to *Options) { to.Calendars, to.Contacts = o.Calendars, o.Contacts }).ObjectCollections(t.Context())
		if err != nil || len(errs) > 0 {
			t.Errorf("%v, %v", errs, err)
		}
		var ids []string
		for _, c := range all {
			ids = append(ids, c.ID)
		}
		return strings.Join(ids, " ")
	}
	if got := collections(Options{Calendars: cal.URL, Contacts: card.URL + "/"}); got != "/cal/team/ /card/all/" {
		t.Errorf("both: %s", got)
	}
	if got := collections(Options{Calendars: cal.URL}); got != "/cal/team/" {
		t.Errorf("calendars alone: %s", got)
	}
	// One that discovers nothing is a home.
	card.say("PROPFIND /.well-known/carddav", http.StatusNotFound, "")
	card.on("PROPFIND /", resp("/", isPlain), resp("/mine/", "<d:resourcetype><d:collection/><a:addressbook/></d:resourcetype>"))
	if got := collections(Options{Contacts: card.URL}); got != "/mine/" {
		t.Errorf("a home at the top: %s", got)
	}
}

// The inbox lies outside of the home, and the principal says where.
func TestInboxOfThePrincipal(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("PROPFIND /.well-known/caldav", resp("/", "<d:current-user-principal><d:href>/pal/anna/</d:href></d:current-user-principal>"))
	f.on("PROPFIND /pal/anna/", resp("/pal/anna/", "<d:resourcetype><d:principal/></d:resourcetype><c:calendar-home-set><d:href>/cal/</d:href></c:calendar-home-set><c:schedule-inbox-URL><d:href>/in/anna/</d:href></c:schedule-inbox-URL>"))
	f.on("PROPFIND /cal/", resp("/cal/", isPlain), resp("/cal/team/", isCalendar), resp("/cal/own/", isCalendar))
	f.on("PROPFIND /in/anna/", resp("/in/anna/", "<c:schedule-default-calendar-URL><d:href>/cal/own</d:href></c:schedule-default-calendar-URL>"))
	for i, want := range []string{"/cal/own/", ""} {
		if i > 0 { // it fails: then nobody knows
			f.say("PROPFIND /in/anna/", http.StatusInternalServerError, "")
		}
		all, errs, err := f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL }).ObjectCollections(t.Context())
		got := ""
		for _, c := range all {
			if c.Default {
				got += c.ID
			}
		}
		if err != nil || len(errs) > 0 || len(all) != 2 || got != want {
			t.Errorf("%q is the default: %+v, %v, %v", got, all, errs, err)
		}
	}
}
