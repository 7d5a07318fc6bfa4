package courtesy

import (
	"context"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/hours"
)

func TestCourtesy(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC)
	var slept []time.Duration
	var said int
	c := New(Bounds{Hours: hours.Daily(20*time.Hour, 6*time.Hour), Latency: 100 * time.Millisecond, Now: func() time.Time { return now },
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
