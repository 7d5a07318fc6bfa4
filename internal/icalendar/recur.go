package icalendar

import (
	"slices"
	"time"
)

// budget bounds how much work one series may cause: rules that never match,
// or match every second.
type budget struct{ left int }

func (b *budget) spend(n int) bool {
	b.left -= n
	return b.left >= 0
}

// walk yields the times of a rule in ascending order, as clocks on the wall
// show them (in UTC's location), from start on, until yield returns false or
// the budget is spent. It knows neither COUNT nor UNTIL. Times before from may
// be left out where that costs nothing.
func (r rule) walk(start, from time.Time, b *budget, yield func(time.Time) bool) {
	r.defaults(start)
	var before time.Time
	for k := r.skipTo(start, from); ; k++ {
		set, last, ok := r.period(start, k, b)
		if !ok || last.Year() > 9000 || !b.spend(1) {
			return
		}
		for _, t := range r.positions(set) {
			if t.Before(start) || !t.After(before) { // SKIP may put two on one day
				continue
			}
			before = t
			if !yield(t) {
				return
			}
		}
	}
}

// defaults fills in from the start what the rule leaves open.
func (r *rule) defaults(start time.Time) {
	if len(r.weekNo)+len(r.yearDay)+len(r.monthDay)+len(r.day) == 0 {
		switch r.freq {
		case yearly:
			if len(r.month) == 0 {
				r.month = []int{int(start.Month())}
			}
			r.monthDay = []int{start.Day()}
		case monthly:
			r.monthDay = []int{start.Day()}
		case weekly:
			r.day = []byDay{{0, start.Weekday()}}
		}
	} else if r.freq == yearly && len(r.weekNo) > 0 && len(r.yearDay)+len(r.monthDay)+len(r.day) == 0 {
		r.day = []byDay{{0, start.Weekday()}}
	}
	if r.freq > hourly && len(r.hour) == 0 {
		r.hour = []int{start.Hour()}
	}
	if r.freq > minutely && len(r.minute) == 0 {
		r.minute = []int{start.Minute()}
	}
	if r.freq > secondly && len(r.second) == 0 {
		r.second = []int{start.Second()}
	}
}

// skipTo is the first period worth looking at: with COUNT, all are.
func (r rule) skipTo(start, from time.Time) int {
	unit := map[frequency]time.Duration{secondly: time.Second, minutely: time.Minute, hourly: time.Hour, daily: 24 * time.Hour, weekly: 7 * 24 * time.Hour}[r.freq]
	if unit == 0 || r.count > 0 || from.Sub(start) < 14*24*time.Hour {
		return 0
	}
	// Two periods back: a week may begin before its start.
	return max(0, int(from.Sub(start)/(unit*time.Duration(r.interval)))-2)
}

// period returns the times of period k and where it begins.
func (r rule) period(start time.Time, k int, b *budget) (set []time.Time, begin time.Time, ok bool) {
	n := k * r.interval
	day := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, time.UTC)
	switch r.freq {
	case yearly:
		y := start.Year() + n
		begin = time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)
		return r.times(r.days(begin, begin.AddDate(1, 0, 0), b)), begin, true
	case monthly:
		begin = time.Date(start.Year(), start.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		return r.times(r.days(begin, begin.AddDate(0, 1, 0), b)), begin, true
	case weekly:
		back := (int(day.Weekday()) - int(r.weekStart) + 7) % 7
		begin = day.AddDate(0, 0, 7*n-back)
		return r.times(r.days(begin, begin.AddDate(0, 0, 7), b)), begin, true
	case daily:
		begin = day.AddDate(0, 0, n)
		return r.times(r.days(begin, begin.AddDate(0, 0, 1), b)), begin, true
	}
	unit := map[frequency]time.Duration{secondly: time.Second, minutely: time.Minute, hourly: time.Hour}[r.freq]
	begin = start.Truncate(unit).Add(time.Duration(n) * unit)
	if begin.Before(start.Truncate(unit)) { // beyond what a Duration holds
		return nil, begin, false
	}
	if !r.dayFits(begin, b) || len(r.hour) > 0 && !slices.Contains(r.hour, begin.Hour()) {
		return nil, begin, true
	}
	if r.freq <= minutely && len(r.minute) > 0 && !slices.Contains(r.minute, begin.Minute()) || r.freq == secondly && len(r.second) > 0 && !slices.Contains(r.second, begin.Second()) {
		return nil, begin, true
	}
	minutes, seconds := r.minute, r.second
	if r.freq <= minutely {
		minutes = []int{begin.Minute()}
	}
	if r.freq == secondly {
		seconds = []int{begin.Second()}
	}
	for _, m := range minutes {
		for _, s := range seconds {
			set = append(set, time.Date(begin.Year(), begin.Month(), begin.Day(), begin.Hour(), m, min(s, 59), 0, time.UTC))
		}
	}
	return set, begin, true
}

