package cyrus_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/cyrus"
	"mailhaul.org/mailhaul/internal/source/sourcetest"
)

// withDAV are the settings of a server of calendars, address books and files.
var withDAV = map[string]string{"httpmodules": "caldav carddav webdav", "httpallowcompress": "no", "caldav_allowscheduling": "no"}

// davHarness is one account of a running server, which is written to over HTTP
// and read from disk.
type davHarness struct {
	s     *server
	kind  model.Kind
	login string
	src   *cyrus.Source
	paths map[string]string
}

// What the suite demands of calendars, contacts and files, of the disk of a
// running server.
func TestObjects(t *testing.T) {
	t.Parallel()
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			s := startDAV(t)
			var users atomic.Int32
			sourcetest.RunObjects(t, func(t *testing.T) sourcetest.ObjectHarness {
				h := newDAV(t, s, fmt.Sprintf("d%d", users.Add(1)), kind)
				if kind == model.KindFiles {
					return drive{h}
				}
				return painter{h}
			})
		})
	}
}

const davPassword = "dav-Pw-1"

func startDAV(t *testing.T) *server {
	t.Helper()
	users := map[string]string{}
	for n := range 40 {
		users[fmt.Sprintf("d%d", n)] = davPassword
	}
	users["ben"] = davPassword
	s := &server{sep: "/"}
	s.Cyrus = lab.StartCyrus(t, lab.CyrusOptions{Settings: withDAV, Users: users})
	s.as(t, "").do("CREATE user/ben")
	return s
}

func newDAV(t *testing.T, s *server, login string, kind model.Kind) *davHarness {
	t.Helper()
	s.as(t, "").do("CREATE user/%s", login)
	h := &davHarness{s: s, kind: kind, login: login, src: s.disk(t), paths: map[string]string{}}
	h.try(t, "PROPFIND", h.home(), "", nil) // makes the homes
	return h
}

func (h *davHarness) Source() source.Source  { return h.src }
func (h *davHarness) Account() model.Account { return model.Account{Login: h.login} }
func (h *davHarness) Kind() model.Kind       { return h.kind }

func (h *davHarness) home() string {
	return "/dav/" + map[model.Kind]string{model.KindCalendar: "calendars", model.KindContacts: "addressbooks", model.KindFiles: "drive"}[h.kind] + "/user/" + h.login + "/"
}

func (h *davHarness) try(t *testing.T, method, path, contentType string, body []byte) (int, string) {
	return h.s.http(t, h.login, method, path, contentType, body)
}

// http makes a request as a user.
func (s *server) http(t *testing.T, login, method, path, contentType string, body []byte) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.HTTP+path, bytes.NewReader(body))
	must(t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.SetBasicAuth(login, davPassword)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(text)
}

func (h *davHarness) send(t *testing.T, method, path, contentType string, body []byte) string {
	t.Helper()
	code, text := h.try(t, method, path, contentType, body)
	if code/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, path, code, text)
	}
	return text
}

func (h *davHarness) Make(t *testing.T, name string) {
	t.Helper()
	if h.kind == model.KindFiles {
		h.paths[name] = h.home() + url.PathEscape(name) + "/"
		h.send(t, "MKCOL", h.paths[name], "", nil)
		return
	}
	h.paths[name] = fmt.Sprintf("%sc%d/", h.home(), len(h.paths)+1)
	var shown strings.Builder
	_ = xml.EscapeText(&shown, []byte(name))
	what := `<c:calendar xmlns:c="urn:ietf:params:xml:ns:caldav"/>`
	if h.kind == model.KindContacts {
		what = `<c:addressbook xmlns:c="urn:ietf:params:xml:ns:carddav"/>`
	}
	h.send(t, "MKCOL", h.paths[name], "application/xml", fmt.Appendf(nil,
		`<d:mkcol xmlns:d="DAV:"><d:set><d:prop><d:resourcetype><d:collection/>%s</d:resourcetype><d:displayname>%s</d:displayname></d:prop></d:set></d:mkcol>`, what, shown.String()))
}

func (h *davHarness) Put(t *testing.T, collection, name string, content []byte) {
	t.Helper()
	if len(content) == 0 {
		// This server takes an empty body for the one that it got before, or
		// hangs up: make one of one octet and take that away.
		h.Put(t, collection, name, []byte("x"))
		path := h.file(t, name)
		info, err := os.Stat(path)
		must(t, err)
		must(t, os.Truncate(path, info.Size()-1))
		return
	}
	h.send(t, "PUT", h.paths[collection]+url.PathEscape(name), map[model.Kind]string{model.KindCalendar: "text/calendar; charset=utf-8",
		model.KindContacts: "text/vcard; charset=utf-8", model.KindFiles: "application/octet-stream"}[h.kind], content)
}

func (h *davHarness) Delete(t *testing.T, collection, name string) {
	t.Helper()
	h.send(t, "DELETE", h.paths[collection]+url.PathEscape(name), "", nil)
}

// Break removes the file of an object behind the server's back.
func (h *davHarness) Break(t *testing.T, collection, name string) {
	t.Helper()
	must(t, os.Remove(h.file(t, name)))
}

