package engine

import (
	"context"
	"testing"
	"time"
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
	c := &courtesy{hours: Hours{20 * time.Hour, 6 * time.Hour}, latency: 100 * time.Millisecond, now: func() time.Time { return now },
		sleep: func(_ context.Context, d time.Duration) error { slept = append(slept, d); now = now.Add(d); return nil },
		say:   func(string) { said++ }}
	ask := func() time.Duration {
		t.Helper()
		slept = nil
		if err := c.ask(t.Context()); err != nil {
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
	c.answered(50 * time.Millisecond)
	if d := ask(); d != 0 {
		t.Errorf("a fast source: waited %v", d)
	}
	c.answered(300 * time.Millisecond)
	first := ask()
	c.answered(300 * time.Millisecond)
	if second := ask(); first < 300*time.Millisecond || second <= first {
		t.Errorf("a slow source: waited %v, then %v", first, second)
	}
	for range 40 {
		c.answered(time.Minute)
	}
	if d := ask(); d != maxCourtesy {
		t.Errorf("a source that is down: waited %v", d)
	}
	for range 20 {
		c.answered(10 * time.Millisecond)
	}
	if d := ask(); d != 0 {
		t.Errorf("recovered: waited %v", d)
	}
}
