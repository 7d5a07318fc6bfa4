package cli_test

import (
	"context"
	"testing"

	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
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
	c, err := jmap.Dial(t.Context(), jmap.Config{URL: to.url, User: to.user, Password: to.password})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return lab.MakeMigrator(t, c, domain, migratorPassword, without...)
}
