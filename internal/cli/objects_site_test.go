package cli_test

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// objectSite is an old server, or a disk, with one account: anna, who writes to
// it as its clients do.
type objectSite struct {
	// source is the section of the engagement file, without users.
	source string
	kinds  []model.Kind
	client objectClient
	// checks is what the check has to say.
	checks string
	// address is anna's login where that is one; else it is "anna".
	address string
}

func (s objectSite) login() string { return cmp.Or(s.address, "anna") }

// objectClient is what anna writes with. Collections go by what they were
// called when they were made.
type objectClient interface {
	make(t *testing.T, kind model.Kind, collection string) (refused string)
	// paint gives a calendar a name and a colour; an empty colour stays as it
	// is.
	paint(t *testing.T, collection, name, color string)
	// fill writes many objects, and returns why the server refuses some of them,
	// by name.
	fill(t *testing.T, kind model.Kind, collection string, objects iter.Seq2[string, []byte]) (refused map[string]string)
	// put writes an object; the server may refuse it.
	put(t *testing.T, kind model.Kind, collection, name string, content []byte) (refused string)
	move(t *testing.T, kind model.Kind, from, to, name string)
	remove(t *testing.T, kind model.Kind, collection, name string)
}

// davClient writes over CalDAV, CardDAV and WebDAV.
type davClient struct {
	url, user, password string
	home                map[model.Kind]string // paths with a slash at the end
	paths               map[string]string
	// noMove: the server has no MOVE; clients write and delete.
	noMove bool
	texts  map[string][]byte
	// filler writes many objects faster than the protocol, if not nil.
	filler objectFiller
}

// objectFiller writes many objects into a collection, named by its path, by the
// server's disk or database.
type objectFiller interface {
	Fill(t testing.TB, collection string, objects iter.Seq2[string, []byte])
}

func newDAVClient(url, user, password string, home map[model.Kind]string) *davClient {
	return &davClient{url: url, user: user, password: password, home: home, paths: map[string]string{}, texts: map[string][]byte{}}
}

func (c *davClient) try(t *testing.T, method, path, contentType string, body []byte, headers ...string) (int, string) {
	t.Helper()
	code, text, err := c.request(t, method, path, contentType, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return code, text
}

func (c *davClient) request(t *testing.T, method, path, contentType string, body []byte, headers ...string) (int, string, error) {
	req, err := http.NewRequestWithContext(t.Context(), method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if c.password != "" {
		req.SetBasicAuth(c.user, c.password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func (c *davClient) send(t *testing.T, method, path, contentType string, body []byte, headers ...string) string {
	t.Helper()
	code, text := c.try(t, method, path, contentType, body, headers...)
	if code/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, path, code, text)
	}
	return text
}

// key tells collections of different kinds apart.
func key(kind model.Kind, collection string) string { return kind.String() + " " + collection }

func (c *davClient) make(t *testing.T, kind model.Kind, collection string) string {
	t.Helper()
	if kind == model.KindFiles {
		path := c.home[kind]
		for level := range strings.SplitSeq(collection, "/") {
			path += url.PathEscape(level) + "/"
		}
		c.paths[key(kind, collection)] = path
		if code, text := c.try(t, "MKCOL", path, "", nil); code/100 != 2 {
			return fmt.Sprintf("%d %.300s", code, text)
		}
		return ""
	}
	path := fmt.Sprintf("%sc%d/", c.home[kind], len(c.paths)+1)
	c.paths[key(kind, collection)] = path
	what := `<c:calendar xmlns:c="urn:ietf:params:xml:ns:caldav"/>`
	if kind == model.KindContacts {
		what = `<c:addressbook xmlns:c="urn:ietf:params:xml:ns:carddav"/>`
	}
	c.send(t, "MKCOL", path, "application/xml", []byte(`<d:mkcol xmlns:d="DAV:"><d:set><d:prop><d:resourcetype><d:collection/>`+what+`</d:resourcetype><d:displayname>`+escaped(collection)+`</d:displayname></d:prop></d:set></d:mkcol>`))
	return ""
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func (c *davClient) paint(t *testing.T, collection, name, color string) {
	t.Helper()
	about := `<d:displayname>` + escaped(name) + `</d:displayname>`
	if color != "" {
		about += `<i:calendar-color xmlns:i="http://apple.com/ns/ical/">` + color + `</i:calendar-color>`
	}
	text := c.send(t, "PROPPATCH", c.paths[key(model.KindCalendar, collection)], "application/xml", []byte(`<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop>`+about+`</d:prop></d:set></d:propertyupdate>`))
	if strings.Contains(text, " 403 ") || strings.Contains(text, " 409 ") {
		t.Fatalf("PROPPATCH: %s", text)
	}
}

var mediaTypes = map[model.Kind]string{model.KindCalendar: "text/calendar; charset=utf-8", model.KindContacts: "text/vcard; charset=utf-8", model.KindFiles: "application/octet-stream"}

func (c *davClient) path(kind model.Kind, collection, name string) string {
	path := c.home[kind]
	if collection != "" {
		path = c.paths[key(kind, collection)]
	}
	return path + url.PathEscape(name)
}

func (c *davClient) put(t *testing.T, kind model.Kind, collection, name string, content []byte) string {
	t.Helper()
	path := c.path(kind, collection, name)
	// A Xandikos refuses with 207, and says in it why.
	if code, text := c.try(t, "PUT", path, mediaTypes[kind], content); code/100 != 2 || code == http.StatusMultiStatus {
		return fmt.Sprintf("%d %.300s", code, text)
	}
	c.texts[path] = content
	return ""
}

// fill writes several objects at once where the server has no other way.
func (c *davClient) fill(t *testing.T, kind model.Kind, collection string, objects iter.Seq2[string, []byte]) map[string]string {
	t.Helper()
	if c.filler != nil {
		at, err := url.PathUnescape(c.path(kind, collection, ""))
		if err != nil {
			t.Fatal(err)
		}
		c.filler.Fill(t, at, objects)
		return nil
	}
	refused := map[string]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, 4)
	for name, content := range objects {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			code, text, err := c.request(t, "PUT", c.path(kind, collection, name), mediaTypes[kind], content)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case code/100 != 2:
				refused[name] = fmt.Sprintf("%d %.300s", code, text)
			}
		})
	}
	wg.Wait()
	return refused
}

