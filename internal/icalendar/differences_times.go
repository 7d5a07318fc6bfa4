package icalendar

import (
	"slices"
	"strings"
	"time"
)

// timing are the properties that say when; they are compared by what they
// mean.
var timing = []string{"DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}

// times compares start, end, rules and dates.
func (c *comparison) times(where string, a, b *Component) {
	sa, sb := c.a.span(a), c.b.span(b)
	if x, y := c.start(c.a, sa), c.start(c.b, sb); x != y {
		c.add(Difference{Where: where, Property: "DTSTART", Source: x, Destination: y})
	} else if x, y := c.zoneOf(c.a, sa), c.zoneOf(c.b, sb); x != y {
		c.add(Difference{Where: where, Property: "DTSTART's zone", Source: x, Destination: y, Explained: c.sameClock(sa, sb)})
	}
	if x, y := c.end(sa), c.end(sb); x != y {
		c.add(Difference{Where: where, Property: "DTEND", Source: x, Destination: y})
	} else if x, y := spelled(a, "DTEND", "DUE", "DURATION"), spelled(b, "DTEND", "DUE", "DURATION"); x != y {
		c.add(Difference{Where: where, Property: "DTEND", Source: x, Destination: y, Explained: "another spelling of the same end"})
	}
	for _, name := range []string{"RRULE", "EXRULE"} {
		x, y := c.a.rules(a, name, sa), c.b.rules(b, name, sb)
		if x != y {
			c.add(Difference{Where: where, Property: name, Source: x, Destination: y})
		}
	}
	for _, name := range []string{"RDATE", "EXDATE"} {
		onlyA, onlyB := apart(c.a.dates(a, name), c.b.dates(b, name))
		for _, v := range onlyA {
			c.add(Difference{Where: where, Property: name, Source: v})
		}
		for _, v := range onlyB {
			c.add(Difference{Where: where, Property: name, Destination: v})
		}
	}
}

func (c *comparison) start(s *series, sp span) string {
	switch {
	case !sp.dated:
		return ""
	case sp.start.AllDay:
		return sp.start.Wall.Format("2006-01-02")
	case sp.start.TZID == "" && !sp.start.UTC:
		return sp.start.Wall.Format("2006-01-02 15:04:05") + " wherever one is"
	}
	return c.clock(s.instant(sp.start)) + s.instant(sp.start).Format(":05")
}

func (c *comparison) end(sp span) string {
	if !sp.dated {
		return ""
	}
	start := sp.clock.instant(sp.start.Wall)
	end := sp.end(sp.start.Wall, start)
	if end.Equal(start) && !sp.start.AllDay {
		return "no time at all"
	}
	if sp.start.AllDay {
		return end.Format("2006-01-02")
	}
	return c.clock(end) + end.Format(":05")
}

func (c *comparison) zoneOf(s *series, sp span) string {
	if !sp.dated {
		return ""
	}
	return s.zoneName(sp.start)
}

// sameClock: the two zones show the same time during the window, and both say
// so themselves.
func (c *comparison) sameClock(a, b span) string {
	for _, side := range []struct {
		s  *series
		sp span
	}{{c.a, a}, {c.b, b}} {
		if id := side.sp.start.TZID; id != "" {
			if _, ok := side.s.zones.clock(id, c.zone); !ok {
				return ""
			}
		}
	}
	for t := c.window.From; t.Before(c.window.To); t = t.Add(7 * 24 * time.Hour) {
		if a.clock.offset(t) != b.clock.offset(t) {
			return ""
		}
	}
	return "another name of the same zone"
}

// spelled are the properties' values as written.
func spelled(c *Component, names ...string) string {
	var all []string
	for _, l := range c.Lines {
		if l.Is(names...) {
			all = append(all, strings.ToUpper(l.Name)+":"+strings.TrimSpace(l.Value))
		}
	}
	return strings.Join(all, " ")
}

// rules in one spelling, UNTIL as an instant.
func (s *series) rules(c *Component, name string, sp span) string {
	var all []string
	for _, l := range c.All(name) {
		v := canonicalRecur(l.Value)
		if r, err := parseRule(l.Value); err == nil && r.hasUntil {
			until := r.until
			var t time.Time
			switch {
			case sp.start.AllDay:
				t = time.Date(until.Wall.Year(), until.Wall.Month(), until.Wall.Day(), 0, 0, 0, 0, time.UTC)
			case until.AllDay:
				t = sp.clock.instant(until.Wall.AddDate(0, 0, 1).Add(-time.Second))
			case until.UTC:
				t = until.Wall
			default:
				t = sp.clock.instant(until.Wall)
			}
			parts := strings.Split(v, ";")
			for i, p := range parts {
				if strings.HasPrefix(p, "UNTIL=") {
					parts[i] = "UNTIL=" + t.Format("20060102T150405Z")
				}
			}
			v = strings.Join(parts, ";")
		}
		all = append(all, v)
	}
	slices.Sort(all)
	return strings.Join(all, " and ")
}

// dates of RDATE or EXDATE as instants, periods with their length.
func (s *series) dates(c *Component, name string) (all []string) {
	for _, l := range c.All(name) {
		for v := range strings.SplitSeq(l.Value, ",") {
			if strings.TrimSpace(v) == "" {
				continue
			}
			start, end, period := strings.Cut(v, "/")
			m, ok := parseMoment(start, l.First("TZID"))
			if !ok {
				all = append(all, strings.TrimSpace(v))
				continue
			}
			at := s.instant(m)
			text := at.UTC().Format("2006-01-02 15:04:05Z")
			if m.AllDay {
				text = m.Wall.Format("2006-01-02")
			}
			if period {
				if d, ok := parseDuration(end); ok {
					end = d.String()
				} else if e, ok := parseMoment(end, l.First("TZID")); ok {
					end = Duration{Exact: s.instant(e).Sub(at)}.String()
				}
				text += " for " + end
			}
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// apart returns what only one of two sorted lists has.
func apart(a, b []string) (onlyA, onlyB []string) {
	for _, v := range a {
		if _, found := slices.BinarySearch(b, v); !found {
			onlyA = append(onlyA, v)
		}
	}
	for _, v := range b {
		if _, found := slices.BinarySearch(a, v); !found {
			onlyB = append(onlyB, v)
		}
	}
	return onlyA, onlyB
}
