package dav

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/source"
)

// Whatever is done, nothing is sent that could write.
func TestReadMethodsOnly(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("PROPFIND", resp("/cal/team/", isCalendar+"<d:sync-token>t1</d:sync-token>"), resp("/cal/team/a.ics", noType))
	f.on("REPORT", "<d:sync-token>t2</d:sync-token>")
	f.say("GET", http.StatusOK, "x")
	s := f.source(t, func(o *Options) { o.URL, o.Files = f.URL, f.URL+"/files/" })
	s.Check(t.Context())
	s.CheckAs(t.Context(), anna)
	st, err := s.open(t.Context(), anna)
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := st.ObjectCollections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		changes(t, st, c, "")
		changes(t, st, c, "sync:t1")
		_ = st.ReadObjects(t.Context(), c, []model.ObjectRef{{ID: "/cal/team/a.ics"}}, func(model.ObjectRef, *source.Content, error) error { return nil })
		_, _ = st.ObjectRights(t.Context(), c)
	}
	used := map[string]bool{}
	for _, r := range f.asked() {
		method, _, _ := strings.Cut(r, " ")
		used[method] = true
		if !slices.Contains([]string{"OPTIONS", "PROPFIND", "REPORT", "GET", "HEAD"}, method) {
			t.Errorf("%s was sent", r)
		}
	}
	if len(used) < 4 {
		t.Errorf("only %v were sent", used)
	}
	before := len(f.asked())
	for _, method := range []string{"PUT", "POST", "DELETE", "MKCOL", "MKCALENDAR", "PROPPATCH", "MOVE", "COPY", "LOCK", "UNLOCK", "ACL", "PATCH"} {
		u, _ := url.Parse(f.URL + "/cal/")
		if _, err := st.c.do(t.Context(), request{method: method, url: u}); err == nil {
			t.Errorf("%s is permitted", method)
		}
	}
	if len(f.asked()) != before {
		t.Errorf("sent: %v", f.asked()[before:])
	}
}