func (c *davClient) move(t *testing.T, kind model.Kind, from, to, name string) {
	t.Helper()
	old, path := c.path(kind, from, name), c.path(kind, to, name)
	if c.noMove {
		c.remove(t, kind, from, name)
		if refused := c.put(t, kind, to, name, c.texts[old]); refused != "" {
			t.Fatal(refused)
		}
		return
	}
	c.send(t, "MOVE", old, "", nil, "Destination", c.url+path, "Overwrite", "F")
}

func (c *davClient) remove(t *testing.T, kind model.Kind, collection, name string) {
	t.Helper()
	c.send(t, "DELETE", c.path(kind, collection, name), "", nil)
}

// diskClient writes folders as vdirsyncer and khal do.
type diskClient struct{ home map[model.Kind]string }

func (c diskClient) path(kind model.Kind, collection, name string) string {
	return filepath.Join(c.home[kind], filepath.FromSlash(collection), name)
}

func (c diskClient) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c diskClient) make(t *testing.T, kind model.Kind, collection string) string {
	t.Helper()
	c.must(t, os.MkdirAll(c.path(kind, collection, ""), 0o755))
	if kind != model.KindFiles {
		c.must(t, os.WriteFile(c.path(kind, collection, "displayname"), []byte(collection+"\n"), 0o644))
	}
	return ""
}

func (c diskClient) paint(t *testing.T, collection, name, color string) {
	t.Helper()
	c.must(t, os.WriteFile(c.path(model.KindCalendar, collection, "displayname"), []byte(name+"\n"), 0o644))
	c.must(t, os.WriteFile(c.path(model.KindCalendar, collection, "color"), []byte(color+"\n"), 0o644))
}

// put replaces a file as programs do that must not leave half of one.
func (c diskClient) put(t *testing.T, kind model.Kind, collection, name string, content []byte) string {
	t.Helper()
	at := c.path(kind, collection, name)
	c.must(t, os.WriteFile(at+".tmp", content, 0o644))
	c.must(t, os.Rename(at+".tmp", at))
	return ""
}

func (c diskClient) fill(t *testing.T, kind model.Kind, collection string, objects iter.Seq2[string, []byte]) map[string]string {
	t.Helper()
	for name, content := range objects {
		c.put(t, kind, collection, name, content)
	}
	return nil
}

func (c diskClient) move(t *testing.T, kind model.Kind, from, to, name string) {
	t.Helper()
	c.must(t, os.Rename(c.path(kind, from, name), c.path(kind, to, name)))
}

func (c diskClient) remove(t *testing.T, kind model.Kind, collection, name string) {
	t.Helper()
	c.must(t, os.Remove(c.path(kind, collection, name)))
}

func (s objectSite) has(kind model.Kind) bool { return slices.Contains(s.kinds, kind) }
