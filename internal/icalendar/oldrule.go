package icalendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// oldRule is a recurrence rule in the grammar of vCalendar 1.0 (versit, "vCalendar,
// The Electronic Calendaring and Scheduling Exchange Format", 1996, "Recurrence
// Grammar"): "W2 MO WE #5", "MP1 1+ MO 20261231T000000Z", "YM1 6 #3 MD1 12".
type oldRule struct {
	kind     string // "M", "D", "W", "MP", "MD", "YM", "YD"
	interval int
	days     []string // BYDAY
	nth      []string // positions within the month, for the weekdays that follow
	spent    bool     // one has followed
	numbers  []int    // days of a month or year, or months
	// hours are the times of the day that are said before any day, and those of
	// each day that is named.
	hours  []string
	ofDays [][]string
	// times is how often it takes place, counted in intervals: five weeks, not five
	// days of them; 0: without end, -1: not said.
	times int
	until Moment
	ends  bool // until is set
	sub   *oldRule
}

// most is the largest number of times or intervals that is believed.
const most = 10_000

// defaultTimes are those of a rule that says neither how often nor until when.
const defaultTimes = 2

// modernRule writes an old rule as RFC 5545 §3.3.10 does, for a start. The error
// says what in it has no equivalent.
func modernRule(value string, sp span) (string, error) {
	r, rest, err := parseOldRule(strings.Fields(strings.ToUpper(value)), sp.start)
	if err != nil {
		return "", err
	}
	if r.sub, rest, err = parseSubRule(rest, sp.start); err != nil {
		return "", err
	}
	if len(rest) > 0 {
		return "", fmt.Errorf("%q has no equivalent", strings.Join(rest, " "))
	}
	return r.modern(sp)
}

// parseSubRule reads what says when within its months a yearly rule takes place.
func parseSubRule(tokens []string, start Moment) (*oldRule, []string, error) {
	if len(tokens) == 0 {
		return nil, nil, nil
	}
	sub, rest, err := parseOldRule(tokens, start)
	if err != nil {
		return nil, nil, err
	}
	// Within one month there is one interval of one month.
	if sub.kind != "MD" && sub.kind != "MP" || sub.interval != 1 || sub.times > 1 || sub.times == 0 {
		return nil, nil, fmt.Errorf("%q within another rule has no equivalent", strings.Join(tokens, " "))
	}
	return &sub, rest, nil
}

// parseOldRule reads one rule, and returns what follows it.
func parseOldRule(tokens []string, start Moment) (r oldRule, rest []string, err error) {
	r.times = -1
	if len(tokens) == 0 {
		return r, nil, fmt.Errorf("it says nothing")
	}
	head := strings.TrimRight(tokens[0], "0123456789")
	if !slices.Contains([]string{"M", "D", "W", "MP", "MD", "YM", "YD"}, head) {
		return r, nil, fmt.Errorf("%q is no frequency", tokens[0])
	}
	r.kind = head
	if r.interval, err = strconv.Atoi(tokens[0][len(head):]); err != nil || r.interval < 1 || r.interval > most {
		return r, nil, fmt.Errorf("%q has no interval", tokens[0])
	}
	for i, t := range tokens[1:] {
		took, err := r.token(t, start)
		if err != nil {
			return r, nil, err
		}
		if !took {
			rest = tokens[1+i:]
			break
		}
	}
	if len(r.nth) > 0 && !r.spent { // of its start's weekday
		r.position(weekdayName(start))
	}
	return r, rest, nil
}

