package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestRequestsAreRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{MaxCallsInRequest: 2, MaxSizeRequest: 2000}})
	c := b.admin()
	echo := []any{"Core/echo", obj{}, "a"}
	for name, tc := range map[string]struct {
		body        any
		kind, limit string
	}{
		"not JSON":           {[]byte(`{"using":[`), "notRequest", ""},
		"unknown capability": {obj{"using": []string{"urn:example:x"}, "methodCalls": []any{}}, "notRequest", ""},
		"call of two":        {obj{"using": []string{capCore}, "methodCalls": []any{[]any{"Core/echo", obj{}}}}, "notRequest", ""},
		"too many calls":     {obj{"using": []string{capCore}, "methodCalls": []any{echo, echo, echo}}, "limit", "maxCallsInRequest"},
		"too large":          {obj{"using": []string{capCore}, "methodCalls": []any{[]any{"Core/echo", obj{"x": strings.Repeat("x", 3000)}, "a"}}}, "limit", "maxSizeRequest"},
	} {
		status, r := c.raw(tc.body)
		if status != 400 || r.str("type") != "urn:ietf:params:jmap:error:"+tc.kind || r.str("limit") != tc.limit {
			t.Errorf("%s: %d %v", name, status, r.v)
		}
	}
	if status, _, body := c.do("POST", "/jmap/", "text/plain", []byte("{}")); status != 400 || !strings.Contains(string(body), "notJSON") {
		t.Errorf("content type: %d %s", status, body)
	}
	if status, _, _ := b.as("admin", "wrong").do("POST", "/jmap/", "", []byte("{}")); status != 401 {
		t.Errorf("wrong password: %d", status)
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	c := b.admin()
	for path, want := range map[string]int{"/.well-known/jmap": 307, "/healthz/live": 200, "/nothing": 404, "/jmap/session": 200, "/api/account": 200} {
		status, h, _ := c.do("GET", path, "", nil)
		if status != want {
			t.Errorf("GET %s: %d, want %d", path, status, want)
		}
		if status == 307 && h.Get("Location") != "/jmap/session" {
			t.Errorf("location %q", h.Get("Location"))
		}
	}
	// Without Authorization the session is told, without accounts.
	_, _, body := b.as("", "").do("GET", "/jmap/session", "", nil)
	var v any
	_ = json.Unmarshal(body, &v)
	if s := (tree{v}); s.size("accounts") != 0 || s.num("capabilities", capCore, "maxObjectsInSet") != 500 {
		t.Errorf("session without login: %s", body)
	}
	if status, _, _ := b.as("", "").do("GET", "/api/account", "", nil); status != http.StatusUnauthorized {
		t.Errorf("api/account without login: %d", status)
	}
}

func TestSessionOfALoginAndOfAMaster(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	anna, id := b.user("anna")
	for _, c := range []*client{anna, b.as("anna@example.test%admin", "demo"), b.as("anna@example.test%admin@"+defaultDomain, "demo")} {
		status, _, body := c.do("GET", "/jmap/session", "", nil)
		var v any
		_ = json.Unmarshal(body, &v)
		s := tree{v}
		if status != 200 || s.str("username") != "anna@example.test" || s.str("primaryAccounts", capMail) != id {
			t.Errorf("%s: %d %s", c.login, status, body)
		}
		// The token of a master login is the target's: no privileges.
		_, _, body = c.do("GET", "/api/account", "", nil)
		if strings.Contains(string(body), "impersonate") || !strings.Contains(string(body), "jmapEmailImport") || !strings.Contains(string(body), `"edition":"oss"`) {
			t.Errorf("%s: permissions %s", c.login, body)
		}
	}
	if status, _, _ := b.as("admin%anna@example.test", testPassword).do("GET", "/jmap/session", "", nil); status != 403 {
		t.Errorf("a user as master: %d", status)
	}
	if status, _, _ := b.as("anna@example.test%admin", "wrong").do("GET", "/jmap/session", "", nil); status != 401 {
		t.Errorf("a wrong master password: %d", status)
	}
	_, _, body := b.admin().do("GET", "/api/account", "", nil)
	for _, p := range []string{"impersonate", "unlimitedUploads", "unlimitedRequests", "sysAccountCreate"} {
		if !strings.Contains(string(body), p) {
			t.Errorf("the administrator lacks %s", p)
		}
	}
}

