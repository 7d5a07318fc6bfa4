package hours

import (
	"testing"
	"time"
	_ "time/tzdata" // where the machine has no zones
)

// parsed is what an administrator wrote.
func parsed(t *testing.T, s string) Hours {
	t.Helper()
	if s == "" {
		return nil
	}
	h, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestWait(t *testing.T) {
	t.Parallel()
	const office, weekend = "Mon-Fri 20:00-06:00, Sat-Sun", "20:00-06:00, Sat-Sun"
	for _, c := range []struct {
		hours string
		at    string // 2026-11-23 is a Monday
		wait  time.Duration
	}{
		{"", "2026-11-24 03:00", 0},
		{"20:00-06:00", "2026-11-24 20:00", 0}, {"20:00-06:00", "2026-11-24 23:59", 0}, {"20:00-06:00", "2026-11-24 00:00", 0},
		{"20:00-06:00", "2026-11-24 05:59", 0}, {"20:00-06:00", "2026-11-24 06:00", 14 * time.Hour}, {"20:00-06:00", "2026-11-24 19:59", time.Minute},
		{"12:00-13:30", "2026-11-24 11:30", 30 * time.Minute}, {"12:00-13:30", "2026-11-24 12:00", 0}, {"12:00-13:30", "2026-11-24 13:29", 0},
		{"12:00-13:30", "2026-11-24 13:30", 22*time.Hour + 30*time.Minute},
		{"20:00-24:00", "2026-11-24 23:59", 0}, {"20:00-24:00", "2026-11-25 00:00", 20 * time.Hour}, {"20:00-00:00", "2026-11-25 00:00", 20 * time.Hour},
		// The night of Friday ends on Saturday, that of Sunday is nobody's.
		{office, "2026-11-23 05:00", 15 * time.Hour}, {office, "2026-11-23 19:00", time.Hour}, {office, "2026-11-24 05:59", 0}, {office, "2026-11-27 12:00", 8 * time.Hour},
		{office, "2026-11-28 05:59", 0}, {office, "2026-11-28 12:00", 0}, {office, "2026-11-29 23:59", 0}, {office, "2026-11-30 00:00", 20 * time.Hour},
		{weekend, "2026-11-30 05:59", 0}, {weekend, "2026-11-30 06:00", 14 * time.Hour},
		{"Fri 20:00-06:00", "2026-11-28 06:00", 6*24*time.Hour + 14*time.Hour}, {"Fri 20:00-06:00", "2026-11-27 05:00", 15 * time.Hour},
		{"Fri 20:00-06:00", "2026-11-28 05:00", 0}, {"Fri 20:00-06:00", "2026-11-28 21:00", 6*24*time.Hour - time.Hour},
		{"Sat-Mon", "2026-11-23 23:59", 0}, {"Sat-Mon", "2026-11-24 00:00", 4 * 24 * time.Hour},
		{"Mon Wed 01:00-02:00, 12:00-13:00", "2026-11-23 02:00", 10 * time.Hour}, {"Mon Wed 01:00-02:00, 12:00-13:00", "2026-11-24 13:00", 12 * time.Hour},
	} {
		at, err := time.Parse("2006-01-02 15:04", c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed(t, c.hours).Wait(at); got != c.wait {
			t.Errorf("%s at %s: wait %v, want %v", c.hours, c.at, got, c.wait)
		}
	}
	at := time.Date(2026, 11, 24, 19, 59, 59, 5e8, time.UTC)
	if d := Daily(20*time.Hour, 6*time.Hour).Wait(at); d != time.Second/2 {
		t.Errorf("half a second early: wait %v", d)
	}
}

func TestDaily(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{
		"": 0, "20:00-06:00": 10 * time.Hour, "12:00-13:30, 12:30-14:00": 2 * time.Hour, "Sat-Sun": 2 * 24 * time.Hour / 7,
		"Mon-Fri 20:00-06:00, Sat-Sun": (5*10 - 6 + 2*24) * time.Hour / 7,
	} {
		if got := parsed(t, s).Daily(); got != want {
			t.Errorf("%q: %v a day, want %v", s, got, want)
		}
	}
}

// Hours are those of the wall clock, on the days on which it is put forward or
// back, too: a run never starts outside of them, and never waits for longer
// than until they begin.
func TestDaysOfOtherLengths(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night, early := Daily(20*time.Hour, 6*time.Hour), Daily(time.Hour, 5*time.Hour)
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
		{Daily(0, 12*time.Hour), "2026-03-28 12:00", 12 * time.Hour}, {Daily(6*time.Hour, 7*time.Hour), "2026-03-28 07:00", 22 * time.Hour},
		// What would begin in the hour that is skipped begins after it; what lies in it is skipped.
		{Daily(2*time.Hour+30*time.Minute, 4*time.Hour), "2026-03-29 01:00", time.Hour}, {Daily(2*time.Hour+15*time.Minute, 2*time.Hour+45*time.Minute), "2026-03-29 01:00", 24*time.Hour + 15*time.Minute},
		{Hours{{1 << time.Sunday, 2*time.Hour + 15*time.Minute, 2*time.Hour + 45*time.Minute}}, "2026-03-29 01:00", 7*24*time.Hour + 15*time.Minute},
		// A night that began on Saturday ends on Sunday by the wall clock.
		{Hours{{1 << time.Saturday, 20 * time.Hour, 6 * time.Hour}}, "2026-03-29 05:30", 0}, {Hours{{1 << time.Saturday, 20 * time.Hour, 6 * time.Hour}}, "2026-10-25 05:59", 0},
		{Hours{{1 << time.Sunday, 0, day}}, "2026-10-25 23:59", 0}, {Hours{{1 << time.Sunday, 0, day}}, "2026-10-24 23:00", time.Hour},
		{Hours{{1 << time.Monday, 0, day}}, "2026-10-25 00:00", 25 * time.Hour}, {Hours{{1 << time.Monday, 0, day}}, "2026-03-29 00:00", 23 * time.Hour},
		// 2026-10-25: 03:00 becomes 02:00.
		{night, "2026-10-24 19:00", time.Hour}, {night, "2026-10-25 05:59", 0}, {night, "2026-10-25 06:00", 14 * time.Hour},
		{Daily(6*time.Hour, 7*time.Hour), "2026-10-24 07:00", 24 * time.Hour}, {early, "2026-10-25 00:00", time.Hour}, {early, "2026-10-25 05:00", 20 * time.Hour},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.h.Wait(at); got != c.wait {
			t.Errorf("%s at %s: wait %v, want %v", c.h, c.at, got, c.wait)
		}
	}
	// All through those days, any hours: after the wait they have begun, and
	// nobody waits within them.
	for _, day := range []string{"2026-03-28", "2026-10-24"} {
		start, err := time.ParseInLocation("2006-01-02", day, berlin)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []Hours{night, early, Daily(2*time.Hour+30*time.Minute, 4*time.Hour), Daily(2*time.Hour+15*time.Minute, 2*time.Hour+45*time.Minute), Daily(23*time.Hour, 2*time.Hour+30*time.Minute)} {
			for now := start; now.Before(start.Add(50 * time.Hour)); now = now.Add(7 * time.Minute) {
				d := h.Wait(now)
				if d < 0 || d > 48*time.Hour { // a window may be skipped whole
					t.Fatalf("%s at %s: wait %v", h, now, d)
				}
				if clock := now.Format("15:04"); d == 0 && !within(h, clock) {
					t.Fatalf("%s at %s: no wait", h, now)
				}
				if then := now.Add(d); d > 0 && h.Wait(then) > 0 {
					t.Fatalf("%s at %s: waits %v, and then %v more", h, now, d, h.Wait(then))
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