// token takes one word in; false: it begins another rule, or nothing known.
func (r *oldRule) token(t string, start Moment) (bool, error) {
	if n, ok := strings.CutPrefix(t, "#"); ok {
		times, err := strconv.Atoi(n)
		if err != nil || times < 0 || times > most {
			return false, fmt.Errorf("%q is no number of times", t)
		}
		r.times = times
		return true, nil
	}
	if m, ok := parseMoment(t, ""); ok {
		r.until, r.ends = m, true
		return true, nil
	}
	if r.times >= 0 || r.ends {
		return false, nil // its list is over
	}
	_, weekday := weekdays[t]
	switch {
	case weekday && r.kind == "W":
		r.days = append(r.days, t)
		r.ofDays = append(r.ofDays, nil)
	case weekday && r.kind == "MP":
		if len(r.nth) == 0 {
			return false, fmt.Errorf("%q without which one of the month", t)
		}
		r.position(t)
		r.ofDays = append(r.ofDays, nil)
	case r.kind == "MP" && len(t) == 2 && t[0] >= '1' && t[0] <= '5' && (t[1] == '+' || t[1] == '-'):
		if r.spent {
			r.nth, r.spent = nil, false
		}
		r.nth = append(r.nth, strings.TrimPrefix(t[1:]+t[:1], "+"))
	case r.kind == "MD" && t == "LD":
		r.numbers = append(r.numbers, -1)
		r.ofDays = append(r.ofDays, nil)
	case len(t) == 4 && strings.Trim(t, "0123456789") == "": // a time of the day
		if _, err := time.Parse("1504", t); err != nil || start.AllDay || r.kind == "M" {
			return false, fmt.Errorf("the time %q has no equivalent", t)
		}
		if n := len(r.ofDays); n > 0 {
			r.ofDays[n-1] = append(r.ofDays[n-1], t)
		} else {
			r.hours = append(r.hours, t)
		}
	case r.kind == "MD" || r.kind == "YM" || r.kind == "YD":
		n, ok := r.number(t)
		if ok {
			r.numbers = append(r.numbers, n)
			r.ofDays = append(r.ofDays, nil)
		}
		return ok, nil
	default:
		return false, nil
	}
	return true, nil
}

// number reads an entry of a list of days or months: "7", "2-" is the last but
// one.
func (r *oldRule) number(t string) (int, bool) {
	digits, backward := strings.CutSuffix(t, "-")
	digits = strings.TrimSuffix(digits, "+")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > map[string]int{"MD": 31, "YM": 12, "YD": 366}[r.kind] || backward && r.kind == "YM" {
		return 0, false
	}
	if backward {
		n = -n
	}
	return n, true
}

// position puts a weekday in all positions that were named.
func (r *oldRule) position(weekday string) {
	for _, n := range r.nth {
		r.days = append(r.days, n+weekday)
	}
	r.spent = true
}

// timesOfDay writes at which times of each day it takes place, as BYHOUR and
// BYMINUTE (RFC 5545 §3.3.10), which say all of their combinations, on each of the
// days; empty: at that of its start. A day without times has those that are said
// before all days, or the start's. The start has to be one of them: in iCalendar it
// takes place in any case.
func (r *oldRule) timesOfDay(start Moment) (string, error) {
	own := []string{start.Wall.Format("1504")}
	all := own
	if len(r.hours) > 0 {
		all = r.hours
	}
	all = slices.Compact(slices.Sorted(slices.Values(all)))
	for i, times := range r.ofDays {
		if times = slices.Compact(slices.Sorted(slices.Values(times))); len(times) == 0 {
			times = all
		}
		switch {
		case slices.Equal(times, all):
		case i > 0:
			return "", fmt.Errorf("times that differ from day to day have no equivalent")
		default:
			all = times
		}
	}
	if slices.Equal(all, own) {
		return "", nil
	}
	if !slices.Contains(all, own[0]) {
		return "", fmt.Errorf("%q, another time than that of its start, has no equivalent", all[0])
	}
	var hours, minutes []int
	for _, t := range all {
		n, _ := strconv.Atoi(t)
		hours, minutes = append(hours, n/100), append(minutes, n%100)
	}
	hours, minutes = sortedSet(hours), sortedSet(minutes)
	if len(hours)*len(minutes) != len(all) {
		return "", fmt.Errorf("the times %s have no equivalent in one rule", strings.Join(all, " "))
	}
	return list(";BYHOUR=", hours) + list(";BYMINUTE=", minutes), nil
}

func sortedSet(numbers []int) []int { return slices.Compact(slices.Sorted(slices.Values(numbers))) }

func weekdayName(m Moment) string { return strings.ToUpper(m.Wall.Weekday().String()[:2]) }

