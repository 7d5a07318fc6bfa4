package cli_test

import (
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// objectTarget is the new server with its two logins.
type objectTarget struct {
	target
	real     *lab.Stalwart // nil: the embedded one, which sends nothing
	migrator string
	dst      destination.Destination // as the migrator
}

func startObjectTarget(t *testing.T) *objectTarget {
	t.Helper()
	s := lab.StartStalwart(t)
	return newObjectTarget(t, target{url: s.URL, user: s.AdminUser, password: s.AdminPassword}, s)
}

func startObjectSandbox(t *testing.T) *objectTarget {
	t.Helper()
	return newObjectTarget(t, startSandbox(t), nil)
}

func newObjectTarget(t *testing.T, at target, real *lab.Stalwart) *objectTarget {
	t.Helper()
	to := &objectTarget{target: at, real: real}
	to.migrator = to.makeMigrator(t, "lab.test", "calendarSchedulingSend")
	to.listsAll(t) // as mailhaul check --fix does, so that the test can list large calendars, too
	var err error
	if to.dst, err = stalwart.Dial(t.Context(), stalwart.Config{URL: to.url, User: to.migrator, Password: migratorPassword}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { to.dst.Close() })
	return to
}

// listsAll has a Stalwart list large collections.
func (to target) listsAll(t *testing.T) {
	t.Helper()
	type object = map[string]any
	var done any
	to.call(t, "x:WebDav/set", object{"update": object{"singleton": object{"maxResults": 1_000_000}}}, &done)
	to.call(t, "x:Action/set", object{"create": object{"r": object{"@type": "ReloadSettings"}}}, &done)
}

// sentNothing demands that no message waits in the queue, and that none ever
// did: what cannot be delivered leaves it at once, and only the log tells.
func (to *objectTarget) sentNothing(t *testing.T) {
	t.Helper()
	if to.real == nil {
		return
	}
	var waiting struct{ IDs []string }
	to.call(t, "x:QueuedMessage/query", map[string]any{}, &waiting)
	log := to.real.Log(t)
	if n, m := strings.Count(log, "-queued)"), strings.Count(log, "(calendar.itip-message-sent)"); len(waiting.IDs)+n+m > 0 {
		t.Errorf("%d messages wait, %d were queued, %d are about meetings", len(waiting.IDs), n, m)
	}
}
