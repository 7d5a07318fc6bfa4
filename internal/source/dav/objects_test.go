package dav

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// home is what a home of many kinds of things looks like.
func (f *fake) home(t *testing.T) *Store {
	t.Helper()
	f.on("PROPFIND /.well-known/caldav", resp("/", "<d:current-user-principal><d:href>/pal/anna/</d:href></d:current-user-principal>"))
	f.on("PROPFIND /pal/anna/", resp("/pal/anna/", "<d:resourcetype><d:collection/><d:principal/></d:resourcetype><c:calendar-home-set><d:href>http://internal:81/cal</d:href><d:href>/more/</d:href></c:calendar-home-set>"))
	return f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL })
}

func TestCollections(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	write := "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege><d:privilege><d:write-content/></d:privilege></d:current-user-privilege-set><d:owner><d:href>/pal/anna</d:href></d:owner>"
	f.on("PROPFIND /cal",
		resp("/cal/", isPlain),
		resp("/cal/team/", isCalendar+write+"<d:displayname> Work </d:displayname><i:calendar-color>#FF8000FF</i:calendar-color><i:calendar-order>2.0</i:calendar-order><c:calendar-description>D &amp; d</c:calendar-description>"+
			`<c:supported-calendar-component-set><c:comp name="VEVENT"/><c:comp name="VTODO"/></c:supported-calendar-component-set><c:calendar-timezone-id>Europe/Berlin</c:calendar-timezone-id>`+
			"<c:schedule-calendar-transp><c:transparent/></c:schedule-calendar-transp><s:getctag>17</s:getctag><d:sync-token>http://x/9</d:sync-token>"),
		resp("/cal/inbox/", "<d:resourcetype><d:collection/><c:schedule-inbox/></d:resourcetype><c:schedule-default-calendar-URL><d:href>/cal/team</d:href></c:schedule-default-calendar-URL>"),
		resp("/cal/outbox/", "<d:resourcetype><d:collection/><c:schedule-outbox/></d:resourcetype>"),
		resp("/cal/notify/", "<d:resourcetype><d:collection/><s:notification/></d:resourcetype>"),
		resp("/cal/holidays/", "<d:resourcetype><d:collection/><s:subscribed/></d:resourcetype><s:source><d:href>webcal://hol.test/de.ics</d:href></s:source>"+write),
		resp("/cal/birthdays/", isCalendar+"<i:calendar-color>lime</i:calendar-color><c:calendar-timezone>BEGIN:VCALENDAR</c:calendar-timezone><s:getctag>3</s:getctag><d:current-user-privilege-set><d:privilege><d:read/></d:privilege></d:current-user-privilege-set>"),
		resp("/cal/of-ben/", "<d:resourcetype><d:collection/><c:calendar/><s:shared/></d:resourcetype><d:owner><d:href>/pal/ben/</d:href></d:owner>"+"<d:displayname>Of Ben</d:displayname>"),
		resp("/cal/folder/", isPlain),
		resp("/cal/readme.txt", noType))
	f.on("PROPFIND /cal/folder/", resp("/cal/folder/", isPlain), resp("/cal/folder/Deep%20one/", isCalendar))
	st := f.home(t)
	all, errs, err := st.ObjectCollections(t.Context())
	if err != nil || len(errs) != 1 || model.CodeOf(errs[0]) != model.CodeGone || model.ClassOf(errs[0]) != model.ClassItem {
		t.Errorf("%v, %v", errs, err) // /more/ is not there
	}
	byID := map[string]model.ObjectCollection{}
	var ids []string
	for _, c := range all {
		byID[c.ID] = c
		ids = append(ids, c.ID)
	}
	if want := []string{"/cal/birthdays/", "/cal/folder/Deep%20one/", "/cal/holidays/", "/cal/team/"}; !slices.Equal(ids, want) {
		t.Errorf("%q, want %q", ids, want)
	}
	w := byID["/cal/team/"]
	if w.Path[0] != "Work" || w.Color != "#FF8000FF" || w.Order != 2 || w.Description != "D & d" || !slices.Equal(w.Components, []string{"VEVENT", "VTODO"}) || w.TimeZone != "Europe/Berlin" ||
		!w.Transparent || !w.Default || w.ReadOnly || w.Fingerprint != "sync:http://x/9" || w.Kind != model.KindCalendar {
		t.Errorf("work is %+v", w)
	}
	if b := byID["/cal/birthdays/"]; !b.ReadOnly || b.Color != "lime" || b.TimeZone != "BEGIN:VCALENDAR" || b.Fingerprint != "ctag:3" || b.Path[0] != "birthdays" || b.Default {
		t.Errorf("birthdays are %+v", b)
	}
	if h := byID["/cal/holidays/"]; h.Subscription != "webcal://hol.test/de.ics" {
		t.Errorf("holidays are %+v", h)
	} else if got := changes(t, st, h, ""); got != "listing, =" {
		t.Errorf("a subscription has %s", got)
	}
	if d := byID["/cal/folder/Deep%20one/"]; d.Path[0] != "Deep one" {
		t.Errorf("deep is %+v", d)
	}
	shared, err := st.SharedObjects(t.Context())
	if err != nil || len(shared) != 1 || shared[0].Owner != "ben" || shared[0].Path[0] != "Of Ben" {
		t.Errorf("shared: %+v, %v", shared, err)
	}
}

