package engine

import (
	"testing"
	"time"
)

// Who watches is told what holds at the moment, not what took most of the time
// since the run began; a limit that is waited for is named while it is.
func TestLately(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 5, 0, 0, 0, time.UTC)
	p := newPace(1, firstItems, 500, func() time.Time { return now })
	var limited Limited
	l := &lately{pace: p, now: p.now, limited: func() Limited { return limited }}
	is := func(want string) {
		t.Helper()
		if got := l.bottleneck().String(); got != want {
			t.Errorf("at %s: %q, want %q", now.Format("15:04:05"), got, want)
		}
	}
	pass := func(seconds int, each func(d time.Duration)) {
		for range seconds * 5 { // as a display asks
			const d = 200 * time.Millisecond
			now = now.Add(d)
			each(d)
			l.bottleneck()
		}
	}
	is("")
	pass(60, func(d time.Duration) { p.waiting(sideSource, d) })
	is("the source")
	pass(4, func(time.Duration) {})
	is("the source") // nobody says otherwise
	pass(14, func(d time.Duration) { p.waiting(sideDestination, d) })
	is("the destination")
	pass(3600, func(d time.Duration) { limited.Hours += 4 * d }) // of four accounts
	is("limits.hours")
	pass(16, func(time.Duration) {}) // listing
	is("")
	pass(16, func(d time.Duration) { p.waiting(sideSource, d); limited.Bandwidth += d })
	is("limits.bandwidth")
	pass(16, func(d time.Duration) { p.objectsTook(sideDestination, d); p.spent(0, d) })
	is("this machine's ledger")
}
