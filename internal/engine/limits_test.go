package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/hours"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/source/courtesy"
)

// A run that reaches the end of its hours pauses before the next chunk is read,
// brings home what is in flight, and goes on when the hours begin again.
func TestRunPausesOutsideOfItsHours(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	const messages = 2100 // five chunks
	for i := range messages {
		e.src.Deliver("anna", "INBOX", message(i), model.Flags{}, day)
	}
	var mu sync.Mutex
	now := time.Date(2026, 11, 25, 5, 50, 0, 0, time.UTC)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	hours := hours.Daily(20*time.Hour, 6*time.Hour)
	open := func(t time.Time) bool { return t.Hour() >= 20 || t.Hour() < 6 }
	var chunks, pauses int
	e.src.Fail = func(call string) error {
		var uid int
		if n, _ := fmt.Sscanf(call, "read %d", &uid); n == 0 || uid%500 != 1 {
			return nil // within a chunk
		}
		mu.Lock()
		defer mu.Unlock()
		if chunks++; !open(now) {
			t.Errorf("chunk %d is read at %s", chunks, now.Format("15:04"))
		}
		now = now.Add(4 * time.Hour) // how long it takes
		return nil
	}
	sleep := func(ctx context.Context, d time.Duration) error {
		// Whatever was read is at the destination before the night is over, but
		// for what does not fill a batch.
		for deadline := time.Now().Add(20 * time.Second); len(e.emails()) < chunks*500-250; {
			if time.Now().After(deadline) {
				t.Errorf("after %d chunks only %d emails are at the destination", chunks, len(e.emails()))
				break
			}
		}
		mu.Lock()
		defer mu.Unlock()
		pauses++
		now = now.Add(d)
		if now.Hour() != 20 || now.Minute() != 0 {
			t.Errorf("goes on at %s", now.Format("15:04"))
		}
		return nil
	}
	r := e.done(func(o *engine.Options) {
		o.Now, o.Courtesy = clock, courtesy.New(courtesy.Bounds{Hours: hours, Now: clock, Sleep: sleep})
	})
	if r.Counts.Messages != messages || pauses != 2 || chunks != 5 {
		t.Errorf("%d messages in %d chunks with %d pauses: %+v", r.Counts.Messages, chunks, pauses, r.Counts)
	}
	e.src.Fail = nil
	e.exact()
}

// Large messages are asked for by few: the end of the hours is not overlooked for
// as long as 500 of them take, and one that is being read then is read to its end.
func TestRunWithLargeMessagesKeepsItsHours(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	const messages, size, few = 30, 3 << 20, 5 // in 16 MiB
	body := strings.Repeat(strings.Repeat("x", 70)+"\r\n", size/72)
	for i := range messages {
		e.src.Deliver("anna", "INBOX", fmt.Sprintf("From: a@b.test\r\nSubject: %d\r\n\r\n%s", i, body), model.Flags{}, day)
	}
	clock := &hand{now: time.Date(2026, 11, 25, 5, 53, 0, 0, time.UTC)}
	late, pauses := 0, 0
	e.src.Fail = func(call string) error {
		if !strings.HasPrefix(call, "read ") {
			return nil
		}
		if h := clock.Now().Hour(); h >= 6 && h < 20 {
			late++
		}
		clock.Move(2 * time.Minute) // for each message
		return nil
	}
	r := e.done(func(o *engine.Options) {
		o.Now = clock.Now
		o.Courtesy = courtesy.New(courtesy.Bounds{Hours: hours.Daily(20*time.Hour, 6*time.Hour), Now: clock.Now, Sleep: func(_ context.Context, d time.Duration) error {
			pauses++
			clock.Move(d)
			return nil
		}})
	})
	if r.Counts.Messages != messages || late >= few || pauses != 1 {
		t.Errorf("%d messages, of which %d were begun after the hours, %d pauses", r.Counts.Messages, late, pauses)
	}
	e.src.Fail = nil
	e.exact()
}

// A run that begins outside of its hours asks the source nothing.
func TestRunWaitsForItsHours(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	e.fill("INBOX", 3)
	waiting := fmt.Errorf("waiting")
	e.src.Fail = func(call string) error { t.Errorf("the source was asked for %q", call); return nil }
	r := e.sync(func(o *engine.Options) {
		o.Courtesy = courtesy.New(courtesy.Bounds{
			Hours: hours.Daily(20*time.Hour, 6*time.Hour),
			Now:   func() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) },
			Sleep: func(_ context.Context, d time.Duration) error {
				if d != 8*time.Hour {
					t.Errorf("waits %v", d)
				}
				return waiting
			},
		})
	})
	if r.Err == nil {
		t.Error("the run did not wait")
	}
}

// A source that answers later than the bound is asked after a pause that grows,
// and that shrinks again when it answers in time: by the test's own clock, to
// the millisecond.
func TestPausesFollowTheLatency(t *testing.T) {
	t.Parallel()
	e := newEnv(t, sandbox.Options{})
	took := []time.Duration{100, 3000, 3000, 100, 100, 100, 100} // of each chunk, in milliseconds
	want := []time.Duration{0, 0, 3000, 6000, 3000, 1500, 750}   // the pause before it
	for i := range 500 * len(took) {
		e.src.Deliver("anna", "INBOX", message(i), model.Flags{}, day)
	}
	clock := &hand{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	var paused time.Duration
	var chunk int
	e.src.Fail = func(call string) error {
		var uid int
		if n, _ := fmt.Sscanf(call, "read %d", &uid); n == 0 || uid%500 != 1 {
			return nil
		}
		if paused != want[chunk]*time.Millisecond {
			t.Errorf("chunk %d is asked for after %v, should be %v", chunk+1, paused, want[chunk]*time.Millisecond)
		}
		paused = 0
		clock.Move(took[chunk] * time.Millisecond)
		chunk++
		return nil
	}
	e.done(func(o *engine.Options) {
		o.Now = clock.Now
		o.Courtesy = courtesy.New(courtesy.Bounds{Latency: time.Second, Now: clock.Now, Sleep: func(_ context.Context, d time.Duration) error {
			paused += d
			clock.Move(d)
			return nil
		}})
	})
	if chunk != len(took) {
		t.Errorf("%d chunks", chunk)
	}
	e.src.Fail = nil
	e.exact()
}