// file is where an object of this user is.
func (h *davHarness) file(t *testing.T, name string) (found string) {
	t.Helper()
	must(t, filepath.WalkDir(h.s.path("spool"), func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || !strings.HasSuffix(path, ".") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err == nil && bytes.Contains(raw, []byte(name)) && bytes.Contains(raw, []byte("Content-Disposition")) && bytes.Contains(raw, []byte(h.login)) {
			if found != "" {
				t.Fatalf("both %s and %s are %s", found, path, name)
			}
			found = path
		}
		return err
	}))
	if found == "" {
		t.Fatalf("no file is %s", name)
	}
	return found
}

// drive is a harness of files, whose folders are mailboxes and have their names.
type drive struct{ *davHarness }

func (drive) CanName(name string) bool {
	return !slices.Contains([]string{"Größe", "送信", "100% & more", "a%20b"}, name)
}

// painter is a harness of what has colours and descriptions.
type painter struct{ *davHarness }

func (h painter) Paint(t *testing.T, collection, shown, description, color string) {
	t.Helper()
	var a, b strings.Builder
	_ = xml.EscapeText(&a, []byte(shown))
	_ = xml.EscapeText(&b, []byte(description))
	about := `<c:calendar-description xmlns:c="urn:ietf:params:xml:ns:caldav">` + b.String() + `</c:calendar-description><i:calendar-color xmlns:i="http://apple.com/ns/ical/">` + color + `</i:calendar-color>`
	if h.kind == model.KindContacts {
		about = `<c:addressbook-description xmlns:c="urn:ietf:params:xml:ns:carddav">` + b.String() + `</c:addressbook-description><n:addressbook-color xmlns:n="http://inf-it.com/ns/ab/">` + color + `</n:addressbook-color>`
	}
	text := h.send(t, "PROPPATCH", h.paths[collection], "application/xml", []byte(`<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><d:displayname>`+a.String()+`</d:displayname>`+about+`</d:prop></d:set></d:propertyupdate>`))
	if strings.Contains(text, "403") || strings.Contains(text, "409") {
		t.Fatalf("PROPPATCH: %s", text)
	}
}

func (h painter) ShareWithBen(t *testing.T, collection string) string {
	t.Helper()
	top := map[model.Kind]string{model.KindCalendar: "#calendars", model.KindContacts: "#addressbooks"}[h.kind]
	h.s.as(t, "").do("SETACL %q ben lr9", "user/"+h.login+"/"+top+"/"+filepath.Base(h.paths[collection]))
	return "ben"
}

// What two users of one calendar see of an event over CalDAV, alarms of their
// own included, its owner's disk says.
func TestOwnPartOfAnEvent(t *testing.T) {
	t.Parallel()
	s := startDAV(t)
	h := newDAV(t, s, "d1", model.KindCalendar)
	h.Make(t, "Team")
	s.as(t, "").do("SETACL %q ben lrswitedn9", "user/d1/#calendars/c1")
	event := func(alarm, transp string) []byte {
		return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:meet-1\r\nDTSTAMP:20260301T080000Z\r\nDTSTART:20260302T090000Z\r\nDTEND:20260302T100000Z\r\nSUMMARY:Meeting\r\n" +
			transp + "RRULE:FREQ=DAILY;COUNT=3\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:" + alarm + "\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	}
	h.Put(t, "Team", "meet.ics", event("of the owner", "TRANSP:TRANSPARENT\r\n"))
	if code, text := s.http(t, "ben", "PUT", "/dav/calendars/user/ben/d1.c1/meet.ics", "text/calendar", event("of ben", "")); code/100 != 2 {
		t.Fatalf("ben's PUT: %d %s", code, text)
	}
	shown := h.send(t, "GET", h.paths["Team"]+"meet.ics", "", nil)
	st, err := h.src.Open(t.Context(), h.Account())
	must(t, err)
	defer st.Close()
	all, errs, err := st.(source.Objects).ObjectCollections(t.Context())
	must(t, err)
	i := slices.IndexFunc(all, func(c model.ObjectCollection) bool { return c.Path[0] == "Team" })
	if i < 0 || len(errs) > 0 {
		t.Fatalf("%+v, %v", all, errs)
	}
	var refs []model.ObjectRef
	for ch, err := range st.(source.Objects).ObjectChanges(t.Context(), all[i], "") {
		must(t, err)
		if ch.Op == model.OpUpsert {
			refs = append(refs, ch.Object.ObjectRef)
		}
	}
	read := ""
	must(t, st.(source.Objects).ReadObjects(t.Context(), all[i], refs, func(_ model.ObjectRef, c *source.Content, err error) error {
		if err != nil {
			return err
		}
		text, err := io.ReadAll(c)
		read += string(text)
		return err
	}))
	if a, b := sortedLines(shown), sortedLines(read); !slices.Equal(a, b) {
		t.Errorf("over CalDAV\n%s\nfrom disk\n%s", shown, read)
	}
	if !strings.Contains(read, "of the owner") || strings.Contains(read, "of ben") {
		t.Errorf("the alarm is another's: %s", read)
	}
	shared, err := openStore(t, h.src, "ben").(source.SharedObjects).SharedObjects(t.Context())
	must(t, err)
	if len(shared) != 1 || shared[0].Path[0] != "Team" {
		t.Errorf("ben may see %+v", shared)
	}
}

func openStore(t *testing.T, src source.Source, login string) source.Store {
	t.Helper()
	st, err := src.Open(t.Context(), model.Account{Login: login})
	must(t, err)
	t.Cleanup(func() { st.Close() })
	return st
}

func sortedLines(s string) []string {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")), "\n")
	slices.Sort(lines)
	return lines
}
