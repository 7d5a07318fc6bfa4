package sandbox

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestProvisionDomainAndAccounts(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	c := b.admin()
	manual := obj{"@type": "Manual"}
	r := c.calls(
		"x:Domain/set", obj{"create": obj{"d": obj{"name": "Example.TEST", "aliases": obj{"example2.test": true}, "dkimManagement": manual, "dnsManagement": manual, "certificateManagement": manual}}},
		"x:Account/set", obj{"create": obj{
			"g": obj{"@type": "Group", "name": "info", "domainId": "#d"},
		}},
		"x:Account/set", obj{"create": obj{"a": obj{
			"@type": "User", "name": "Alice", "domainId": "#d", "description": "Alice A", "memberGroupIds": obj{"#g": true},
			"credentials": obj{"0": obj{"@type": "Password", "secret": "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"}},
			"aliases":     obj{"0": obj{"name": "a.liddell", "domainId": "#d"}}, "quotas": obj{"maxDiskQuota": 1000},
		}}},
	)
	id, group := r.str(2, 1, "created", "a", "id"), r.str(1, 1, "created", "g", "id")
	if id == "" || group == "" {
		t.Fatalf("%v", r.v)
	}
	for _, address := range []string{"alice@example.test", "a.liddell@example.test", "alice@example2.test"} {
		if got := c.call("Principal/query", obj{"filter": obj{"email": address}}).str("ids", 0); got != id {
			t.Errorf("%s is %q", address, got)
		}
	}
	// The password was carried as its hash; an alias is no login.
	if status, _, body := b.as("alice@example.test", "password").do("GET", "/jmap/session", "", nil); status != 200 || !strings.Contains(string(body), "info@example.test") {
		t.Errorf("login: %d %s", status, body)
	}
	if status, _, _ := b.as("a.liddell@example.test", "password").do("GET", "/jmap/session", "", nil); status != 401 {
		t.Errorf("login by alias: %d", status)
	}
	got := c.call("x:Account/get", obj{"ids": []string{id}}).at("list", 0)
	if got.str("name") != "alice" || got.str("emailAddress") != "alice@example.test" || got.str("credentials", "0", "secret") != "****" {
		t.Errorf("x:Account/get: %v", got.v)
	}
	// A second run finds what is there.
	again := c.call("x:Account/set", obj{"create": obj{"x": obj{"@type": "User", "name": "a.liddell", "domainId": got.str("domainId")}}})
	equalJSON(t, "taken address", again.at("notCreated", "x"), obj{"type": "primaryKeyViolation", "properties": []string{"email"}, "objectId": obj{"object": "Account", "id": id}})
	if got := c.call("x:Domain/set", obj{"create": obj{"d": obj{"name": "example2.test"}}}).str("notCreated", "d", "type"); got != "primaryKeyViolation" {
		t.Errorf("taken domain: %q", got)
	}
	dom := c.call("x:Domain/query", obj{"filter": obj{"name": "example.test"}}).str("ids", 0)
	if q := c.call("x:Account/query", obj{"filter": obj{"@type": "User", "domainId": dom, "name": "alice"}}); q.str("ids", 0) != id || q.size("ids") != 1 {
		t.Errorf("x:Account/query: %v", q.v)
	}
	if got := c.call("x:Domain/set", obj{"destroy": []string{dom}}).str("notDestroyed", dom, "type"); got != "objectIsLinked" {
		t.Errorf("destroy a used domain: %q", got)
	}
	if got := c.fails("x:Account/query", obj{"filter": obj{"operator": "OR", "conditions": []any{obj{"name": "x"}}}}); got != "unsupportedFilter" {
		t.Errorf("OR: %q", got)
	}
	r = c.call("Identity/get", obj{"accountId": id})
	if r.size("list") != 3 || r.str("list", 0, "name") != "Alice A" {
		t.Errorf("identities: %v", r.v)
	}
}

