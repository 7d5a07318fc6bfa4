package courtesy

import (
	"context"
	"testing"
	"time"
	_ "time/tzdata" // where the machine has no zones
)

func TestHours(t *testing.T) {
	t.Parallel()
	night, noon := Hours{20 * time.Hour, 6 * time.Hour}, Hours{12 * time.Hour, 13*time.Hour + 30*time.Minute}
	for _, c := range []struct {
		h    Hours
		at   string
		wait time.Duration
	}{
		{Hours{}, "03:00", 0},
		{night, "20:00", 0}, {night, "23:59", 0}, {night, "00:00", 0}, {night, "05:59", 0},
		{night, "06:00", 14 * time.Hour}, {night, "19:59", time.Minute},
		{noon, "11:30", 30 * time.Minute}, {noon, "12:00", 0}, {noon, "13:29", 0}, {noon, "13:30", 22*time.Hour + 30*time.Minute},
	} {
		at, err := time.Parse("2006-01-02 15:04", "2026-11-24 "+c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.h.wait(at); got != c.wait {
			t.Errorf("%s at %s: wait %v, want %v", c.h, c.at, got, c.wait)
		}
	}
	if s := night.String(); s != "20:00-06:00" {
		t.Error(s)
	}
}

func TestCourtesy(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC)
	var slept []time.Duration
	var said int
	c := New(Bounds{Hours: Hours{20 * time.Hour, 6 * time.Hour}, Latency: 100 * time.Millisecond, Now: func() time.Time { return now },
		Sleep: func(_ context.Context, d time.Duration) error { slept = append(slept, d); now = now.Add(d); return nil },
		Say:   func(string) { said++ }})
	ask := func() time.Duration {
		t.Helper()
		slept = nil
		if err := c.Ask(t.Context()); err != nil {
			t.Fatal(err)
		}
		var sum time.Duration
		for _, d := range slept {
			sum += d
		}
		return sum
	}
	if d := ask(); d != time.Hour || said != 1 {
		t.Errorf("an hour early: waited %v, said %d", d, said)
	}
	c.answered(50*time.Millisecond, c.changes)
	if d := ask(); d != 0 {
		t.Errorf("a fast source: waited %v", d)
	}
	c.answered(300*time.Millisecond, c.changes)
	first := ask()
	c.answered(300*time.Millisecond, c.changes)
	if second := ask(); first < 300*time.Millisecond || second <= first {
		t.Errorf("a slow source: waited %v, then %v", first, second)
	}
	for range 40 {
		c.answered(time.Minute, c.changes)
	}
	if d := ask(); d != maxPause {
		t.Errorf("a source that is down: waited %v", d)
	}
	for range 20 {
		c.answered(10*time.Millisecond, c.changes)
	}
	if d := ask(); d != 0 {
		t.Errorf("recovered: waited %v", d)
	}
}

// Hours are those of the wall clock, on the days on which it is put forward or
// back, too: a run never starts outside of them, and never waits for longer
// than until they begin.
func TestHoursOnDaysOfOtherLengths(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night, early := Hours{20 * time.Hour, 6 * time.Hour}, Hours{time.Hour, 5 * time.Hour}
	for _, c := range []struct {
		h    Hours
		at   string // local time
		wait time.Duration
	}{
		// 2026-03-29: 02:00 becomes 03:00.
		{night, "2026-03-28 19:00", time.Hour}, {night, "2026-03-28 23:00", 0}, {night, "2026-03-29 05:30", 0},
		{night, "2026-03-29 06:00", 14 * time.Hour},
		{early, "2026-03-28 23:00", 2 * time.Hour}, {early, "2026-03-29 00:30", 30 * time.Minute}, {early, "2026-03-29 04:59", 0},
		{early, "2026-03-28 05:00", 20 * time.Hour}, {early, "2026-03-29 05:00", 20 * time.Hour},
		{Hours{0, 12 * time.Hour}, "2026-03-28 12:00", 12 * time.Hour}, {Hours{6 * time.Hour, 7 * time.Hour}, "2026-03-28 07:00", 22 * time.Hour},
		// 2026-10-25: 03:00 becomes 02:00.
		{night, "2026-10-24 19:00", time.Hour}, {night, "2026-10-25 05:59", 0}, {night, "2026-10-25 06:00", 14 * time.Hour},
		{Hours{6 * time.Hour, 7 * time.Hour}, "2026-10-24 07:00", 24 * time.Hour}, {early, "2026-10-25 00:00", time.Hour}, {early, "2026-10-25 05:00", 20 * time.Hour},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.h.wait(at); got != c.wait {
			t.Errorf("%s at %s: wait %v, want %v", c.h, c.at, got, c.wait)
		}
	}
	// Any minute of those days, any hours: after the wait they have begun, or
	// the clock skips the moment; and nobody waits within them.
	for _, day := range []string{"2026-03-28", "2026-10-24"} {
		start, err := time.ParseInLocation("2006-01-02", day, berlin)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []Hours{night, early, {2*time.Hour + 30*time.Minute, 4 * time.Hour}, {2*time.Hour + 15*time.Minute, 2*time.Hour + 45*time.Minute}, {23 * time.Hour, 2*time.Hour + 30*time.Minute}} {
			for now := start; now.Before(start.Add(50 * time.Hour)); now = now.Add(time.Minute) {
				d := h.wait(now)
				if d < 0 || d > 48*time.Hour { // a window may be skipped whole
					t.Fatalf("%s at %s: wait %v", h, now, d)
				}
				if clock := now.Format("15:04"); d == 0 && !within(h, clock) {
					t.Fatalf("%s at %s: no wait", h, now)
				}
				if then := now.Add(d); d > 0 && h.wait(then) > time.Hour {
					t.Fatalf("%s at %s: waits %v, and then %v more", h, now, d, h.wait(then))
				}
			}
		}
	}
}

// within reads the wall clock as an administrator would.
func within(h Hours, clock string) bool {
	from, to := h.String()[:5], h.String()[6:]
	if from < to {
		return from <= clock && clock < to
	}
	return clock >= from || clock < to
}

// Accounts that ask at once and wait for the same slow moment slow the run down
// once, not each; and they let it recover once.
func TestLatencyOfSeveralAccounts(t *testing.T) {
	t.Parallel()
	const accounts, bound = 16, time.Second
	now := time.Date(2026, 11, 26, 20, 0, 0, 0, time.UTC)
	var slept []time.Duration
	c := New(Bounds{Latency: bound, Now: func() time.Time { return now }, Sleep: func(_ context.Context, d time.Duration) error { slept = append(slept, d); return nil }})
	round := func(took, pause time.Duration) {
		t.Helper()
		slept = nil
		var answered []func()
		for range accounts {
			fn, err := c.Asking(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			answered = append(answered, fn)
		}
		for _, d := range slept {
			if d != pause {
				t.Fatalf("paused %v, want %v", slept, pause)
			}
		}
		if pause > 0 != (len(slept) == accounts) {
			t.Fatalf("%d pauses", len(slept))
		}
		now = now.Add(took)
		for _, fn := range answered {
			fn()
		}
	}
	round(bound/2, 0)
	round(3*bound, 0)
	round(3*bound, 3*bound)
	round(bound/2, 6*bound)
	round(bound/2, 3*bound)
	round(bound/2, 3*bound/2)
	round(4*bound, 3*bound/4)
	round(bound/2, 4*bound)
}
