package groupware_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

func cut(w http.ResponseWriter) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}

// An object over which the server cuts the connection, or answers no request as
// a whole, in whatever request it travels, is left behind by name; all others
// arrive.
func TestPoison(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		testPoison(t, s, "poison-cut", cut)
		for _, status := range []int{400, 413, 500} {
			testPoison(t, s, fmt.Sprint("poison-", status), func(w http.ResponseWriter) { http.Error(w, "no", status) })
		}
	})
}

// through has the account reached through something that sees every request first,
// and passes on what it returns as the body; nil: it has answered itself.
func (e *env) through(see func(w http.ResponseWriter, r *http.Request, body []byte) []byte) {
	e.t.Helper()
	target, err := url.Parse(e.s.url)
	if err != nil {
		e.t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	direct := pass.Director
	pass.Director = func(r *http.Request) { direct(r); r.Host = target.Host }
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if body = see(w, r, body); body == nil {
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		pass.ServeHTTP(w, r)
	}))
	e.t.Cleanup(front.Close)
	d, err := stalwart.Dial(e.t.Context(), stalwart.Config{URL: front.URL, User: "migrator@" + e.s.domain, Password: migratorPassword,
		Retry: jmap.Retry{Min: time.Millisecond, Max: 5 * time.Millisecond}})
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { d.Close() })
	if e.dst, err = d.Open(e.t.Context(), e.name+"@"+e.s.domain); err != nil {
		e.t.Fatal(err)
	}
}

func testPoison(t *testing.T, s *server, name string, fail func(http.ResponseWriter)) {
	e := newEnv(t, s, name)
	var puts atomic.Int64
	e.through(func(w http.ResponseWriter, r *http.Request, body []byte) []byte {
		if r.Method == http.MethodPut {
			puts.Add(1)
		}
		if bytes.Contains(body, []byte("POISON")) {
			fail(w)
			return nil
		}
		return body
	})
	e.src.PutCollection(name, calendar("home", "Home"))
	e.src.PutCollection(name, model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	e.src.PutCollection(name, model.ObjectCollection{Kind: model.KindFiles, ID: "docs", Path: []string{"Docs"}})
	const n, bad = 90, 37
	for i := range n {
		text := "Fine"
		if i == bad {
			text = "POISON"
		}
		e.src.PutObject(name, model.KindCalendar, "home", fmt.Sprint(i, ".ics"), ics(fmt.Sprint("event-", i), text))
		e.src.PutObject(name, model.KindContacts, "book", fmt.Sprint(i, ".vcf"), vcf(fmt.Sprint("card-", i), text))
		e.src.PutObject(name, model.KindFiles, "docs", fmt.Sprint(i, ".txt"), fmt.Sprint(text, " ", i))
	}
	var told string // by the first run
	for range 2 {
		res := e.must()
		told += strings.Join(e.notes, "\n")
		if res.Calendar.Refused != 1 || res.Contacts.Refused != 1 || res.Files.Refused != 1 {
			t.Errorf("%s: %+v; %s", name, res, strings.Join(e.notes, "\n"))
		}
	}
	// Nearly all went in bulk: halves of 11 at most went one by one.
	if got := puts.Load(); got == 0 || got > n/2 {
		t.Errorf("%s: %d objects went by DAV", name, got)
	}
	for _, at := range []struct {
		in  destination.ObjectCollection
		bad string
	}{
		{e.collections(model.KindCalendar)["Home"], fmt.Sprint("event-", bad)},
		{e.collections(model.KindContacts)["Book"], fmt.Sprint("card-", bad)},
		{e.collections(model.KindFiles)["Docs"], fmt.Sprint(bad, ".txt")},
	} {
		texts := e.texts(at.in)
		if _, there := texts[at.bad]; len(texts) != n-1 || there {
			t.Errorf("%s: %d objects: %s", name, len(texts), keys(texts))
		}
		if !strings.Contains(told, at.bad) {
			t.Errorf("%s: no note names %s: %s", name, at.bad, told)
		}
	}
}

// A change of an object over which the server cuts the connection, or answers
// nothing, stays behind by name, and what the destination had stays; all other
// changes arrive.
func TestPoisonedUpdate(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		testPoisonedUpdate(t, s, "changed-cut", cut)
		testPoisonedUpdate(t, s, "changed-500", func(w http.ResponseWriter) { http.Error(w, "no", 500) })
	})
}