func TestHrefs(t *testing.T) {
	t.Parallel()
	base, _ := url.Parse("https://dav.test/dav/anna/cal/")
	trusted := func(u *url.URL) bool { return u.Host == "second.test" }
	for href, want := range map[string]string{
		"/dav/anna/cal/a.ics":           "https://dav.test/dav/anna/cal/a.ics",
		" /dav/anna/cal/a.ics\n":        "https://dav.test/dav/anna/cal/a.ics",
		"a.ics":                         "https://dav.test/dav/anna/cal/a.ics",
		"./a.ics":                       "https://dav.test/dav/anna/cal/a.ics",
		"https://dav.test/x/a.ics":      "https://dav.test/x/a.ics",
		"http://localhost:5232/x/a.ics": "https://dav.test/x/a.ics", // behind a proxy
		"https://evil.test/x":           "https://dav.test/x",
		"//evil.test/x":                 "https://dav.test/x",
		"https://second.test/x":         "https://second.test/x",
		"https://second.test":           "https://second.test/",
		"/x/with space.ics":             "https://dav.test/x/with%20space.ics",
		"/x/Größe.ics":                  "https://dav.test/x/Gr%C3%B6%C3%9Fe.ics",
		"/x/100%.ics":                   "https://dav.test/x/100%25.ics",
		"/x/%2520.ics":                  "https://dav.test/x/%2520.ics",
		"/x/a#b?c.ics":                  "https://dav.test/x/a%23b%3Fc.ics",
		"/x/a%40b@c.ics":                "https://dav.test/x/a%40b@c.ics",
		"/x/a:b.ics":                    "https://dav.test/x/a:b.ics",
		"/x/%E4.ics":                    "https://dav.test/x/%E4.ics", // Latin-1
		"http%3A//127.0.0.1%3A18745/anna/calendars/a.ics": "https://dav.test/anna/calendars/a.ics",
		"uid:with:colons.ics":                             "https://dav.test/dav/anna/cal/uid:with:colons.ics",
		"https://dav.test:443@evil.test/x":                "https://dav.test/x",
		"/x/../../etc":                                    "https://dav.test/x/../../etc",
	} {
		if got := resolveHref(base, href, trusted).String(); got != want {
			t.Errorf("%q leads to %s, want %s", href, got, want)
		}
	}
	for _, pair := range [][2]string{{"/a/b@c/", "a/b%40c"}, {"/a//b", "/a/b/"}, {"/a/%c3%b6", "/a/ö"}} {
		if pathKey(pair[0]) != pathKey(pair[1]) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
	if pathKey("/a%2Fb") == pathKey("/a/b") {
		t.Error("an encoded slash is a slash")
	}
}

// What is no answer of WebDAV is an error, whatever it is, and soon.
func TestHostileXML(t *testing.T) {
	t.Parallel()
	const open = `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">`
	for name, text := range map[string]string{
		"entity":         `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><d:multistatus xmlns:d="DAV:"><d:response><d:href>&a;</d:href></d:response></d:multistatus>`,
		"external":       `<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><d:multistatus xmlns:d="DAV:"/>`,
		"unknown entity": open + "<d:response><d:href>&bomb;</d:href></d:response></d:multistatus>",
		"deep":           open + "<d:response>" + strings.Repeat("<d:a>", 100_000),
		"wide":           open + "<d:response>" + strings.Repeat("<d:a/>", 100_000) + "</d:response></d:multistatus>",
		"HTML":           `<?xml version="1.0"?><html><body>login</body></html>`,
		"cut":            open + "<d:response><d:href>/cal/",
		"nothing":        `<?xml version="1.0"?>`,
		"charset":        `<?xml version="1.0" encoding="klingon"?><d:multistatus xmlns:d="DAV:"/>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.on("PROPFIND /cal/", resp("/cal/", isPlain))
			st := f.store(t, nil)
			f.say("PROPFIND", http.StatusMultiStatus, text)
			if got := changes(t, st, work, ""); !strings.Contains(got, "error") || strings.Contains(got, "+") {
				t.Errorf("%s", got)
			}
		})
	}
}

// A huge response is cut off before it fills the memory.
func TestHugeResponse(t *testing.T) {
	t.Parallel()
	r := newReader(io.MultiReader(strings.NewReader(`<d:multistatus xmlns:d="DAV:"><d:response><d:href>`), endless{}))
	_, err := r.multistatus(func(*response) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "MiB") {
		t.Errorf("%v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// An answer in another encoding, and a control character in a name.
func TestOddXML(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.say("PROPFIND", http.StatusMultiStatus, `<?xml version="1.0" encoding="iso-8859-1"?><multistatus xmlns="DAV:"><response><href>/cal/team/</href><propstat><prop><resourcetype><collection/><calendar xmlns="urn:ietf:params:xml:ns:caldav"/></resourcetype><displayname>Gr`+"\xf6\xdf\x0be"+`</displayname></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`)
	all, errs, err := f.store(t, nil).ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 || len(all) != 1 || all[0].Path[0] != "Größ e" {
		t.Errorf("%+v, %v, %v", all, errs, err)
	}
}

// A name that no XML may hold hides no other: it is mended, and its object is
// found.
func TestNamesThatAreNoXML(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ written, want, path string }{
		"Latin-1":          {"Gr\xf6\xdfe", "Größe", "Gr%F6%DFe"},
		"UTF-8":            {"Größe", "Größe", "Gr%C3%B6%C3%9Fe"},
		"control":          {"a&#8;b", "a b", "a%20b"},
		"hexadecimal":      {"a&#x1F;b", "a b", "a%20b"},
		"legal":            {"a&#x26;b &#228; &lt;", "a&b ä <", "a&b%20%C3%A4%20<"},
		"bare and":         {"R & D&E", "R & D&E", "R%20&%20D&E"},
		"HTML":             {"a&nbsp;&uuml;", "a\u00a0ü", "a%C2%A0%C3%BC"},
		"no character":     {"a\xef\xbf\xbeb", "a\ufffdb", "a%EF%BF%BDb"},
		"within CDATA":     {"<![CDATA[a & b]] &#8; c]]>", "a & b]] &#8; c", "a%20&%20b]]%20&%238;%20c"},
		"reference at end": {"a&", "a&", "a&"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			const head = `<?xml version="1.0" encoding="utf-8"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">`
			f.say("PROPFIND /cal/", http.StatusMultiStatus, head+resp("/cal/", isPlain)+resp("/cal/team/", isCalendar+"<d:displayname>"+c.written+"</d:displayname>")+"</d:multistatus>")
			f.say("PROPFIND /cal/team/", http.StatusMultiStatus, head+resp("/cal/team/", isCalendar)+resp("/cal/team/"+c.written, etag("1"))+resp("/cal/team/z.ics", etag("2"))+"</d:multistatus>")
			st := f.store(t, nil)
			all, errs, err := st.ObjectCollections(t.Context())
			if err != nil || len(errs) > 0 || len(all) != 1 || all[0].Path[0] != c.want {
				t.Fatalf("%+v, %v, %v", all, errs, err)
			}
			path, err := url.PathUnescape(c.path)
			if err != nil {
				t.Fatal(err)
			}
			f.say("GET "+(&url.URL{Path: "/cal/team/" + path}).EscapedPath(), http.StatusOK, "found")
			f.say("GET /cal/team/"+c.path, http.StatusOK, "found")
			id := ""
			for ch, err := range st.ObjectChanges(t.Context(), work, "") {
				if err != nil {
					t.Fatal(err)
				}
				if ch.Object.Version == "1" {
					id = ch.Object.ID
				}
			}
			if got := read(t, st, work, id)[id]; got != "found" {
				t.Errorf("%s gives %q", id, got)
			}
		})
	}
}

