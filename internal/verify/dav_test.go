package verify_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// groupware is a real Stalwart with two accounts: one is written by DAV, the
// other by JMAP, since JMAP takes a UID once in an account.
type groupware struct {
	t      *testing.T
	server *lab.Stalwart
}

const (
	byDAV  = "dav@lab.test"
	byJMAP = "jmap@lab.test"
)

func startGroupware(t *testing.T) *groupware {
	t.Helper()
	g := &groupware{t: t, server: lab.StartStalwart(t)}
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: g.server.URL, User: g.server.AdminUser, Password: g.server.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	plan, err := d.Plan(t.Context(), []model.Account{{Login: "dav", Address: byDAV}, {Login: "jmap", Address: byJMAP}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range plan {
		if err := d.Apply(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// dav makes one request as a user.
func (g *groupware) dav(user, method, path, contentType string, body []byte) (int, []byte) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, g.server.URL+path, bytes.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.SetBasicAuth(user+"%"+g.server.AdminUser, g.server.AdminPassword)
	r.Header.Set("Content-Type", contentType)
	if method == "PROPFIND" || method == "REPORT" {
		r.Header.Set("Depth", "1")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, b
}

// all reads every object below a collection by GET.
func (g *groupware) all(user, collection string) [][]byte {
	g.t.Helper()
	status, b := g.dav(user, "PROPFIND", collection, "application/xml", []byte(`<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`))
	if status != http.StatusMultiStatus {
		g.t.Fatalf("PROPFIND %s: %d %s", collection, status, b)
	}
	var answer struct {
		Response []struct {
			Href string `xml:"href"`
		} `xml:"response"`
	}
	if err := xml.Unmarshal(b, &answer); err != nil {
		g.t.Fatal(err)
	}
	var texts [][]byte
	for _, r := range answer.Response {
		if strings.HasSuffix(r.Href, "/") {
			continue
		}
		status, text := g.dav(user, "GET", r.Href, "", nil)
		if status != http.StatusOK {
			g.t.Fatalf("GET %s: %d", r.Href, status)
		}
		texts = append(texts, text)
	}
	return texts
}

// home is the path of a default collection.
func home(kind, user string) string { return "/dav/" + kind + "/" + url.PathEscape(user) + "/default/" }

// book is the default address book of a user as mailhaul's destination has it.
func (g *groupware) book(user string) (destination.ObjectStore, destination.Collection) {
	g.t.Helper()
	d, err := stalwart.Dial(g.t.Context(), stalwart.Config{URL: g.server.URL, User: g.server.AdminUser, Password: g.server.AdminPassword})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { d.Close() })
	a, err := d.Open(g.t.Context(), user)
	if err != nil {
		g.t.Fatal(err)
	}
	store := a.(destination.ObjectStore)
	all, err := store.ObjectCollections(g.t.Context(), model.KindContacts)
	if err != nil || len(all) != 1 {
		g.t.Fatalf("%d address books, %v", len(all), err)
	}
	return store, all[0].Collection
}

// jmapClient logs in for a user.
func (g *groupware) jmap(user string) *jmap.Client {
	g.t.Helper()
	c, err := jmap.Dial(g.t.Context(), jmap.Config{URL: g.server.URL, User: user + "%" + g.server.AdminUser, Password: g.server.AdminPassword, Retry: jmap.Retry{Attempts: 2, Patience: time.Second}})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = c.Close() })
	return c
}

// parsed puts a text through a parse and a set method; it returns why the
// server refused it, or "".
func (g *groupware) parsed(c *jmap.Client, object, container, id string, text []byte) string {
	g.t.Helper()
	capability := map[string]string{"CalendarEvent": "urn:ietf:params:jmap:calendars", "ContactCard": "urn:ietf:params:jmap:contacts"}[object]
	account := c.Session().PrimaryAccounts[capability]
	blob, err := c.Upload(g.t.Context(), account, "text/plain", int64(len(text)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
	if err != nil {
		g.t.Fatal(err)
	}
	r := jmap.NewRequest(capability, capability+":parse")
	call := r.Call(object+"/parse", map[string]any{"accountId": account, "blobIds": []string{blob.BlobID}})
	resp, err := c.Do(g.t.Context(), r)
	if err != nil {
		return "no answer to parse: " + err.Error()
	}
	var got struct{ Parsed map[string]any }
	if err := resp.Decode(call, &got); err != nil {
		return err.Error()
	}
	create := map[string]any{}
	add := func(v any) {
		o, ok := v.(map[string]any)
		if ok {
			o[container] = map[string]bool{id: true}
			create[fmt.Sprint("k", len(create))] = o
		}
	}
	switch v := got.Parsed[blob.BlobID].(type) {
	case []any:
		for _, o := range v {
			add(o)
		}
	default:
		add(v)
	}
	if len(create) == 0 {
		return "not parsable"
	}
	r = jmap.NewRequest(capability)
	call = r.Call(object+"/set", map[string]any{"accountId": account, "create": create})
	if resp, err = c.Do(g.t.Context(), r); err != nil {
		return "no answer to set: " + err.Error()
	}
	var set struct{ NotCreated map[string]any }
	if err := resp.Decode(call, &set); err != nil {
		return err.Error()
	}
	if len(set.NotCreated) > 0 {
		return fmt.Sprint(set.NotCreated)
	}
	return ""
}

// container is the id of the default calendar or book.
func (g *groupware) container(c *jmap.Client, object string) string {
	g.t.Helper()
	capability := map[string]string{"Calendar": "urn:ietf:params:jmap:calendars", "AddressBook": "urn:ietf:params:jmap:contacts"}[object]
	r := jmap.NewRequest(capability)
	call := r.Call(object+"/get", map[string]any{"accountId": c.Session().PrimaryAccounts[capability]})
	resp, err := c.Do(g.t.Context(), r)
	if err != nil {
		g.t.Fatal(err)
	}
	var got struct{ List []struct{ ID string } }
	if err := resp.Decode(call, &got); err != nil || len(got.List) == 0 {
		g.t.Fatalf("%s/get: %v", object, err)
	}
	return got.List[0].ID
}