func testPoisonedUpdate(t *testing.T, s *server, name string, fail func(http.ResponseWriter)) {
	e := newEnv(t, s, name)
	e.src.PutCollection(name, calendar("home", "Home"))
	e.src.PutCollection(name, model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	e.src.PutCollection(name, model.ObjectCollection{Kind: model.KindFiles, ID: "docs", Path: []string{"Docs"}})
	const n, bad = 14, 9
	put := func(text func(i int) string) {
		for i := range n {
			e.src.PutObject(name, model.KindCalendar, "home", fmt.Sprint(i, ".ics"), ics(fmt.Sprint("event-", i), text(i)))
			e.src.PutObject(name, model.KindContacts, "book", fmt.Sprint(i, ".vcf"), vcf(fmt.Sprint("card-", i), text(i)))
			e.src.PutObject(name, model.KindFiles, "docs", fmt.Sprint(i, ".txt"), fmt.Sprint(text(i), " ", i))
		}
	}
	put(func(int) string { return "First" })
	e.must()
	e.through(func(w http.ResponseWriter, r *http.Request, body []byte) []byte {
		if bytes.Contains(body, []byte("POISON")) {
			fail(w)
			return nil
		}
		return body
	})
	put(func(i int) string {
		if i == bad {
			return "POISON"
		}
		return "Second"
	})
	res := e.must()
	told := strings.Join(e.notes, "\n")
	for _, at := range []struct {
		in   destination.ObjectCollection
		name string
	}{
		{e.collections(model.KindCalendar)["Home"], "event-%d"},
		{e.collections(model.KindContacts)["Book"], "card-%d"},
		{e.collections(model.KindFiles)["Docs"], "%d.txt"},
	} {
		if got := res.Of(at.in.Kind); got.Changed != n-1 || got.Kept != 1 {
			t.Errorf("%s: %+v; %s", name, res, told)
		}
		if uid := fmt.Sprintf(at.name, bad); !strings.Contains(told, "|"+uid+"|"+groupware.NoteRefused) {
			t.Errorf("%s: no note names %s: %s", name, uid, told)
		}
		e.wantAllBut(at.in, at.name, n, bad, "Second", "First")
	}
	e.unchanged()
}

// wantAllBut checks that n objects of a collection, whose UIDs are uid filled with
// their numbers, say what is wanted, and that one says what was left.
func (e *env) wantAllBut(in destination.ObjectCollection, uid string, n, one int, wanted, left string) {
	e.t.Helper()
	texts := e.texts(in)
	for i := range n {
		uid, want := fmt.Sprintf(uid, i), wanted
		if i == one {
			want = left
		}
		if !strings.Contains(texts[uid], want) {
			e.t.Errorf("%s: %s is %q, want %s", e.name, uid, texts[uid], want)
		}
	}
}

// What the destination has made of new objects is wrong, and their text is to follow.
// Over that of one the server cuts the connection, or answers nothing: it is left as
// it was stored, by name, and all others get theirs.
func TestPoisonedRewrite(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		testPoisonedRewrite(t, s, "rewritten-cut", cut)
		testPoisonedRewrite(t, s, "rewritten-500", func(w http.ResponseWriter) { http.Error(w, "no", 500) })
	})
}