// A server that is busy is asked again, one that is gone stops the account,
// and the third account the run.
func TestBusyServer(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var asked atomic.Int32
	f.do("PROPFIND", func(w http.ResponseWriter, _ string, r *http.Request) {
		n := asked.Add(1)
		if n < 3 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if n == 3 { // the line breaks
			c, _, _ := w.(http.Hijacker).Hijack()
			c.Close()
			return
		}
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, `<multistatus xmlns="DAV:"><response><href>/cal/</href></response></multistatus>`)
	})
	f.do("PROPFIND", func(next func(http.ResponseWriter, string, *http.Request)) func(http.ResponseWriter, string, *http.Request) {
		return func(w http.ResponseWriter, b string, r *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			next(w, b, r)
		}
	}(f.answers["PROPFIND"]))
	if _, err := f.source(t, nil).Open(t.Context(), anna); err != nil || asked.Load() != 4 {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
	s := f.source(t, func(o *Options) {
		o.Sleep = func(d time.Duration) <-chan time.Time {
			t.Errorf("waits %v for a port that is closed", d)
			return time.After(0)
		}
	})
	f.Close()
	for i, want := range []model.Class{model.ClassAccount, model.ClassAccount, model.ClassFatal} {
		if _, err := s.Open(t.Context(), anna); model.CodeOf(err) != model.CodeUnreachable || model.ClassOf(err) != want {
			t.Errorf("account %d: %v", i, err)
		}
	}
}

// The connection breaks in the middle of a listing: nothing is missing.
func TestBrokenListing(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("PROPFIND /cal/", resp("/cal/", isPlain))
	st := f.store(t, nil)
	var asked atomic.Int32
	f.do("PROPFIND /cal/team/", func(w http.ResponseWriter, _ string, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		var b strings.Builder
		b.WriteString(`<d:multistatus xmlns:d="DAV:">`)
		for i := range 50 {
			b.WriteString(resp(fmt.Sprintf("/cal/team/%02d.ics", i), "<d:getetag>\"e\"</d:getetag>"))
		}
		b.WriteString("</d:multistatus>")
		w.Header().Set("Content-Length", fmt.Sprint(b.Len()))
		w.WriteHeader(http.StatusMultiStatus)
		text := b.String()
		if asked.Add(1) == 2 {
			text = text[:len(text)/2]
		}
		_, _ = io.WriteString(w, text)
	})
	got := changes(t, st, work, "")
	for i := range 50 {
		if !strings.Contains(got, fmt.Sprintf("+/cal/team/%02d.ics e", i)) {
			t.Errorf("%d is missing", i)
		}
	}
	if strings.Count(got, "listing") != 1 || strings.Contains(got, "error") || asked.Load() != 3 {
		t.Errorf("%d requests: %s", asked.Load(), got)
	}
}

