package hours

import (
	"fmt"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Days are days of the week, a bit for each: 1 << time.Sunday and so on.
type Days uint8

// EveryDay are all of them.
const EveryDay Days = 1<<7 - 1

func (d Days) has(w time.Weekday) bool { return d&(1<<w) != 0 }

// Range is a part of some days, from 0:00 to 24:00 at most. From after To means
// over midnight: it belongs to the day on which it begins.
type Range struct {
	Days     Days
	From, To time.Duration // since midnight
}

// Daily is a range of every day.
func Daily(from, to time.Duration) Hours { return Hours{{EveryDay, from, to}} }

// Hours are the ranges of a week that count, by the wall clock of whatever zone a
// time is in; none: always.
type Hours []Range

// contain reads the wall clock: a moment that it skips when it is put forward is in
// no range, and one that it repeats when it is put back is in them twice.
func (h Hours) contain(t time.Time) bool {
	since := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	today := t.Weekday()
	yesterday := (today + 6) % 7
	for _, r := range h {
		switch {
		case r.Days.has(today) && r.From <= since && (since < r.To || r.To < r.From),
			r.Days.has(yesterday) && r.To < r.From && since < r.To:
			return true
		}
	}
	return len(h) == 0
}

// Wait returns how long it is until the hours begin; 0 within them.
func (h Hours) Wait(now time.Time) time.Duration {
	if h.contain(now) {
		return 0
	}
	// Minute by minute the clock is right wherever it is put forward or back. A
	// range of one day that is skipped whole comes back in the week after.
	for t := now.Truncate(time.Minute).Add(time.Minute); t.Sub(now) < 15*day; t = t.Add(time.Minute) {
		if h.contain(t) {
			return t.Sub(now)
		}
	}
	return day // ranges that never are: ask again
}

// Daily is how long the hours last on an average day, each moment counted once; 0
// for always.
func (h Hours) Daily() time.Duration {
	if len(h) == 0 {
		return 0
	}
	minutes := 0
	monday := time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)
	for n := range 7 * 24 * 60 {
		if h.contain(monday.Add(time.Duration(n) * time.Minute)) {
			minutes++
		}
	}
	return time.Duration(minutes) * time.Minute / 7
}

// String is what Parse reads, "Mon-Fri 20:00-06:00, Sat-Sun", or "" for always.
func (h Hours) String() string {
	// Whole days come last, as Parse wants them.
	var parts, whole []string
	for _, r := range h {
		if r.From == 0 && r.To == day && r.Days != EveryDay {
			whole = append(whole, r.Days.String())
			continue
		}
		s := clock(r.From) + "-" + clock(r.To)
		if r.Days != EveryDay {
			s = r.Days.String() + " " + s
		}
		parts = append(parts, s)
	}
	return strings.Join(append(parts, whole...), ", ")
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

// String names them from Monday on, several in a row by the first and the
// last.
func (d Days) String() string {
	var parts []string
	for n := 0; n < 7; n++ {
		first := n
		for n < 7 && d.has(weekday(n)) {
			n++
		}
		switch name := func(n int) string { return weekday(n).String()[:3] }; n - first {
		case 0:
		case 1:
			parts = append(parts, name(first))
		default:
			parts = append(parts, name(first)+"-"+name(n-1))
		}
	}
	return strings.Join(parts, " ")
}

// weekday is the nth from Monday on.
func weekday(n int) time.Weekday { return time.Weekday((n + 1) % 7) }
