package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"mailhaul.org/mailhaul/internal/jmap"
)

// Manage calls a method of Stalwart's management, or the sandbox's, as c's login
// and decodes the result into v unless that is nil. An error, or something that
// was not created or changed, fails the test. It may be called while a test ends.
func Manage(t testing.TB, c *jmap.Client, method string, args map[string]any, v any) {
	t.Helper()
	r := jmap.NewRequest("urn:stalwart:jmap")
	id := r.Call(method, args)
	resp, err := c.Do(context.Background(), r)
	var refused struct {
		NotCreated, NotUpdated map[string]json.RawMessage
	}
	if err == nil {
		err = resp.Decode(id, &refused)
	}
	if err == nil && len(refused.NotCreated)+len(refused.NotUpdated) > 0 {
		err = fmt.Errorf("refused: %s %s", refused.NotCreated, refused.NotUpdated)
	}
	if err == nil && v != nil {
		err = resp.Decode(id, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// MakeMigrator has the administrator c make a login in the domain with what
// docs/operations.md says that a migrator needs, without some permissions. It
// returns its name, an address.
func MakeMigrator(t testing.TB, c *jmap.Client, domain, password string, without ...string) string {
	t.Helper()
	disabled := set{}
	for _, permission := range without {
		disabled[permission] = true
	}
	var found struct{ IDs []string }
	Manage(t, c, "x:Domain/query", set{"filter": set{"name": domain}}, &found)
	if len(found.IDs) != 1 {
		t.Fatalf("%d domains are called %s", len(found.IDs), domain)
	}
	Manage(t, c, "x:Account/set", set{"create": set{"m": set{"@type": "User", "name": "migrator", "domainId": found.IDs[0], "roles": set{"@type": "User"},
		"credentials": set{"0": set{"@type": "Password", "secret": password}},
		"permissions": set{"@type": "Merge", "disabledPermissions": disabled, "enabledPermissions": set{
			"impersonate": true, "unlimitedUploads": true, "unlimitedRequests": true, "sysAccountGet": true, "sysAccountQuery": true}}}}}, nil)
	return "migrator@" + domain
}