// What the server fails to look at is named: a calendar or folder that is missing
// for that is not gone.
func TestCollectionsThatAreNotTold(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	ill := "<d:response><d:href>/cal/ill/</d:href><d:status>HTTP/1.1 500 Internal Server Error</d:status></d:response>"
	f.on("PROPFIND /cal/", resp("/cal/", isPlain), resp("/cal/team/", isCalendar), ill,
		"<d:response><d:href>/cal/closed/</d:href><d:propstat><d:prop><d:resourcetype/></d:prop><d:status>HTTP/1.1 403 Forbidden</d:status></d:propstat></d:response>")
	for name, change := range map[string]func(*Options){"ill closed": nil, "ill": func(o *Options) { o.Calendars, o.Files = "", o.Calendars }} {
		all, errs, err := f.store(t, change).ObjectCollections(t.Context())
		var named []string
		for _, e := range errs {
			if model.ClassOf(e) == model.ClassItem {
				named = append(named, e.(*model.Fault).Collection)
			}
		}
		if err != nil || len(all) != 1 || strings.Join(named, " ") != name {
			t.Errorf("%+v, %v, %v, want %s", all, errs, err, name)
		}
	}
}

// opened is a store with a home, whose calendar work is to be scripted.
func (f *fake) opened(t *testing.T) *Store {
	t.Helper()
	f.on("PROPFIND /cal/", resp("/cal/", isPlain))
	return f.store(t, nil)
}

func etag(tag string) string { return "<d:getetag>" + tag + "</d:getetag>" }

