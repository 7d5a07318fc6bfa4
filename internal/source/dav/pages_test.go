package dav

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// A Stalwart that lists no more than 50 objects is not taken at its word: the
// others would stay behind unnoticed.
func TestPages(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	c, err := jmap.Dial(t.Context(), jmap.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	type object = map[string]any
	r := jmap.NewRequest("urn:stalwart:jmap")
	limit := r.Call("x:WebDav/set", object{"update": object{"singleton": object{"maxResults": 50}}})
	reload := r.Call("x:Action/set", object{"create": object{"r": object{"@type": "ReloadSettings"}}})
	resp, err := c.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var refused struct{ NotUpdated, NotCreated map[string]any }
	for _, call := range []string{limit, reload} {
		if err := resp.Decode(call, &refused); err != nil || len(refused.NotUpdated)+len(refused.NotCreated) > 0 {
			t.Fatal(err, refused)
		}
	}
	d, err := stalwart.Dial(t.Context(), stalwart.Config{URL: server.URL, User: server.AdminUser, Password: server.AdminPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	login := "anna@" + server.Domain
	actions, err := d.Plan(t.Context(), []model.Account{{Login: login, Address: login, Password: secretHash}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range actions {
		if err := d.Apply(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	w := &writer{base: server.URL, user: login, password: "secret", kind: model.KindCalendar, home: "/dav/cal/" + url.PathEscape(login) + "/",
		opts: Options{URL: server.URL}, account: model.Account{Login: login, Secret: "secret"}}
	w.Make(t, "Work")
	const n = 120
	for i := range n {
		w.Put(t, "Work", string(rune('a'+i/26))+string(rune('a'+i%26))+".ics", fmt.Appendf(nil, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:page-%d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260101T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i))
	}
	s, err := New(w.opts)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := s.open(t.Context(), w.account)
	if err != nil {
		t.Fatal(err)
	}
	all, errs, err := st.ObjectCollections(t.Context())
	if err != nil || len(errs) > 0 {
		t.Fatal(err, errs)
	}
	for _, col := range all {
		if col.Path[0] != "Work" {
			continue
		}
		for _, fingerprint := range []string{col.Fingerprint, ""} { // by sync, and by a PROPFIND that is cut off
			col.Fingerprint = fingerprint
			var last error
			for _, err := range st.ObjectChanges(t.Context(), col, "") {
				last = err
			}
			if model.CodeOf(last) != "truncated" || !strings.Contains(last.Error(), "maxResults") {
				t.Errorf("%d objects of which the server lists 50 end with %v", n, last)
			}
		}
	}
}
