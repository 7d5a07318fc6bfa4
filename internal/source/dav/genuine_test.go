package dav

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// readFiles returns what comes of each file by its name: its text, or a fault's
// code. A stream may turn out to be none of the file's when it ends.
func readFiles(t *testing.T, st *Store, c model.ObjectCollection, refs ...model.ObjectRef) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := st.ReadObjects(t.Context(), c, refs, func(r model.ObjectRef, body *source.Content, err error) error {
		var text []byte
		if err == nil {
			text, err = io.ReadAll(body)
		}
		out[lastSegment(r.ID)] = string(text) + " " + r.Version
		if err != nil {
			t.Log(err)
			out[lastSegment(r.ID)] = fmt.Sprintf("fault %d %s", model.ClassOf(err), model.CodeOf(err))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return out
}

// What comes in place of a file is told from it by what the server says of it.
func TestWhatIsNotTheFile(t *testing.T) {
	t.Parallel()
	const refused = "fault 2 " + CodeNotTheFile
	length := func(n int) string { return fmt.Sprintf("<d:getcontentlength>%d</d:getcontentlength>", n) }
	const monday, tuesday = "Mon, 02 Mar 2026 10:00:00 GMT", "Tue, 03 Mar 2026 10:00:00 GMT"
	since := func(at string) string { return "<d:getlastmodified>" + at + "</d:getlastmodified>" }
	media := func(m string) string { return "<d:getcontenttype>" + m + "</d:getcontenttype>" }
	for name, c := range map[string]struct {
		version string // that was listed
		told    string // of it now
		head    map[string]string
		text    string
		want    string
		asks    int // how often it was looked up
	}{
		"as listed":              {"1", "", map[string]string{"ETag": `W/"1"`}, "text", "text 1", 0},
		"as listed, by its date": {"1772445600-4", "", map[string]string{"Last-Modified": monday}, "text", "text 1772445600-4", 0},
		"a login page":           {"1", etag("1") + length(2000) + media("application/pdf"), map[string]string{"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "s=1"}, "<html>log in", refused, strangers},
		"one of as many octets":  {"1", etag("1") + length(4) + media("application/pdf"), map[string]string{"Content-Type": "text/html"}, "<p/>", refused, strangers},
		"one of a file of which only the name is told": {"", "", map[string]string{"Content-Type": "text/html"}, "<html>", refused, strangers},
		"changed meanwhile":                            {"1", etag("2") + length(3), map[string]string{"ETag": `"2"`}, "new", "new 2", 1},
		"fewer octets":                                 {"1", etag("1") + length(2000), map[string]string{"ETag": `"2"`}, "half", refused, strangers},
		"another entity tag":                           {"1", etag("1") + length(4), map[string]string{"ETag": `"2"`}, "text", refused, strangers},
		"another entity tag, but all else is the same": {"1", etag("1") + length(4) + since(monday), map[string]string{"ETag": `"1pub"`, "Last-Modified": monday}, "text", "text 1", 1},
		"another entity tag and date":                  {"1", etag("1") + length(4) + since(monday), map[string]string{"ETag": `"1pub"`, "Last-Modified": tuesday}, "text", refused, strangers},
		"given without an entity tag":                  {"1", etag("1") + length(4), nil, "text", "text 1", 1},
		"a web page that is the file":                  {"1", etag("1") + length(6) + media("text/html"), map[string]string{"Content-Type": "text/html"}, "<html>", "<html> 1", 1},
		"nothing is told":                              {"", "", map[string]string{"Content-Type": "application/pdf"}, "text", "text ", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []string{"small", "streamed"} {
				f := newFake(t)
				f.on("PROPFIND /files/", resp("/files/", isPlain))
				f.on("PROPFIND /files/a.pdf", resp("/files/a.pdf", noType+c.told))
				f.do("GET /files/a.pdf", func(w http.ResponseWriter, _ string, r *http.Request) {
					w.Header().Set("Content-Type", "application/pdf")
					for k, v := range c.head {
						w.Header().Set(k, v)
					}
					w.Header().Set("Content-Length", fmt.Sprint(len(c.text)))
					_, _ = io.WriteString(w, c.text)
				})
				st := f.store(t, func(o *Options) { o.Calendars, o.Files = "", f.URL+"/files/" })
				refs := []model.ObjectRef{{ID: "/files/a.pdf", Version: c.version}}
				if size == "small" { // one alone is streamed
					f.say("GET /files/b", http.StatusOK, "b")
					f.on("PROPFIND /files/b", resp("/files/b", noType))
					refs = append(refs, model.ObjectRef{ID: "/files/b"})
				}
				if got := readFiles(t, st, model.ObjectCollection{Kind: model.KindFiles, ID: "/files/"}, refs...)["a.pdf"]; got != c.want {
					t.Errorf("%s: %q, want %q", size, got, c.want)
				}
				if n := strings.Count(strings.Join(f.asked(), " "), "PROPFIND /files/a.pdf"); n != c.asks {
					t.Errorf("%s: looked up %d times, want %d", size, n, c.asks)
				}
			}
		})
	}
}

// An answer that ends with its connection may be half of the file, whatever its
// entity tag is.
func TestHalfAFile(t *testing.T) {
	t.Parallel()
	for _, size := range []string{"small", "streamed"} {
		f := newFake(t)
		f.on("PROPFIND /files/", resp("/files/", isPlain))
		f.on("PROPFIND /files/a", resp("/files/a", noType+etag("1")+"<d:getcontentlength>8</d:getcontentlength>"))
		f.do("GET /files/a", func(w http.ResponseWriter, _ string, r *http.Request) {
			conn, b, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = b.WriteString("HTTP/1.0 200 OK\r\nETag: \"1\"\r\nConnection: close\r\n\r\nhalf")
			_ = b.Flush()
			conn.Close()
		})
		st := f.store(t, func(o *Options) { o.Calendars, o.Files = "", f.URL+"/files/" })
		refs := []model.ObjectRef{{ID: "/files/a", Version: "1"}}
		if size == "small" {
			f.say("GET /files/b", http.StatusOK, "b")
			f.on("PROPFIND /files/b", resp("/files/b", noType))
			refs = append(refs, model.ObjectRef{ID: "/files/b"})
		}
		if got := readFiles(t, st, model.ObjectCollection{Kind: model.KindFiles, ID: "/files/"}, refs...)["a"]; got != "fault 2 "+CodeNotTheFile {
			t.Errorf("%s: %q", size, got)
		}
	}
}

// In place of an event or card a page shows at once.
func TestLoginPageInPlaceOfAnEvent(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	st := f.opened(t)
	f.say("REPORT", http.StatusNotImplemented, "")
	page := func(text string) func(http.ResponseWriter, string, *http.Request) {
		return func(w http.ResponseWriter, _ string, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, text)
		}
	}
	f.do("GET /cal/team/a.ics", page("<html>Please <b>log in</b>"))
	f.do("GET /cal/team/b.ics", page("BEGIN:VCALENDAR")) // of a server that knows no better type
	f.say("GET /cal/team/c.ics", http.StatusOK, "BEGIN:VCALENDAR")
	got := read(t, st, work, "/cal/team/a.ics", "/cal/team/b.ics", "/cal/team/c.ics")
	if got["/cal/team/a.ics"] != "fault 2 "+CodeNotTheFile || got["/cal/team/b.ics"] != "BEGIN:VCALENDAR" || got["/cal/team/c.ics"] != "BEGIN:VCALENDAR" {
		t.Errorf("%q", got)
	}
	if got := read(t, st, work, "/cal/team/a.ics"); got["/cal/team/a.ics"] != "fault 2 "+CodeNotTheFile {
		t.Errorf("alone: %q", got)
	}
}

// A real Apache behind a proxy that forgets its login for some files.
func TestLoginPageInPlaceOfFiles(t *testing.T) {
	t.Parallel()
	a := lab.StartApache(t, lab.DAVUser{Name: "anna", Password: "secret"})
	folder := filepath.Join(a.Folder, "anna")
	long := strings.Repeat("0123456789abcdef", 40_000) // is streamed
	for name, text := range map[string]string{"plan.txt": "the plan", "page.html": "<html>mine</html>", "long.bin": long, "locked.pdf": "%PDF", "locked.html": "<html>mine, too</html>", "locked.bin": long, "changed.txt": "old", "none": ""} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	to, _ := url.Parse(a.URL)
	behind := httputil.NewSingleHostReverseProxy(to)
	var mu sync.Mutex
	asked := map[string]int{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.Method+" "+lastSegment(r.URL.EscapedPath())]++
		mu.Unlock()
		switch {
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/locked."):
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.Path), http.StatusFound)
		case r.URL.Path == "/login":
			w.Header().Set("Set-Cookie", "session=1")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<html><form>log in</form></html>")
		default:
			behind.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(proxy.Close)
	s, err := New(Options{Files: proxy.URL + "/basic/{user}/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	st, err := s.open(t.Context(), model.Account{Login: "anna", Secret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	all, errs, err := st.ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 || len(all) != 1 {
		t.Fatal(all, errs, err)
	}
	var refs []model.ObjectRef
	for ch, err := range st.ObjectChanges(t.Context(), all[0], "") {
		if err != nil {
			t.Fatal(err)
		}
		if ch.Op == model.OpUpsert {
			refs = append(refs, ch.Object.ObjectRef)
		}
	}
	later := time.Now().Add(time.Hour)
	if err := os.WriteFile(filepath.Join(folder, "changed.txt"), []byte("new, and longer"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(folder, "changed.txt"), later, later); err != nil {
		t.Fatal(err)
	}
	got := readFiles(t, st, all[0], refs...)
	for name, want := range map[string]string{"plan.txt": "the plan", "page.html": "<html>mine</html>", "long.bin": long, "changed.txt": "new, and longer", "none": "",
		"locked.pdf": "fault 2 " + CodeNotTheFile, "locked.html": "fault 2 " + CodeNotTheFile, "locked.bin": "fault 2 " + CodeNotTheFile} {
		if text := got[name]; text != want && !strings.HasPrefix(text, want+" ") {
			t.Errorf("%s gives %.80q, want %.80q", name, text, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, name := range []string{"plan.txt", "page.html", "long.bin", "none"} {
		if n := asked["PROPFIND "+name]; n != 0 {
			t.Errorf("%s was looked up %d times", name, n)
		}
	}
}
