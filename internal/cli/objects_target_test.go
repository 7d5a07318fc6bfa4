package cli_test

import (
	"context"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// objectTarget is the new server with its two logins.
type objectTarget struct {
	*lab.Stalwart
	admin              *jmap.Client
	migrator, password string
	dst                destination.Destination
}

func startObjectTarget(t *testing.T) *objectTarget {
	t.Helper()
	to := &objectTarget{Stalwart: lab.StartStalwart(t), password: "Staple-Battery-4711-x"}
	to.migrator = "migrator@" + to.Domain
	var err error
	if to.admin, err = jmap.Dial(t.Context(), jmap.Config{URL: to.URL, User: to.AdminUser, Password: to.AdminPassword}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.admin.Close() })
	type object = map[string]any
	var domain struct{ IDs []string }
	to.call(t, "x:Domain/query", object{"filter": object{"name": to.Domain}}, &domain)
	var made struct{ NotCreated map[string]any }
	to.call(t, "x:Account/set", object{"create": object{"m": object{"@type": "User", "name": "migrator", "domainId": domain.IDs[0], "roles": object{"@type": "User"},
		"credentials": object{"0": object{"@type": "Password", "secret": to.password}},
		"permissions": object{"@type": "Merge", "disabledPermissions": object{"calendarSchedulingSend": true}, "enabledPermissions": object{
			"impersonate": true, "unlimitedUploads": true, "unlimitedRequests": true, "sysAccountGet": true, "sysAccountQuery": true}}}}}, &made)
	if len(made.NotCreated) > 0 {
		t.Fatalf("the migrator was not made: %v", made.NotCreated)
	}
	// As mailhaul check --fix does, so that the test can list large calendars, too.
	to.call(t, "x:WebDav/set", object{"update": object{"singleton": object{"maxResults": 1_000_000}}}, &made)
	to.call(t, "x:Action/set", object{"create": object{"r": object{"@type": "ReloadSettings"}}}, &made)
	if to.dst, err = stalwart.Dial(t.Context(), stalwart.Config{URL: to.URL, User: to.migrator, Password: to.password}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.dst.Close() })
	return to
}

func (to *objectTarget) call(t *testing.T, method string, arguments map[string]any, v any) {
	t.Helper()
	r := jmap.NewRequest("urn:stalwart:jmap")
	id := r.Call(method, arguments)
	resp, err := to.admin.Do(context.WithoutCancel(t.Context()), r)
	if err == nil {
		err = resp.Decode(id, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// sentNothing demands that no message waits in the queue, and that none ever
// did: what cannot be delivered leaves it at once, and only the log tells.
func (to *objectTarget) sentNothing(t *testing.T) {
	t.Helper()
	var waiting struct{ IDs []string }
	to.call(t, "x:QueuedMessage/query", map[string]any{}, &waiting)
	log := to.Log(t)
	if n, m := strings.Count(log, "-queued)"), strings.Count(log, "(calendar.itip-message-sent)"); len(waiting.IDs)+n+m > 0 {
		t.Errorf("%d messages wait, %d were queued, %d are about meetings", len(waiting.IDs), n, m)
	}
}
