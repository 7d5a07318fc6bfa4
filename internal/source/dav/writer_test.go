package dav

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// writer is a user's client, which writes; it fills servers for tests.
type writer struct {
	base, user, password string
	kind                 model.Kind
	home                 string // path with a slash at the end
	opts                 Options
	account              model.Account
	paths                map[string]string // of collections by name
	src                  *Source
}

func (w *writer) Account() model.Account { return w.account }
func (w *writer) Kind() model.Kind       { return w.kind }

func (w *writer) Source() source.Source {
	if w.src == nil {
		var err error
		if w.src, err = New(w.opts); err != nil {
			panic(err)
		}
	}
	return w.src
}

// send makes a request and demands success.
func (w *writer) send(t *testing.T, method, path, contentType string, body []byte) string {
	t.Helper()
	code, text := w.try(t, method, path, contentType, body)
	if code/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, path, code, text)
	}
	return text
}

func (w *writer) try(t *testing.T, method, path, contentType string, body []byte) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if w.password != "" {
		req.SetBasicAuth(w.user, w.password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (w *writer) Make(t *testing.T, name string) {
	t.Helper()
	if w.paths == nil {
		w.paths = map[string]string{}
	}
	if w.kind == model.KindFiles {
		w.paths[name] = w.home + url.PathEscape(name) + "/"
		w.send(t, "MKCOL", w.paths[name], "", nil)
		return
	}
	path := fmt.Sprintf("%sc%d/", w.home, len(w.paths)+1)
	w.paths[name] = path
	var shown strings.Builder
	_ = xml.EscapeText(&shown, []byte(name))
	what, kind := `<d:collection/><c:calendar xmlns:c="urn:ietf:params:xml:ns:caldav"/>`, "calendar"
	if w.kind == model.KindContacts {
		what, kind = `<d:collection/><c:addressbook xmlns:c="urn:ietf:params:xml:ns:carddav"/>`, "address book"
	}
	body := fmt.Sprintf(`<d:mkcol xmlns:d="DAV:"><d:set><d:prop><d:resourcetype>%s</d:resourcetype><d:displayname>%s</d:displayname></d:prop></d:set></d:mkcol>`, what, shown.String())
	if code, text := w.try(t, "MKCOL", path, "application/xml", []byte(body)); code/100 != 2 {
		t.Fatalf("make the %s %s: %d %s", kind, name, code, text)
	}
	w.empty(t, path)
}

// empty removes what a server puts into new collections.
func (w *writer) empty(*testing.T, string) {}

func (w *writer) path(collection, name string) string {
	return w.paths[collection] + url.PathEscape(name)
}

func (w *writer) Put(t *testing.T, collection, name string, content []byte) {
	t.Helper()
	w.send(t, "PUT", w.path(collection, name), map[model.Kind]string{model.KindCalendar: "text/calendar; charset=utf-8", model.KindContacts: "text/vcard; charset=utf-8",
		model.KindFiles: "application/octet-stream"}[w.kind], content)
}

func (w *writer) Delete(t *testing.T, collection, name string) {
	t.Helper()
	w.send(t, "DELETE", w.path(collection, name), "", nil)
}

// painting is a writer of a server that takes what users set of collections.
type painting struct{ *writer }

func (w painting) Paint(t *testing.T, collection, shown, description, color string) {
	t.Helper()
	var a, b strings.Builder
	_ = xml.EscapeText(&a, []byte(shown))
	_ = xml.EscapeText(&b, []byte(description))
	about := `<c:calendar-description xmlns:c="urn:ietf:params:xml:ns:caldav">` + b.String() + `</c:calendar-description><i:calendar-color xmlns:i="http://apple.com/ns/ical/">` + color + `</i:calendar-color>`
	if w.kind == model.KindContacts {
		about = `<c:addressbook-description xmlns:c="urn:ietf:params:xml:ns:carddav">` + b.String() + `</c:addressbook-description><n:addressbook-color xmlns:n="http://inf-it.com/ns/ab/">` + color + `</n:addressbook-color>`
	}
	text := w.send(t, "PROPPATCH", w.paths[collection], "application/xml", []byte(`<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><d:displayname>`+a.String()+`</d:displayname>`+about+`</d:prop></d:set></d:propertyupdate>`))
	if strings.Contains(text, "403") || strings.Contains(text, "409") {
		t.Fatalf("PROPPATCH: %s", text)
	}
}
