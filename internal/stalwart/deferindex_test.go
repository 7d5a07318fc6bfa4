package stalwart_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
)

// While the index for search is off, nobody finds what is moved; put back, the
// server finds it.
func TestDeferredIndexIsMadeUpFor(t *testing.T) {
	t.Parallel()
	s := lab.StartStalwart(t)
	m := manage(t, s.URL, s.AdminUser, s.AdminPassword)
	d := dial(t, s.URL, s.AdminUser, s.AdminPassword).(destination.Tuner)
	m.create("x:Account", object{"@type": "User", "name": "anna", "domainId": m.domain("search.test"),
		"credentials": object{"0": object{"@type": "Password", "secret": migratorPassword}}})
	anna := reader(t, s.URL, "anna@search.test")

	settings, err := d.Tune(t.Context(), destination.Needs{DeferIndex: true})
	if err != nil {
		t.Fatal(err)
	}
	var off []destination.Setting
	for _, s := range settings {
		if s.Object == "x:Search" {
			off = append(off, s)
		}
	}
	if len(off) != 3 {
		t.Fatalf("the settings of the index are %+v", off)
	}
	if err := d.Change(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	if f := findings(t, d.(destination.Destination))["search"]; !strings.Contains(f.Message, "index for search is off") {
		t.Errorf("check says of it: %+v", f)
	}
	anna.file("Subject: one\r\n\r\nwith a zinnia in it\r\n")
	m.hurry(func() bool { return m.tasks() == 0 })
	if n := anna.finds("zinnia"); n != 0 {
		t.Fatalf("%d messages are found while nothing is indexed", n)
	}

	for i := range off {
		off[i].Old, off[i].New = off[i].New, off[i].Old
	}
	if err := d.Change(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	m.hurry(func() bool { return anna.finds("zinnia") == 1 })
	if f := findings(t, d.(destination.Destination))["search"]; f.Remedy != "" {
		t.Errorf("check says of it: %+v", f)
	}
}

// waiting are the tasks of the server that index, or have it index.
func (m management) waiting() (ids []string) {
	m.t.Helper()
	var all struct{ IDs []string }
	m.call("x:Task/query", object{}, &all)
	var got struct {
		List []struct {
			ID              string
			Type            string `json:"@type"`
			MaintenanceType string
		}
	}
	m.call("x:Task/get", object{"ids": all.IDs}, &got)
	for _, task := range got.List {
		if task.Type == "IndexDocument" || strings.HasPrefix(task.MaintenanceType, "reindex") {
			ids = append(ids, task.ID)
		}
	}
	return ids
}

func (m management) tasks() int { return len(m.waiting()) }

// hurry has the server do at once what it would do at a random moment of the
// next minutes, until what is awaited is there.
func (m management) hurry(there func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !there(); {
		if time.Now().After(deadline) {
			m.t.Fatal("it did not come within two minutes")
		}
		now := object{"status": object{"@type": "Pending", "due": time.Now().UTC().Format(time.RFC3339)}}
		for _, id := range m.waiting() {
			// One that the server has just begun cannot be changed.
			r := jmap.NewRequest("urn:stalwart:jmap")
			r.Call("x:Task/set", object{"update": object{id: now}})
			if _, err := m.c.Do(m.t.Context(), r); err != nil {
				m.t.Fatal(err)
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// person reads their own mail.
type person struct {
	t              *testing.T
	c              *jmap.Client
	account, inbox string
}

func reader(t *testing.T, url, user string) person {
	t.Helper()
	c, err := jmap.Dial(t.Context(), jmap.Config{URL: url, User: user, Password: migratorPassword})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	p := person{t: t, c: c, account: c.Session().PrimaryAccounts["urn:ietf:params:jmap:mail"]}
	var got struct{ IDs []string }
	p.call("Mailbox/query", object{"filter": object{"role": "inbox"}}, &got)
	p.inbox = got.IDs[0]
	return p
}

func (p person) call(method string, arguments object, v any) {
	p.t.Helper()
	arguments["accountId"] = p.account
	r := jmap.NewRequest("urn:ietf:params:jmap:mail")
	id := r.Call(method, arguments)
	resp, err := p.c.Do(p.t.Context(), r)
	if err == nil {
		err = resp.Decode(id, v)
	}
	if err != nil {
		p.t.Fatalf("%s: %v", method, err)
	}
}

func (p person) file(raw string) {
	p.t.Helper()
	blob, err := p.c.Upload(p.t.Context(), p.account, "message/rfc822", int64(len(raw)), func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(raw)), nil })
	if err != nil {
		p.t.Fatal(err)
	}
	var got struct {
		Created map[string]struct{ ID string }
	}
	p.call("Email/import", object{"emails": object{"m": object{"blobId": blob.BlobID, "mailboxIds": object{p.inbox: true}}}}, &got)
	if got.Created["m"].ID == "" {
		p.t.Fatal("the message was not filed")
	}
}

func (p person) finds(word string) int {
	p.t.Helper()
	var got struct{ IDs []string }
	p.call("Email/query", object{"filter": object{"text": word}}, &got)
	return len(got.IDs)
}