func testPoisonedRewrite(t *testing.T, s *server, name string, fail func(http.ResponseWriter)) {
	e := newEnv(t, s, name)
	var garbled, poisoned, healed atomic.Int64
	e.through(func(w http.ResponseWriter, r *http.Request, body []byte) []byte {
		switch {
		case r.Method != http.MethodPut:
			if bytes.Contains(body, []byte("Honest")) { // what goes in bulk is converted wrongly
				garbled.Add(1)
				body = bytes.ReplaceAll(body, []byte("Honest"), []byte("Garbled"))
			}
		case bytes.Contains(body, []byte("POISON")):
			poisoned.Add(1)
			fail(w)
			return nil
		default:
			healed.Add(1)
		}
		return body
	})
	e.src.PutCollection(name, calendar("home", "Home"))
	e.src.PutCollection(name, model.ObjectCollection{Kind: model.KindContacts, ID: "book", Path: []string{"Book"}})
	const n, bad = 30, 17
	for i := range n {
		text := "Fine"
		if i == bad {
			text = "POISON"
		}
		e.src.PutObject(name, model.KindCalendar, "home", fmt.Sprint(i, ".ics"), ics(fmt.Sprint("event-", i), "Honest", "DESCRIPTION:"+text))
		e.src.PutObject(name, model.KindContacts, "book", fmt.Sprint(i, ".vcf"), vcf(fmt.Sprint("card-", i), "Honest", "NOTE:"+text))
	}
	res := e.must()
	told := strings.Join(e.notes, "\n")
	if garbled.Load() == 0 || poisoned.Load() == 0 || healed.Load() != 2*(n-1) {
		t.Errorf("%s: %d requests in bulk, %d that broke, %d texts were written", name, garbled.Load(), poisoned.Load(), healed.Load())
	}
	if res.Calendar.Created != n || res.Contacts.Created != n || res.Sum().Refused != 0 || res.Sum().Kept != 0 {
		t.Errorf("%s: %+v; %s", name, res, told)
	}
	for _, at := range []struct {
		in   destination.ObjectCollection
		name string
	}{
		{e.collections(model.KindCalendar)["Home"], "event-%d"},
		{e.collections(model.KindContacts)["Book"], "card-%d"},
	} {
		if uid := fmt.Sprintf(at.name, bad); !strings.Contains(told, "|"+uid+"|") || !strings.Contains(told, "its text is refused") {
			t.Errorf("%s: no note names %s: %s", name, uid, told)
		}
		e.wantAllBut(at.in, at.name, n, bad, "Honest", "Garbled")
	}
	e.unchanged()
}

// A destination that answers, and takes no object, is given up after few requests:
// no object is blamed for it, and the next run brings all.
func TestGivesUp(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		testGivesUp(t, s, "ill-cut", cut)
		testGivesUp(t, s, "ill-400", func(w http.ResponseWriter) { http.Error(w, "no", 400) })
	})
}

func testGivesUp(t *testing.T, s *server, name string, fail func(http.ResponseWriter)) {
	e := newEnv(t, s, name)
	var ill atomic.Bool
	var failed atomic.Int64
	ill.Store(true)
	e.through(func(w http.ResponseWriter, _ *http.Request, body []byte) []byte {
		if ill.Load() && bytes.Contains(body, []byte("OBJECT")) {
			failed.Add(1)
			fail(w)
			return nil
		}
		return body
	})
	e.src.PutCollection(name, calendar("home", "Home"))
	const n = 60
	for i := range n {
		e.src.PutObject(name, model.KindCalendar, "home", fmt.Sprint(i, ".ics"), ics(fmt.Sprint("event-", i), "OBJECT"))
	}
	res, err := e.run()
	if model.CodeOf(err) != "destinationFails" || model.ClassOf(err) != model.ClassAccount || res.Sum().Created > 0 || failed.Load() == 0 {
		t.Errorf("%s: %v; %+v", name, err, res)
	}
	if told := strings.Join(e.notes, "\n"); strings.Contains(told, "|"+groupware.NoteRefused+"|") {
		t.Errorf("%s: an object is blamed: %s", name, told)
	}
	ill.Store(false)
	if res := e.must(); res.Calendar.Created != n || res.Calendar.Refused != 0 {
		t.Errorf("%s: %+v; %s", name, res, strings.Join(e.notes, "\n"))
	}
	if got := len(e.texts(e.collections(model.KindCalendar)["Home"])); got != n {
		t.Errorf("%s: %d events", name, got)
	}
	e.unchanged()
}