func (r rule) dayFits(t time.Time, b *budget) bool {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return len(r.days(day, day.AddDate(0, 0, 1), b)) > 0
}

// days are the days from begin to before end that the rule takes.
func (r rule) days(begin, end time.Time, b *budget) (all []time.Time) {
	for d := begin; d.Before(end); d = d.AddDate(0, 0, 1) {
		b.spend(1)
		if len(r.month) > 0 && !slices.Contains(r.month, int(d.Month())) {
			d = time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC) // nothing in this month
			continue
		}
		if r.takes(d) {
			all = append(all, d)
		}
	}
	if r.skip != "" && (r.freq == monthly || r.freq == yearly) {
		all = append(all, r.skipped(begin, end)...)
		slices.SortFunc(all, time.Time.Compare)
		all = slices.Compact(all)
	}
	return all
}

// skipped are the days that stand for those that a month does not have (RFC
// 7529 §4.1).
func (r rule) skipped(begin, end time.Time) (all []time.Time) {
	for m := begin; m.Before(end); m = m.AddDate(0, 1, 0) {
		if len(r.month) > 0 && !slices.Contains(r.month, int(m.Month())) {
			continue
		}
		last := m.AddDate(0, 1, -1)
		for _, n := range r.monthDay {
			if n > last.Day() {
				instead := last
				if r.skip == "FORWARD" {
					instead = last.AddDate(0, 0, 1)
				}
				if r.onDay(instead) {
					all = append(all, instead)
				}
				break
			}
		}
	}
	return all
}

func (r rule) takes(d time.Time) bool {
	if len(r.month) > 0 && !slices.Contains(r.month, int(d.Month())) {
		return false
	}
	if len(r.weekNo) > 0 && !r.inWeek(d) {
		return false
	}
	if len(r.yearDay) > 0 {
		n, length := d.YearDay(), yearLength(d.Year())
		if !slices.Contains(r.yearDay, n) && !slices.Contains(r.yearDay, n-length-1) {
			return false
		}
	}
	if len(r.monthDay) > 0 {
		last := time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		if !slices.Contains(r.monthDay, d.Day()) && !slices.Contains(r.monthDay, d.Day()-last-1) {
			return false
		}
	}
	return r.onDay(d)
}

// onDay: BYDAY takes the day; it has the last word, after SKIP's.
func (r rule) onDay(d time.Time) bool {
	return len(r.day) == 0 || slices.ContainsFunc(r.day, func(e byDay) bool { return e.day == d.Weekday() && r.nth(e.n, d) })
}

// nth: d is the nth of its weekday in its month or year.
func (r rule) nth(n int, d time.Time) bool {
	if n == 0 || r.freq < monthly || len(r.weekNo) > 0 {
		return true
	}
	day, length := d.YearDay(), yearLength(d.Year())
	if r.freq == monthly || len(r.month) > 0 {
		day, length = d.Day(), time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	}
	if n > 0 {
		return (day-1)/7+1 == n
	}
	return (length-day)/7+1 == -n
}

func yearLength(y int) int { return time.Date(y, 12, 31, 0, 0, 0, 0, time.UTC).YearDay() }

// inWeek: week 1 is the first with at least four days in the year, counted
// from WKST.
func (r rule) inWeek(d time.Time) bool {
	// The week belongs to the year that has its fourth day.
	fourth := d.AddDate(0, 0, 3-(int(d.Weekday())-int(r.weekStart)+7)%7)
	week := (fourth.YearDay()-1)/7 + 1
	last := time.Date(fourth.Year(), 12, 31, 0, 0, 0, 0, time.UTC)
	end := last.AddDate(0, 0, 3-(int(last.Weekday())-int(r.weekStart)+7)%7)
	weeks := 52
	if end.Year() == fourth.Year() {
		weeks = (end.YearDay()-1)/7 + 1
	} else {
		weeks = (end.AddDate(0, 0, -7).YearDay()-1)/7 + 1
	}
	return slices.Contains(r.weekNo, week) || slices.Contains(r.weekNo, week-weeks-1)
}

// times are all times on the days.
func (r rule) times(days []time.Time) (all []time.Time) {
	for _, d := range days {
		for _, h := range r.hour {
			for _, m := range r.minute {
				for _, s := range r.second {
					all = append(all, time.Date(d.Year(), d.Month(), d.Day(), h, m, min(s, 59), 0, time.UTC))
				}
			}
		}
	}
	return all
}

// positions applies BYSETPOS.
func (r rule) positions(set []time.Time) []time.Time {
	if len(r.at) == 0 {
		return set
	}
	var all []time.Time
	for i, t := range set {
		if slices.Contains(r.at, i+1) || slices.Contains(r.at, i-len(set)) {
			all = append(all, t)
		}
	}
	return all
}