func TestSync(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.opened(t)
	removed := "<d:response><d:href>/cal/team/gone.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
	f.do("REPORT /cal/team/", func(w http.ResponseWriter, body string, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		switch {
		case strings.Contains(body, ">http://x/1<"): // truncated (RFC 6578 §3.6)
			w.WriteHeader(http.StatusMultiStatus)
			_, _ = io.WriteString(w, `<d:multistatus xmlns:d="DAV:">`+resp("/cal/team/a.ics", etag(`W/&quot;1&quot;`))+removed+
				"<d:response><d:href>/cal/team/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response><d:sync-token>http://x/2</d:sync-token></d:multistatus>")
		case strings.Contains(body, ">http://x/2<"):
			w.WriteHeader(http.StatusMultiStatus)
			_, _ = io.WriteString(w, `<d:multistatus xmlns:d="DAV:">`+resp("/cal/team/b.ics", etag(`"2"`))+resp("/cal/team/", isPlain)+"<d:sync-token>http://x/3</d:sync-token></d:multistatus>")
		case strings.Contains(body, ">http://x/3<"): // nothing
			w.WriteHeader(http.StatusMultiStatus)
			_, _ = io.WriteString(w, `<d:multistatus xmlns:d="DAV:"><d:sync-token>http://x/3</d:sync-token></d:multistatus>`)
		case strings.Contains(body, ">http://x/brief<"): // its second page is refused
			w.WriteHeader(http.StatusMultiStatus)
			_, _ = io.WriteString(w, `<d:multistatus xmlns:d="DAV:">`+resp("/cal/team/a.ics", etag("1"))+removed+
				"<d:response><d:href>/cal/team/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response><d:sync-token>http://x/forgotten</d:sync-token></d:multistatus>")
		case strings.Contains(body, ">http://x/many<"): // several in one response (RFC 4918 §14.24)
			w.WriteHeader(http.StatusMultiStatus)
			_, _ = io.WriteString(w, `<d:multistatus xmlns:d="DAV:"><d:response><d:href>/cal/team/a.ics</d:href><d:href>/cal/team/b.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response><d:sync-token>http://x/3</d:sync-token></d:multistatus>`)
		case strings.Contains(body, ">http://x/loop<"):
			w.WriteHeader(http.StatusMultiStatus)
			_, _ = io.WriteString(w, `<d:multistatus xmlns:d="DAV:"><d:response><d:href>/cal/team/</d:href><d:status>HTTP/1.1 507 x</d:status></d:response><d:sync-token>http://x/loop</d:sync-token></d:multistatus>`)
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<?xml version="1.0"?><d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>`)
		}
	})
	f.on("PROPFIND /cal/team/", resp("/cal/team/", isCalendar+"<d:sync-token>http://x/9</d:sync-token>"), resp("/cal/team/c.ics", etag("3")))
	for since, want := range map[string]string{
		"sync:http://x/1":     "+/cal/team/a.ics 1, -/cal/team/gone.ics, +/cal/team/b.ics 2, =sync:http://x/3",
		"sync:http://x/3":     "=sync:http://x/3",
		"sync:http://x/old":   "listing, +/cal/team/c.ics 3, =sync:http://x/9",
		"sync:http://x/brief": "+/cal/team/a.ics 1, -/cal/team/gone.ics, listing, +/cal/team/c.ics 3, =sync:http://x/9",
		"sync:http://x/many":  "-/cal/team/a.ics, -/cal/team/b.ics, =sync:http://x/3",
		"sync:http://x/loop":  "error sync",
		"":                    "listing, +/cal/team/c.ics 3, =sync:http://x/9",
	} {
		if got := changes(t, st, work, since); got != want {
			t.Errorf("since %q: %s, want %s", since, got, want)
		}
	}
}

// A server with tokens lists everything by a sync; one that refuses that, or
// gives only a part, is asked by PROPFIND.
func TestInitialSync(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.opened(t)
	f.on("PROPFIND /cal/team/", resp("/cal/team/", isCalendar+"<d:sync-token>http://x/9</d:sync-token>"), resp("/cal/team/a.ics", etag("1")), resp("/cal/team/b.ics", etag("2")))
	c := work
	c.Fingerprint = "sync:http://x/9"
	truncated := "<d:response><d:href>/cal/team/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>"
	gone := "<d:response><d:href>/cal/team/old.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
	byPropfind := "+/cal/team/a.ics 1, +/cal/team/b.ics 2, =sync:http://x/9"
	for _, test := range []struct {
		answer []string
		want   string
	}{
		{[]string{resp("/cal/team/a.ics", etag("1")), gone, resp("/cal/team/b.ics", etag("2")), "<d:sync-token>http://x/8</d:sync-token>"}, "listing, +/cal/team/a.ics 1, +/cal/team/b.ics 2, =sync:http://x/8"},
		{[]string{resp("/cal/team/a.ics", etag("1"))}, "listing, +/cal/team/a.ics 1, " + byPropfind},
	} {
		f.on("REPORT /cal/team/", test.answer...)
		if got := changes(t, st, c, ""); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
	f.say("REPORT /cal/team/", http.StatusForbidden, "")
	if got := changes(t, st, c, "sync:http://x/3"); got != "listing, "+byPropfind {
		t.Errorf("refused: %s", got)
	}
	// A listing that is cut off is none, nor is a sync that is.
	f.on("REPORT /cal/team/", resp("/cal/team/a.ics", etag("1")), truncated, "<d:sync-token>http://x/5</d:sync-token>")
	if got := changes(t, st, c, ""); got != "listing, +/cal/team/a.ics 1, "+byPropfind {
		t.Errorf("a sync that is cut off: %s", got)
	}
	f.on("PROPFIND /cal/team/", resp("/cal/team/", isCalendar), resp("/cal/team/a.ics", etag("1")), truncated)
	if got := changes(t, st, work, ""); got != "listing, +/cal/team/a.ics 1, error truncated" {
		t.Errorf("cut off: %s", got)
	}
}

// Without tokens a ctag tells that nothing changed; without one all is listed.
func TestNoTokens(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.opened(t)
	f.on("PROPFIND /cal/team/", resp("/cal/team/", isCalendar+"<s:getctag>5</s:getctag>"), resp("b%20c.ics", "<d:getlastmodified>Tue, 03 Mar 2026 10:00:00 GMT</d:getlastmodified><d:getcontentlength>7</d:getcontentlength>"),
		"<d:response><d:href>/cal/team/secret.ics</d:href><d:status>HTTP/1.1 403 Forbidden</d:status></d:response>",
		"<d:response><d:href>/cal/team/gone.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>",
		"<d:response><d:href>/cal/team/ill.ics</d:href><d:status>HTTP/1.1 500 Internal Server Error</d:status></d:response>") // not gone: reading tells why
	full := "listing, +/cal/team/b%20c.ics 1772532000-7, +/cal/team/secret.ics , +/cal/team/ill.ics , =ctag:5"
	for since, want := range map[string]string{"ctag:5": "=ctag:5", "ctag:4": full, "sync:x": full, "junk": full} {
		if got := changes(t, st, work, since); got != want {
			t.Errorf("since %q: %s, want %s", since, got, want)
		}
	}
	f.on("PROPFIND /cal/team/", resp("/cal/team/", isCalendar))
	if got := changes(t, st, work, "ctag:5"); got != "listing, =" {
		t.Error(got)
	}
}

// What a server does against the rules is told, once.
func TestOddities(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.opened(t)
	f.on("PROPFIND /cal/team/", resp("/cal/team/", isCalendar), resp("/cal/team/a b.ics", etag("1")), resp("/cal/team/ö.ics", etag("2")), resp("/cal/team/fine%20one.ics", etag(`W/&quot;3&quot;`)), resp("/cal/team/new.ics", noType), resp("/cal/team/old/", isPlain))
	want := `Work: objects that are folders within a calendar or address book; what is in them is not read: 1, first "old"
Work: objects that have an address that is no URL (RFC 4918 §8.3); read at the one that was meant: 2, first "/cal/team/a b.ics"
Work: objects that have neither an entity tag nor a date of their last change; they are read in every run: 1, first "new.ics"
`
	for _, want := range []string{want, ""} {
		if want != "" {
			changes(t, st, work, "")
		}
		got := ""
		for _, d := range st.Damage() {
			got += d.Mailbox + ": " + d.Text + "\n"
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A file whose date cannot be read is told of.
func TestFileWithoutADate(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("PROPFIND /files/", resp("/files/", isPlain), resp("/files/a", noType+etag("1")+"<d:getlastmodified>yesterday</d:getlastmodified>"), resp("/files/b", noType+etag("1")))
	st := f.store(t, func(o *Options) { o.Calendars, o.Files = "", f.URL+"/files/" })
	changes(t, st, model.ObjectCollection{Kind: model.KindFiles, ID: "/files/"}, "")
	if got := st.Damage(); len(got) != 1 || got[0].Text != `objects that have a date of their last change that is none; they get no date: 1, first "a"` {
		t.Errorf("%+v", got)
	}
}

func TestMultiget(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.opened(t)
	data := func(text string) string { return "<c:calendar-data>" + text + "</c:calendar-data>" }
	f.on("REPORT /cal/team/",
		resp("http://other.test/cal/team/a%20b.ics", etag(`"1"`)+data("\n BEGIN:A\r\nX:&lt;\nEND:A\n")),
		resp("/cal/team/a b.ics", etag(`"1"`)+data("twice")),
		resp("/cal/team/stranger.ics", data("not asked for")),
		"<d:response><d:href>/cal/team/gone.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>",
		resp("/cal/team/nodata.ics", etag("2")))
	f.say("GET /cal/team/nodata.ics", http.StatusOK, "by GET")
	f.say("GET /cal/team/missing.ics", http.StatusOK, "by GET, too")
	f.say("GET /cal/team/locked.ics", http.StatusForbidden, "no")
	f.say("GET /cal/team/broken.ics", http.StatusInternalServerError, "oops")
	f.say("GET /cal/team/once%20encoded.ics", http.StatusOK, "spelt otherwise")
	got := read(t, st, work, "/cal/team/a%20b.ics", "/cal/team/gone.ics", "/cal/team/nodata.ics", "/cal/team/missing.ics", "/cal/team/locked.ics", "/cal/team/broken.ics", "/cal/team/once%2520encoded.ics")
	for id, want := range map[string]string{
		"/cal/team/a%20b.ics": "BEGIN:A\r\nX:<\r\nEND:A\r\n", "/cal/team/gone.ics": "fault 2 gone", "/cal/team/nodata.ics": "by GET", "/cal/team/missing.ics": "by GET, too",
		"/cal/team/locked.ics": "fault 2 forbidden", "/cal/team/broken.ics": "fault 2 ", "/cal/team/once%2520encoded.ics": "spelt otherwise"} {
		if got[id] != want {
			t.Errorf("%s gives %q, want %q", id, got[id], want)
		}
	}
}

// An object that is listed and not found is not taken for deleted, nor one of a
// server that does not tell; one that vanished is.
func TestListedButNotFound(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.opened(t)
	f.on("PROPFIND /cal/team/", resp("/cal/team/", isCalendar), resp("/cal/team/listed.ics", etag("1")))
	f.say("GET /cal/team/there.ics", http.StatusOK, "there")
	for propfind, want := range map[int]string{http.StatusMultiStatus: "fault 2 gone", http.StatusForbidden: "fault 2 notFound", http.StatusNotFound: "fault 2 gone"} {
		listed := "fault 2 notFound"
		if propfind != http.StatusMultiStatus {
			f.say("PROPFIND /cal/team/", propfind, "")
			listed = want
		}
		got := read(t, st, work, "/cal/team/listed.ics", "/cal/team/there.ics", "/cal/team/vanished.ics")
		if got["/cal/team/listed.ics"] != listed || got["/cal/team/there.ics"] != "there" || got["/cal/team/vanished.ics"] != want {
			t.Errorf("%d: %v", propfind, got)
		}
		f.on("PROPFIND /cal/team/", resp("/cal/team/", isCalendar), resp("/cal/team/listed.ics", etag("1")))
	}
}

// Multiget that is refused, or stops being XML: every object comes by GET.
func TestNoMultiget(t *testing.T) {
	t.Parallel()
	const head = `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">`
	for name, c := range map[string]struct {
		code    int
		text    string
		reports int
	}{
		"refused":           {http.StatusNotImplemented, "", 1},
		"control character": {http.StatusMultiStatus, head + resp("/cal/team/0.ics", "<c:calendar-data>BEGIN:A</c:calendar-data>") + resp("/cal/team/1.ics", "<c:calendar-data>a\x0bb</c:calendar-data>"), 2},
		"latin-1":           {http.StatusMultiStatus, head + resp("/cal/team/0.ics", "<c:calendar-data>a\xffb</c:calendar-data>"), 2},
		"empty":             {http.StatusMultiStatus, head + "</d:multistatus>", 2},
		"a web page":        {http.StatusOK, "<html>", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			st := f.opened(t)
			f.say("REPORT", c.code, c.text)
			f.say("GET", http.StatusOK, "by GET")
			for range 2 {
				got := read(t, st, work, "/cal/team/0.ics", "/cal/team/1.ics", "/cal/team/2.ics")
				if got["/cal/team/1.ics"] != "by GET" || got["/cal/team/2.ics"] != "by GET" {
					t.Errorf("%q", got)
				}
			}
			n := 0
			for _, r := range f.asked() {
				if strings.HasPrefix(r, "REPORT") {
					n++
				}
			}
			if n != c.reports && !(name == "a web page" && n == 1) {
				t.Errorf("%d reports", n)
			}
		})
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.home(t)
	ace := func(who, what, privileges string) string {
		return "<d:ace><d:principal>" + who + "</d:principal><d:" + what + ">" + privileges + "</d:" + what + "></d:ace>"
	}
	href := func(h string) string { return "<d:href>" + h + "</d:href>" }
	p := func(name string) string { return "<d:privilege><d:" + name + "/></d:privilege>" }
	f.on("PROPFIND /cal/team/", resp("/cal/team/", "<d:owner>"+href("/pal/anna/")+"</d:owner><d:acl>"+
		ace(href("/pal/anna"), "grant", p("all"))+ace("<d:property><d:owner/></d:property>", "grant", p("all"))+
		ace(href("/pal/ben/"), "grant", p("read"))+ace(href("/pal/ben/"), "grant", p("write"))+ace(href("/pal/ben/"), "deny", p("write"))+
		ace(href("http://internal/pal/cleo/"), "grant", p("read")+p("write-content"))+
		ace("<d:authenticated/>", "grant", "<d:privilege><c:read-free-busy/></d:privilege>")+"</d:acl>"+
		"<s:invite><s:organizer>"+href("/pal/anna/")+"</s:organizer>"+
		"<s:user>"+href("mailto:Dora@acme.test")+"<s:invite-accepted/><s:access><s:read-write/></s:access></s:user>"+
		"<s:user>"+href("mailto:emil@acme.test")+"<s:invite-declined/><s:access><s:read/></s:access></s:user>"+
		"<s:user>"+href("/pal/frieda/")+"<s:invite-noresponse/><s:access><s:read/></s:access></s:user></s:invite>"))
	f.on("PROPFIND /pal/ben/", resp("/pal/ben/", "<c:calendar-user-address-set>"+href("/pal/ben/")+href("mailto:ben@acme.test")+"</c:calendar-user-address-set>"))
	f.on("PROPFIND /pal/anna/calendar-proxy-write/", resp("/pal/anna/calendar-proxy-write/", "<d:group-member-set>"+href("/pal/gustav/")+"</d:group-member-set>"))
	for range 2 {
		got, err := st.ObjectRights(t.Context(), work)
		if err != nil {
			t.Fatal(err)
		}
		want := []model.ObjectGrant{{Identifier: "anyone", Rights: model.ObjectFreeBusy}, {Identifier: "ben@acme.test", Also: "ben", Rights: mayWrite},
			{Identifier: "ben@acme.test", Also: "ben", Rights: mayWrite &^ mayRead, Negative: true}, {Identifier: "cleo", Rights: mayWrite},
			{Identifier: "dora@acme.test", Rights: mayWrite}, {Identifier: "frieda", Rights: mayRead}, {Identifier: "gustav", Rights: mayWrite}}
		if !slices.Equal(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if n := strings.Count(strings.Join(f.asked(), " "), "/pal/ben/"); n != 1 {
		t.Errorf("ben was asked for %d times", n)
	}
}

// Folders deeper than is looked are named.
func TestDeepFolders(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	path := "/cal/"
	for range maxNested + 1 {
		f.on("PROPFIND "+path, resp(path, isPlain), resp(path+"d/", isPlain))
		path += "d/"
	}
	_, errs, err := f.store(t, nil).ObjectCollections(t.Context())
	if err != nil || len(errs) != 1 || model.CodeOf(errs[0]) != "depth" {
		t.Errorf("%v, %v", errs, err)
	}
}

// An account that the server knows nothing of is said to have nothing.
func TestNobody(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.store(t, func(o *Options) { o.Calendars, o.URL = "", f.URL })
	all, errs, err := st.ObjectCollections(t.Context())
	if err != nil || len(all) > 0 || len(errs) != 1 || model.CodeOf(errs[0]) != "noHome" {
		t.Errorf("%v, %v, %v", all, errs, err)
	}
}

func FuzzMultistatus(f *testing.F) {
	f.Add(`<d:multistatus xmlns:d="DAV:">` + resp("/a", etag("1")) + "<d:sync-token>x</d:sync-token></d:multistatus>")
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = newReader(strings.NewReader(text)).multistatus(func(r *response) error {
			if r.props == nil {
				t.Fatal("no properties")
			}
			return nil
		})
		challenges([]string{text})
		base := &url.URL{Scheme: "https", Host: "dav.test", Path: "/cal/"}
		u := resolveHref(base, text, func(*url.URL) bool { return false })
		if u.Host != base.Host || u.Scheme != base.Scheme {
			t.Fatalf("%q leads to %s", text, u)
		}
		if again := withPath(base, u.EscapedPath()); again.EscapedPath() != u.EscapedPath() {
			t.Fatalf("%q becomes %q", u.EscapedPath(), again.EscapedPath())
		}
	})
}
