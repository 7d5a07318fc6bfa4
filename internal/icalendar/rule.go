package icalendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// frequency of a rule, from the finest to the coarsest.
type frequency uint8

const (
	secondly frequency = iota + 1
	minutely
	hourly
	daily
	weekly
	monthly
	yearly
)

var frequencies = map[string]frequency{"SECONDLY": secondly, "MINUTELY": minutely, "HOURLY": hourly, "DAILY": daily, "WEEKLY": weekly, "MONTHLY": monthly, "YEARLY": yearly}

var weekdays = map[string]time.Weekday{"SU": time.Sunday, "MO": time.Monday, "TU": time.Tuesday, "WE": time.Wednesday, "TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday}

// byDay is one entry of BYDAY: every such day, or the nth, counted from the
// end where n is negative.
type byDay struct {
	n   int
	day time.Weekday
}

// rule is a recurrence rule (RFC 5545 §3.3.10, RFC 7529 for SKIP).
type rule struct {
	freq      frequency
	interval  int
	count     int // 0: none
	until     Moment
	hasUntil  bool
	weekStart time.Weekday
	skip      string // "", "BACKWARD", "FORWARD"

	second, minute, hour                 []int
	day                                  []byDay
	monthDay, yearDay, weekNo, month, at []int // at: BYSETPOS
}

// parseRule reads a rule. Parts that nobody knows make it an error: a rule
// that is half understood says something else.
func parseRule(s string) (rule, error) {
	r := rule{interval: 1, weekStart: time.Monday}
	for part := range strings.SplitSeq(strings.ToUpper(strings.TrimSpace(s)), ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		if err := r.part(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return rule{}, fmt.Errorf("rule %q: %w", s, err)
		}
	}
	if r.freq == 0 {
		return rule{}, fmt.Errorf("rule %q has no FREQ", s)
	}
	return r, nil
}

func (r *rule) part(name, value string) (err error) {
	switch name {
	case "FREQ":
		if r.freq = frequencies[value]; r.freq == 0 {
			return fmt.Errorf("FREQ %q", value)
		}
	case "INTERVAL":
		r.interval, err = strconv.Atoi(value)
		if err == nil && (r.interval < 1 || r.interval > 1<<20) {
			err = fmt.Errorf("INTERVAL %d", r.interval)
		}
	case "COUNT":
		r.count, err = strconv.Atoi(value)
		if err == nil && r.count < 1 {
			err = fmt.Errorf("COUNT %d", r.count)
		}
	case "UNTIL":
		if r.until, r.hasUntil = parseMoment(value, ""); !r.hasUntil {
			err = fmt.Errorf("UNTIL %q", value)
		}
	case "WKST":
		var ok bool
		if r.weekStart, ok = weekdays[value]; !ok {
			err = fmt.Errorf("WKST %q", value)
		}
	case "BYSECOND":
		r.second, err = numbers(value, 0, 60, false)
	case "BYMINUTE":
		r.minute, err = numbers(value, 0, 59, false)
	case "BYHOUR":
		r.hour, err = numbers(value, 0, 23, false)
	case "BYMONTHDAY":
		r.monthDay, err = numbers(value, 1, 31, true)
	case "BYYEARDAY":
		r.yearDay, err = numbers(value, 1, 366, true)
	case "BYWEEKNO":
		r.weekNo, err = numbers(value, 1, 53, true)
	case "BYMONTH":
		r.month, err = numbers(value, 1, 12, false)
	case "BYSETPOS":
		r.at, err = numbers(value, 1, 366, true)
	case "BYDAY":
		err = r.byDay(value)
	case "RSCALE":
		if value != "GREGORIAN" {
			err = fmt.Errorf("the calendar %q is not known", value)
		}
	case "SKIP":
		if r.skip = value; value == "OMIT" {
			r.skip = ""
		}
	default:
		if !strings.HasPrefix(name, "X-") {
			err = fmt.Errorf("%s is not known", name)
		}
	}
	return err
}

func (r *rule) byDay(value string) error {
	for v := range strings.SplitSeq(value, ",") {
		v = strings.TrimSpace(v)
		if len(v) < 2 {
			return fmt.Errorf("BYDAY %q", v)
		}
		day, ok := weekdays[v[len(v)-2:]]
		n := 0
		if ok && len(v) > 2 {
			var err error
			if n, err = strconv.Atoi(strings.TrimSpace(v[:len(v)-2])); err != nil || n == 0 || n < -53 || n > 53 {
				ok = false
			}
		}
		if !ok {
			return fmt.Errorf("BYDAY %q", v)
		}
		r.day = append(r.day, byDay{n, day})
	}
	return nil
}

// numbers reads a list; signed ones also count from the end.
func numbers(s string, low, high int, signed bool) ([]int, error) {
	var all []int
	for v := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil {
			return nil, err
		}
		m := n
		if signed && n < 0 {
			m = -n
		}
		if m < low || m > high {
			return nil, fmt.Errorf("%d is not between %d and %d", n, low, high)
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
