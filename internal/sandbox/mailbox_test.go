package sandbox

import (
	"strings"
	"testing"
)

func TestSystemMailboxes(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	anna, id := b.user("anna")
	r := anna.call("Mailbox/get", obj{"accountId": id, "properties": []string{"name", "role", "isSubscribed"}})
	equalJSON(t, "mailboxes", r.at("list"), []any{
		obj{"id": "a", "name": "Inbox", "role": "inbox", "isSubscribed": true},
		obj{"id": "b", "name": "Deleted Items", "role": "trash", "isSubscribed": true},
		obj{"id": "c", "name": "Junk Mail", "role": "junk", "isSubscribed": true},
		obj{"id": "d", "name": "Drafts", "role": "drafts", "isSubscribed": true},
		obj{"id": "e", "name": "Sent Items", "role": "sent", "isSubscribed": true},
	})
	// An administrator has no subscriptions of his own there.
	if b.admin().call("Mailbox/get", obj{"accountId": id, "ids": []string{"a"}}).at("list", 0, "isSubscribed").v != false {
		t.Error("subscribed for the administrator")
	}
}

func TestSubscriptionsBelongToTheLogin(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	anna, id := b.user("anna")
	box := b.admin().call("Mailbox/set", obj{"accountId": id, "create": obj{"x": obj{"name": "X", "isSubscribed": true}}}).str("created", "x", "id")
	subscribed := func(c *client) any {
		return c.call("Mailbox/get", obj{"accountId": id, "ids": []string{box}}).at("list", 0, "isSubscribed").v
	}
	if subscribed(b.admin()) != true || subscribed(anna) != false {
		t.Error("created as the administrator, the mailbox is subscribed for the administrator only")
	}
	as := b.as("anna@example.test%admin", "demo")
	as.call("Mailbox/set", obj{"accountId": id, "update": obj{box: obj{"isSubscribed": true}}})
	if subscribed(anna) != true {
		t.Error("subscribing as the user had no effect")
	}
}

func TestMailboxSetRefusals(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	c := b.admin()
	deep := obj{"l1": obj{"name": "1"}}
	c.call("Mailbox/set", obj{"accountId": id, "create": deep})
	parent := "h"
	for range 8 { // down to nine levels
		parent = c.call("Mailbox/set", obj{"accountId": id, "create": obj{"x": obj{"name": "n", "parentId": parent}}}).str("created", "x", "id")
	}
	for name, tc := range map[string]struct {
		create obj
		want   string
	}{
		"equal but for case":   {obj{"name": "INBOX"}, "alreadyExists"},
		"empty":                {obj{"name": "  "}, "invalidProperties"},
		"254 octets":           {obj{"name": strings.Repeat("x", 254)}, ""},
		"255 octets":           {obj{"name": strings.Repeat("x", 255)}, "invalidProperties"},
		"slash is a character": {obj{"name": "a/b"}, ""},
		"second sent":          {obj{"name": "S", "role": "sent"}, "invalidProperties"},
		"archive":              {obj{"name": "Ar", "role": "archive"}, ""},
		"role that is none":    {obj{"name": "All", "role": "all"}, "invalidProperties"},
		"no such parent":       {obj{"name": "P", "parentId": "zz"}, "invalidProperties"},
		"tenth level":          {obj{"name": "n10", "parentId": parent}, ""},
		"unknown property":     {obj{"name": "U", "colour": "red"}, "invalidProperties"},
		"unresolved reference": {obj{"name": "R", "parentId": "#nobody"}, "notFound"},
	} {
		r := c.call("Mailbox/set", obj{"accountId": id, "create": obj{"x": tc.create}})
		if got := r.str("notCreated", "x", "type"); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
		if tc.want == "alreadyExists" && r.str("notCreated", "x", "existingId") != "a" {
			t.Errorf("%s: %v", name, r.v)
		}
	}
	ten := c.call("Mailbox/query", obj{"accountId": id, "filter": obj{"name": "n10"}}).str("ids", 0)
	if got := c.call("Mailbox/set", obj{"accountId": id, "create": obj{"x": obj{"name": "n11", "parentId": ten}}}).str("notCreated", "x", "type"); got != "invalidProperties" {
		t.Errorf("eleventh level: %q", got)
	}
	if got := c.call("Mailbox/set", obj{"accountId": id, "update": obj{"h": obj{"parentId": parent}}}).str("notUpdated", "h", "type"); got != "invalidProperties" {
		t.Errorf("below itself: %q", got)
	}
	if got := c.call("Mailbox/set", obj{"accountId": id, "update": obj{"a": obj{"role": nil}}}).str("notUpdated", "a", "type"); got != "invalidProperties" {
		t.Errorf("role of the Inbox: %q", got)
	}
}

