package cli_test

import (
	"context"
	"testing"

	"mailhaul.org/mailhaul/internal/jmap"
)

// call calls a method as the administrator of the new server and decodes the
// result into v.
func (to target) call(t *testing.T, method string, arguments map[string]any, v any) {
	t.Helper()
	to.callUsing(t, "urn:stalwart:jmap", method, arguments, v)
}

// callUsing makes a call of another capability than the server's own.
func (to target) callUsing(t *testing.T, capability, method string, arguments map[string]any, v any) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	c, err := jmap.Dial(ctx, jmap.Config{URL: to.url, User: to.user, Password: to.password})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := jmap.NewRequest(capability)
	id := r.Call(method, arguments)
	resp, err := c.Do(ctx, r)
	if err == nil {
		err = resp.Decode(id, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// migratorPassword is that of the accounts that makeMigrator makes.
const migratorPassword = "Staple-Battery-4711-x"

// makeMigrator gives an account what docs/operations.md says that a migrator
// needs, and takes from it what it must not do. It returns its name.
func (to target) makeMigrator(t *testing.T, domain string, without ...string) string {
	t.Helper()
	type object = map[string]any
	disabled := object{}
	for _, permission := range without {
		disabled[permission] = true
	}
	var found struct{ IDs []string }
	to.call(t, "x:Domain/query", object{"filter": object{"name": domain}}, &found)
	var made struct{ NotCreated map[string]any }
	to.call(t, "x:Account/set", object{"create": object{"m": object{"@type": "User", "name": "migrator", "domainId": found.IDs[0], "roles": object{"@type": "User"},
		"credentials": object{"0": object{"@type": "Password", "secret": migratorPassword}},
		"permissions": object{"@type": "Merge", "disabledPermissions": disabled, "enabledPermissions": object{
			"impersonate": true, "unlimitedUploads": true, "unlimitedRequests": true, "sysAccountGet": true, "sysAccountQuery": true}}}}}, &made)
	if len(made.NotCreated) > 0 {
		t.Fatalf("the migrator was not made: %v", made.NotCreated)
	}
	return "migrator@" + domain
}