func TestAccountRefusals(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	_, anna := b.user("anna")
	c := b.admin()
	dom := c.call("x:Account/get", obj{"ids": []string{anna}}).str("list", 0, "domainId")
	secret := func(s string) obj { return obj{"0": obj{"@type": "Password", "secret": s}} }
	for name, tc := range map[string]struct {
		with obj
		want string
	}{
		"plain":                 {obj{}, ""},
		"two dots":              {obj{"name": "a..b"}, "validationFailed"},
		"at sign":               {obj{"name": "a@b"}, "validationFailed"},
		"no such domain":        {obj{"domainId": "zz"}, "invalidForeignKey"},
		"no such group":         {obj{"memberGroupIds": obj{"zz": true}}, "invalidForeignKey"},
		"array":                 {obj{"aliases": []any{}}, "invalidPatch"},
		"unknown property":      {obj{"colour": "red"}, "invalidProperties"},
		"short password":        {obj{"credentials": secret("1234567")}, "invalidProperties"},
		"weak password":         {obj{"credentials": secret("password1")}, "invalidProperties"},
		"hash that is not":      {obj{"credentials": secret("{SHA512-CRYPT}$6$saltsalt$abc")}, ""},
		"scram, over 128":       {obj{"credentials": secret("{SCRAM-SHA-256}" + strings.Repeat("x", 120))}, "invalidProperties"},
		"two passwords":         {obj{"credentials": obj{"0": secret(testPassword)["0"], "1": secret(testPassword)["0"]}}, "invalidProperties"},
		"app password":          {obj{"credentials": obj{"0": obj{"@type": "AppPassword"}}}, "invalidProperties"},
		"type that there isn't": {obj{"@type": "Robot"}, "invalidProperties"},
	} {
		o := obj{"@type": "User", "name": strings.ReplaceAll(strings.ReplaceAll(name, ",", ""), " ", "-"), "domainId": dom}
		o["name"] = strings.ReplaceAll(o["name"].(string), "'", "")
		for k, v := range tc.with {
			o[k] = v
		}
		r := c.call("x:Account/set", obj{"create": obj{"x": o}})
		if got := r.str("notCreated", "x", "type"); got != tc.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, tc.want, r.v)
		}
	}
	// The hash that is none has become the password.
	if status, _, _ := b.as("hash-that-is-not@example.test", "{SHA512-CRYPT}$6$saltsalt$abc").do("GET", "/jmap/session", "", nil); status != 200 {
		t.Errorf("login with the text of the hash: %d", status)
	}
}

func TestAccountUpdate(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	anna, id := b.user("anna")
	c := b.admin()
	dom := c.call("x:Account/get", obj{"ids": []string{id}}).str("list", 0, "domainId")
	r := c.call("x:Account/set", obj{"update": obj{id: obj{
		"aliases/0": obj{"name": "ann", "domainId": dom}, "quotas/maxDiskQuota": 5, "credentials/0/secret": "****",
		"permissions": obj{"@type": "Merge", "enabledPermissions": obj{"impersonate": true, "unlimitedUploads": true}, "disabledPermissions": obj{"emailReceive": true}},
	}}})
	if r.size("updated") != 1 {
		t.Fatalf("%v", r.v)
	}
	_, _, body := anna.do("GET", "/api/account", "", nil)
	if s := string(body); !strings.Contains(s, "impersonate") || !strings.Contains(s, "unlimitedUploads") || strings.Contains(s, "emailReceive") || strings.Contains(s, "unlimitedRequests") {
		t.Errorf("permissions: %s", body)
	}
	if got := c.call("Principal/query", obj{"filter": obj{"email": "ann@example.test"}}).str("ids", 0); got != id {
		t.Errorf("new alias: %q", got)
	}
	c.call("x:Account/set", obj{"update": obj{id: obj{"permissions": obj{"@type": "Merge", "disabledPermissions": obj{"authenticate": true}}}}})
	for _, login := range []*client{anna, b.as("anna@example.test%admin", "demo")} {
		if status, _, _ := login.do("GET", "/jmap/session", "", nil); status != 403 {
			t.Errorf("%s: %d", login.login, status)
		}
	}
}

func TestSettingsActAfterAReload(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	c := b.admin()
	maxSet := func() int {
		_, _, body := c.do("GET", "/jmap/session", "", nil)
		var v any
		_ = json.Unmarshal(body, &v)
		return (tree{v}).num("capabilities", capCore, "maxObjectsInSet")
	}
	c.call("x:Jmap/set", obj{"update": obj{"singleton": obj{"setMaxObjects": 50}}})
	if maxSet() != 500 {
		t.Error("acts without ReloadSettings")
	}
	if r := c.call("x:Action/set", obj{"create": obj{"r": obj{"@type": "ReloadSettings"}}}); r.size("created") != 1 {
		t.Errorf("action: %v", r.v)
	}
	if maxSet() != 50 {
		t.Error("does not act after ReloadSettings")
	}
	r := c.call("x:DataRetention/get", obj{"ids": []string{"singleton"}, "properties": []string{"expungeTrashAfter"}})
	if r.num("list", 0, "expungeTrashAfter") != 2592000000 {
		t.Errorf("x:DataRetention: %v", r.v)
	}
	c.call("x:SpamClassifier/set", obj{"update": obj{"singleton": obj{"model": obj{"@type": "Disabled"}}}})
	if got := c.call("x:SpamClassifier/get", obj{"ids": []string{"singleton"}}).str("list", 0, "model", "@type"); got != "Disabled" {
		t.Errorf("model %q", got)
	}
	if got := c.call("x:Email/set", obj{"update": obj{"singleton": obj{"nonsense": 1}}}).str("notUpdated", "singleton", "type"); got != "invalidProperties" {
		t.Errorf("unknown setting: %q", got)
	}
}