// The server compares with what is committed, not within the call.
func TestEqualNamesInOneCallAreBothMade(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	r := b.admin().call("Mailbox/set", obj{"accountId": id, "create": obj{"x": obj{"name": "Same"}, "y": obj{"name": "same"}, "child": obj{"name": "C", "parentId": "#x"}}})
	if r.size("created") != 3 || r.size("notCreated") != 0 {
		t.Errorf("created: %v", r.v)
	}
}

func TestMailboxCountLimit(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.userWith("anna", obj{"quotas": obj{"maxMailboxes": 6}})
	c := b.admin()
	c.call("Mailbox/set", obj{"accountId": id, "create": obj{"x": obj{"name": "X"}}})
	if got := c.call("Mailbox/set", obj{"accountId": id, "create": obj{"y": obj{"name": "Y"}}}).str("notCreated", "y", "type"); got != "overQuota" {
		t.Errorf("seventh mailbox: %q", got)
	}
}

func TestMailboxDestroy(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	c := b.admin()
	r := c.call("Mailbox/set", obj{"accountId": id, "create": obj{"p": obj{"name": "P"}, "k": obj{"name": "K", "parentId": "#p"}}})
	p, k := r.str("created", "p", "id"), r.str("created", "k", "id")
	c.put(id, k, message("x", "1@x"))
	for _, tc := range []struct{ box, want string }{{"a", "forbidden"}, {"b", "forbidden"}, {"c", "forbidden"}, {p, "mailboxHasChild"}, {k, "mailboxHasEmail"}, {"zz", "notFound"}} {
		if got := c.call("Mailbox/set", obj{"accountId": id, "destroy": []string{tc.box}}).str("notDestroyed", tc.box, "type"); got != tc.want {
			t.Errorf("destroy %s: %q, want %q", tc.box, got, tc.want)
		}
	}
	if r := c.call("Mailbox/set", obj{"accountId": id, "destroy": []string{k}, "onDestroyRemoveEmails": true}); r.str("destroyed", 0) != k {
		t.Errorf("with its emails: %v", r.v)
	}
	if n := c.call("Email/query", obj{"accountId": id, "calculateTotal": true}).num("total"); n != 0 {
		t.Errorf("%d emails left", n)
	}
}

func TestMailboxChanges(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	c := b.admin()
	state := c.call("Mailbox/get", obj{"accountId": id}).str("state")
	if got := c.call("Mailbox/changes", obj{"accountId": id, "sinceState": state}).str("newState"); got != state {
		t.Errorf("no change, but %s became %s", state, got)
	}
	c.put(id, "a", message("x", "1@x"))
	r := c.call("Mailbox/changes", obj{"accountId": id, "sinceState": state})
	equalJSON(t, "updated", r.at("updated"), []string{"a"})
	equalJSON(t, "only counts", r.at("updatedProperties"), []string{"totalEmails", "unreadEmails", "totalThreads", "unreadThreads"})
	c.call("Mailbox/set", obj{"accountId": id, "update": obj{"d": obj{"name": "Entwürfe"}}})
	r = c.call("Mailbox/changes", obj{"accountId": id, "sinceState": r.str("newState")})
	equalJSON(t, "renamed", r.at("updated"), []string{"d"})
	if r.at("updatedProperties").v != nil {
		t.Error("a new name is more than counts")
	}
	if got := c.fails("Mailbox/set", obj{"accountId": id, "ifInState": state, "destroy": []string{"e"}}); got != "stateMismatch" {
		t.Errorf("ifInState: %q", got)
	}
}