func TestMethodNeedsItsCapability(t *testing.T) {
	t.Parallel()
	c := start(t, Options{}).admin()
	for name, using := range map[string]string{"Mailbox/get": capMail, "Blob/upload": capBlob, "Identity/get": capSubmission, "SieveScript/get": capSieve, "Quota/get": capQuota} {
		_, r := c.raw(obj{"using": []string{capCore}, "methodCalls": []any{[]any{name, obj{"accountId": "b", "create": obj{}}, "a"}}})
		if got := r.str("methodResponses", 0, 1, "type"); got != "unknownMethod" {
			t.Errorf("%s without %s: %q", name, using, got)
		}
	}
	if got := c.fails("Mailbox/copy", obj{}); got != "unknownMethod" {
		t.Errorf("a method that nobody has: %q", got)
	}
	// Registry methods need nothing.
	_, r := c.raw(obj{"using": []string{capCore}, "methodCalls": []any{[]any{"x:Account/query", obj{}, "a"}}})
	if r.str("methodResponses", 0, 0) != "x:Account/query" {
		t.Errorf("x:Account/query: %v", r.v)
	}
}

func TestAccountsOfOthers(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	anna, annaID := b.user("anna")
	_, berndID := b.user("bernd")
	if got := anna.fails("Mailbox/get", obj{"accountId": berndID}); got != "forbidden" {
		t.Errorf("anna reads bernd: %q", got)
	}
	if got := anna.fails("x:Account/get", obj{}); got != "forbidden" {
		t.Errorf("anna lists accounts: %q", got)
	}
	if got := anna.fails("Mailbox/get", obj{}); got != "invalidArguments" {
		t.Errorf("no accountId: %q", got)
	}
	if got := b.admin().call("Mailbox/get", obj{"accountId": annaID}).size("list"); got != 5 {
		t.Errorf("the administrator sees %d mailboxes", got)
	}
	if got := b.admin().fails("Mailbox/get", obj{"accountId": "!"}); got != "accountNotFound" {
		t.Errorf("no id: %q", got)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, id := b.user("anna")
	c := b.admin()
	c.put(id, "a", message("one", "1@x"), message("two", "2@x"))
	ref := func(of, name, path string) obj { return obj{"resultOf": of, "name": name, "path": path} }
	r := c.calls(
		"Email/query", obj{"accountId": id, "filter": obj{"inMailbox": "a"}},
		"Email/get", obj{"accountId": id, "#ids": ref("c0", "Email/query", "/ids"), "properties": []string{"threadId"}},
		"Thread/get", obj{"accountId": id, "#ids": ref("c1", "Email/get", "/list/*/threadId")},
		"Email/changes", obj{"accountId": id, "sinceState": "n"},
		"Email/get", obj{"accountId": id, "#ids": ref("c3", "Email/changes", "/created"), "properties": []string{"id"}},
		"Email/get", obj{"accountId": id, "#ids": ref("c9", "Email/query", "/ids")},
		"Mailbox/set", obj{"accountId": id, "create": obj{"p": obj{"name": "P"}}},
		"Mailbox/set", obj{"accountId": id, "create": obj{"q": obj{"name": "Q", "parentId": "#p"}}},
		"Mailbox/get", obj{"accountId": id, "ids": []string{"#q"}, "properties": []string{"parentId"}},
	)
	if r.size(1, 1, "list") != 2 || r.size(2, 1, "list") != 2 || r.size(4, 1, "list") != 2 {
		t.Errorf("result references: %v", r.v)
	}
	if r.str(5, 1, "type") != "invalidResultReference" {
		t.Errorf("to nowhere: %v", r.at(5).v)
	}
	if got, want := r.str(8, 1, "list", 0, "parentId"), r.str(6, 1, "created", "p", "id"); got != want {
		t.Errorf("creation id: parent %q, want %q", got, want)
	}
}

func TestLimitsOfAGet(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Limits: Limits{MaxObjectsInGet: 2, MaxObjectsInSet: 2}})
	_, id := b.user("anna")
	c := b.admin()
	if got := c.fails("Mailbox/get", obj{"accountId": id, "ids": []string{"a", "b", "c"}}); got != "requestTooLarge" {
		t.Errorf("three ids: %q", got)
	}
	if got := c.call("Mailbox/get", obj{"accountId": id}).size("list"); got != 2 {
		t.Errorf("all: %d mailboxes, want the first two, silently", got)
	}
	create := obj{"1": obj{"name": "1"}, "2": obj{"name": "2"}, "3": obj{"name": "3"}}
	if got := c.fails("Mailbox/set", obj{"accountId": id, "create": create}); got != "requestTooLarge" {
		t.Errorf("three creates: %q", got)
	}
	equalJSON(t, "not found", c.call("Mailbox/get", obj{"accountId": id, "ids": []string{"zz", "!"}}).at("notFound"), []string{"!", "zz"})
}