// modern writes the rule.
func (r *oldRule) modern(sp span) (string, error) {
	start := sp.start.Wall
	b := "FREQ=" + map[string]string{"M": "MINUTELY", "D": "DAILY", "W": "WEEKLY", "MP": "MONTHLY", "MD": "MONTHLY", "YM": "YEARLY", "YD": "YEARLY"}[r.kind]
	if r.interval > 1 {
		b += fmt.Sprintf(";INTERVAL=%d", r.interval)
	}
	// single: each interval has one of them, and none has none.
	single := len(r.days) <= 1 && len(r.numbers) <= 1
	if r.kind == "MP" && len(r.days) == 0 {
		r.days = []string{strconv.Itoa((start.Day()-1)/7+1) + weekdayName(sp.start)}
	}
	day := start.Day()
	switch r.kind {
	case "YM":
		b += list(";BYMONTH=", r.numbers)
		if s := r.sub; s != nil {
			if s.kind == "MP" && len(s.days) == 0 {
				return "", fmt.Errorf("MP1 without a weekday has no equivalent within another rule")
			}
			if len(r.numbers) == 0 {
				b += fmt.Sprintf(";BYMONTH=%d", int(start.Month()))
			}
			b += list(";BYMONTHDAY=", s.numbers) + words(";BYDAY=", s.days)
			single = single && len(s.days) <= 1 && len(s.numbers) <= 1 && !fifth(s.days)
			if len(s.days) > 0 {
				day = 1
			} else if len(s.numbers) > 0 {
				day = s.numbers[0]
			}
		}
		single = single && day <= 28 && day >= -28
	case "MD":
		b += list(";BYMONTHDAY=", r.numbers)
		if len(r.numbers) > 0 {
			day = r.numbers[0]
		}
		single = single && day <= 28 && day >= -28
	case "YD":
		b += list(";BYYEARDAY=", r.numbers)
		single = single && (len(r.numbers) == 0 && start.YearDay() < 366 || len(r.numbers) == 1 && r.numbers[0] < 366 && r.numbers[0] > -366)
	default:
		b += words(";BYDAY=", r.days)
		single = single && !fifth(r.days)
	}
	if r.sub != nil && r.kind != "YM" {
		return "", fmt.Errorf("a rule within another has no equivalent")
	}
	times, err := r.timesOfDay(sp.start)
	if err != nil {
		return "", err
	}
	if times != "" {
		b, single = b+times, false
	}
	if r.sub != nil {
		if times, err = r.sub.timesOfDay(sp.start); err != nil || times != "" {
			return "", fmt.Errorf("times of the day within another rule have no equivalent")
		}
	}
	if s := r.sub; s != nil && s.ends && !r.ends { // the date at the end is that of the whole
		r.until, r.ends = s.until, true
	}
	if r.times < 0 && !r.ends {
		r.times = defaultTimes
	}
	switch {
	case r.times > 0 && single && !r.ends:
		b += fmt.Sprintf(";COUNT=%d", r.times)
	case r.times > 0 || r.ends:
		b += ";UNTIL=" + r.last(sp)
	}
	if _, err := parseRule(b); err != nil {
		return "", err
	}
	return b, nil
}

func fifth(days []string) bool {
	return slices.ContainsFunc(days, func(d string) bool { return strings.Contains(d, "5") })
}

func list(name string, numbers []int) string {
	var texts []string
	for _, n := range numbers {
		texts = append(texts, strconv.Itoa(n))
	}
	return words(name, texts)
}

func words(name string, texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return name + strings.Join(texts, ",")
}

// last is UNTIL: the date that was given or the end of the last interval,
// whichever comes first, in the form that the start wants (RFC 5545 §3.3.10).
func (r *oldRule) last(sp span) string {
	write := func(wall time.Time) string {
		m := Moment{Wall: wall, AllDay: sp.start.AllDay}
		if !sp.start.AllDay && (sp.start.UTC || sp.start.TZID != "") {
			m.Wall, m.UTC = sp.clock.instant(wall).UTC(), true
		}
		return m.String()
	}
	end := r.lastInterval(sp.start.Wall)
	if !r.ends {
		return write(end)
	}
	given := r.until
	switch {
	case given.AllDay && !sp.start.AllDay:
		given.Wall = given.Wall.Add(24*time.Hour - time.Second)
	case given.UTC && !sp.start.AllDay:
		if r.times > 0 && sp.clock.instant(end).Before(given.Wall) {
			return write(end)
		}
		return given.String()
	}
	if r.times > 0 && end.Before(given.Wall) {
		return write(end)
	}
	return write(given.Wall)
}

// lastInterval is the end of the last one on the wall. Weeks begin on Monday, as
// in a rule that does not say otherwise.
func (r *oldRule) lastInterval(start time.Time) time.Time {
	n := max(r.times-1, 0) * r.interval
	midnight := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, time.UTC)
	next := start
	switch r.kind {
	case "M":
		return start.Add(time.Duration(n) * time.Minute)
	case "D":
		next = midnight.AddDate(0, 0, n+1)
	case "W":
		next = midnight.AddDate(0, 0, 7*(n+1)-(int(start.Weekday())+6)%7)
	case "MP", "MD":
		next = time.Date(start.Year(), start.Month()+time.Month(n+1), 1, 0, 0, 0, 0, time.UTC)
	default:
		next = time.Date(start.Year()+n+1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return next.Add(-time.Second)
}