// A large file goes on where the connection broke, if it is still the same.
func TestBrokenFile(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789abcdef", 100_000)
	for _, changed := range []bool{false, true} {
		f := newFake(t)
		f.on("PROPFIND", resp("/files/", isPlain))
		var resumed atomic.Int32
		f.do("GET /files/a", func(w http.ResponseWriter, _ string, r *http.Request) {
			from := 0
			w.Header().Set("ETag", `"1"`)
			if rng := r.Header.Get("Range"); rng != "" {
				resumed.Add(1)
				if changed {
					w.Header().Set("ETag", `"2"`)
				} else {
					fmt.Sscanf(rng, "bytes=%d-", &from)
					w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(text)-1, len(text)))
				}
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(text)-from))
			if from > 0 {
				w.WriteHeader(http.StatusPartialContent)
			}
			end := len(text)
			if resumed.Load() < 2 {
				end = min(from+600_000, end)
			}
			_, _ = io.WriteString(w, text[from:end])
		})
		st := f.store(t, func(o *Options) { o.Calendars, o.Files = "", f.URL+"/files/" })
		c := model.ObjectCollection{Kind: model.KindFiles, ID: "/files/"}
		var got []byte
		var broken error
		err := st.ReadObjects(t.Context(), c, []model.ObjectRef{{ID: "/files/a"}}, func(_ model.ObjectRef, body *source.Content, err error) error {
			if err == nil {
				got, broken = io.ReadAll(body)
			}
			return err
		})
		switch {
		case err != nil:
			t.Error(err)
		case changed && model.ClassOf(broken) != model.ClassRetry:
			t.Errorf("a file that changed meanwhile ends with %v", broken)
		case !changed && (broken != nil || string(got) != text || resumed.Load() != 2):
			t.Errorf("%v, %d octets of %d, resumed %d times", broken, len(got), len(text), resumed.Load())
		}
	}
}

// A server that is being restarted when a run begins is waited for, as long as the
// patience lasts; that another one answers meanwhile does not begin it anew.
func TestServerThatComesBack(t *testing.T) {
	t.Parallel()
	other := newFake(t)
	other.on("PROPFIND", resp("/cal/", isPlain))
	f := newFake(t)
	f.on("PROPFIND", resp("/cal/", isPlain))
	address := strings.TrimPrefix(f.URL, "http://")
	f.Close()
	now := time.Date(2026, 11, 26, 20, 0, 0, 0, time.UTC)
	var said []string
	s, err := New(Options{Calendars: "http://" + address + "/cal/", Contacts: other.URL + "/cal/", Insecure: true,
		Server: &reach.Server{Patience: time.Minute, Now: func() time.Time { return now }, Say: func(text string) { said = append(said, text) }}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.opts.Sleep = func(d time.Duration) <-chan time.Time {
		if d > reach.ReturnWait {
			t.Errorf("waits %v", d)
		}
		now = now.Add(d)
		s.server.Met() // as another server does
		s.host(origin(mustURL(t, other.URL))).Met()
		return soon(d)
	}
	begun := now
	if _, err := s.Open(t.Context(), anna); model.CodeOf(err) != model.CodeUnreachable || now.Sub(begun) < time.Minute || now.Sub(begun) > 70*time.Second || !strings.Contains(err.Error(), "it was waited for 1m") {
		t.Errorf("a server that stays away: %v after %v", err, now.Sub(begun))
	}
	// The next account does not wait anew.
	begun = now
	if _, err := s.Open(t.Context(), anna); model.CodeOf(err) != model.CodeUnreachable || now.Sub(begun) > 10*time.Second {
		t.Errorf("the next account: %v after %v", err, now.Sub(begun))
	}
	if len(said) != 1 || !strings.Contains(said[0], address+" cannot be reached") {
		t.Errorf("%q", said)
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
