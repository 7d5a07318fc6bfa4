package dav

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// fake is a server that answers as a test says: by "METHOD path", or "METHOD"
// for all paths.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]func(w http.ResponseWriter, body string, r *http.Request)
	seen    []string // "METHOD path"
	secrets []string // what was in Authorization
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{answers: map[string]func(http.ResponseWriter, string, *http.Request){}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.seen = append(f.seen, r.Method+" "+r.URL.EscapedPath())
	if a := r.Header.Get("Authorization"); a != "" {
		f.secrets = append(f.secrets, a)
	}
	answer := f.answers[r.Method+" "+r.URL.EscapedPath()]
	if answer == nil {
		answer = f.answers[r.Method]
	}
	f.mu.Unlock()
	if answer == nil {
		http.NotFound(w, r)
		return
	}
	answer(w, string(body), r)
}

// on answers with a multistatus of these responses.
func (f *fake) on(what string, responses ...string) {
	f.say(what, http.StatusMultiStatus, `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:a="urn:ietf:params:xml:ns:carddav" xmlns:s="http://calendarserver.org/ns/" xmlns:i="http://apple.com/ns/ical/">`+strings.Join(responses, "")+"</d:multistatus>")
}

func (f *fake) say(what string, code int, text string) {
	f.do(what, func(w http.ResponseWriter, _ string, _ *http.Request) {
		if strings.HasPrefix(text, "<?xml") {
			w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	})
}

func (f *fake) do(what string, answer func(w http.ResponseWriter, body string, r *http.Request)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[what] = answer
}

func (f *fake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

// sent is what was in Authorization.
func (f *fake) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.secrets)
}

// resp is a response whose properties are all found.
func resp(href, props string) string {
	return "<d:response><d:href>" + href + "</d:href><d:propstat><d:prop>" + props + "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>" +
		"<d:propstat><d:prop><d:quota/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>"
}

const (
	isCalendar = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
	isPlain    = "<d:resourcetype><d:collection/></d:resourcetype>"
	noType     = "<d:resourcetype/>"
)

// soon is a clock that does not wait.
func soon(time.Duration) <-chan time.Time {
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}

func (f *fake) source(t *testing.T, change func(*Options)) *Source {
	t.Helper()
	o := Options{Calendars: f.URL + "/cal/", Sleep: soon}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var anna = model.Account{Login: "anna", Secret: "hunter2"}

// store opens anna's account.
func (f *fake) store(t *testing.T, change func(*Options)) *Store {
	t.Helper()
	st, err := f.source(t, change).open(t.Context(), anna)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// work is a calendar of the fake's.
var work = model.ObjectCollection{Kind: model.KindCalendar, ID: "/cal/team/", Path: []string{"Work"}}

// changes are written down: "listing", "+ID version", "-ID", "=cursor".
func changes(t *testing.T, st *Store, c model.ObjectCollection, since string) string {
	t.Helper()
	var out []string
	for ch, err := range st.ObjectChanges(t.Context(), c, since) {
		if err != nil {
			out = append(out, "error "+model.CodeOf(err))
			t.Log(err)
			continue
		}
		switch ch.Op {
		case model.OpListing:
			out = append(out, "listing")
		case model.OpUpsert:
			out = append(out, "+"+ch.Object.ID+" "+ch.Object.Version)
		case model.OpRemoved:
			out = append(out, "-"+ch.Object.ID)
		case model.OpCheckpoint:
			out = append(out, "="+ch.Cursor)
		}
	}
	return strings.Join(out, ", ")
}

// read returns the texts of objects, or the codes of their faults.
func read(t *testing.T, st *Store, c model.ObjectCollection, ids ...string) map[string]string {
	t.Helper()
	var refs []model.ObjectRef
	for _, id := range ids {
		refs = append(refs, model.ObjectRef{ID: id})
	}
	out := map[string]string{}
	err := st.ReadObjects(t.Context(), c, refs, func(r model.ObjectRef, body *source.Content, err error) error {
		if _, twice := out[r.ID]; twice {
			t.Errorf("%s twice", r.ID)
		}
		if err != nil {
			out[r.ID] = fmt.Sprintf("fault %d %s", model.ClassOf(err), model.CodeOf(err))
			return nil
		}
		b, err := io.ReadAll(body)
		out[r.ID] = string(b)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if len(out) != len(ids) {
		t.Errorf("%d of %d objects: %v", len(out), len(ids), slices.Sorted(maps.Keys(out)))
	}
	return out
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
