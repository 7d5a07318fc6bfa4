package icalendar

import (
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
)

// margin is how far beyond the window a series is followed, since exceptions
// move instances and long ones reach into it.
const margin = 62 * 24 * time.Hour

// recur returns what a component says by itself: its start, its rules and
// dates, without exceptions.
func (s *series) recur(c *Component, w Window) (all []Instance, more bool) {
	sp := s.span(c)
	if !sp.dated {
		return []Instance{{component: c}}, false
	}
	reach := margin + sp.length.Exact + time.Duration(sp.length.Days)*24*time.Hour
	from, to := w.From.Add(-reach), w.To.Add(margin)
	gone, goneDays := s.excluded(c, sp)
	seen := map[time.Time]bool{}
	add := func(i Instance) bool {
		if seen[i.Start] || i.Start.Before(from) || !i.Start.Before(to) {
			return true
		}
		if len(all) == MaxInstances {
			more = true
			return false
		}
		seen[i.Start] = true
		if !gone[i.Start] && !goneDays[sp.clock.wall(i.Start).Format(time.DateOnly)] {
			all = append(all, i)
		}
		return true
	}
	add(sp.instance(sp.start.Wall, c))
	for _, l := range c.All("RRULE") {
		more = s.follow(l.Value, sp, from, to, func(wall time.Time) bool { return add(sp.instance(wall, c)) }) || more
	}
	for _, l := range c.All("RDATE") {
		for v := range strings.SplitSeq(l.Value, ",") {
			start, end, period := strings.Cut(v, "/")
			m, ok := parseMoment(start, l.First("TZID"))
			if !ok {
				s.problem("RDATE %q is no date", contentline.Shorten(v))
				continue
			}
			here := sp
			here.start, here.clock = m, s.clock(m)
			if d, isDuration := parseDuration(end); period && isDuration {
				here.length = d
			} else if e, isMoment := parseMoment(end, l.First("TZID")); period && isMoment {
				here.length = Duration{Exact: s.instant(e).Sub(s.instant(m))}
			}
			add(here.instance(m.Wall, c))
		}
	}
	return all, more
}

// follow walks a rule from the start of the series until the end of what is
// of interest. It tells whether it had to give up.
func (s *series) follow(value string, sp span, from, to time.Time, yield func(wall time.Time) bool) (gaveUp bool) {
	r, err := parseRule(value)
	if err != nil {
		s.problem("%v", err)
		return false
	}
	last := to
	if r.hasUntil {
		until := r.until
		switch {
		case until.AllDay && !sp.start.AllDay:
			// Until the end of that day where the series takes place.
			last = sp.clock.instant(until.Wall.AddDate(0, 0, 1)).Add(-time.Second)
		case until.UTC && !sp.start.AllDay:
			last = until.Wall
		case sp.start.AllDay:
			last = time.Date(until.Wall.Year(), until.Wall.Month(), until.Wall.Day(), 0, 0, 0, 0, time.UTC)
		default:
			last = sp.clock.instant(until.Wall)
		}
		last = last.Add(time.Second)
	}
	if to.Before(last) {
		last = to
	}
	b := &budget{maxWork}
	n := 0
	count := func(wall time.Time) bool {
		if n++; r.count > 0 && n > r.count {
			return false
		}
		return sp.clock.instant(wall).Before(last) && yield(wall)
	}
	// DTSTART counts as the first (RFC 5545 §3.8.5.3), in the rule or not.
	if !count(sp.start.Wall) {
		return false
	}
	r.walk(sp.start.Wall, sp.clock.wall(from), b, func(wall time.Time) bool {
		return wall.Equal(sp.start.Wall) || count(wall)
	})
	return b.left < 0
}

// excluded are the instants, and the days on the wall, of EXDATE and EXRULE.
func (s *series) excluded(c *Component, sp span) (instants map[time.Time]bool, days map[string]bool) {
	instants, days = map[time.Time]bool{}, map[string]bool{}
	for _, l := range c.All("EXDATE") {
		for v := range strings.SplitSeq(l.Value, ",") {
			m, ok := parseMoment(v, l.First("TZID"))
			switch {
			case !ok:
				if strings.TrimSpace(v) != "" {
					s.problem("EXDATE %q is no date", contentline.Shorten(v))
				}
			case m.AllDay && !sp.start.AllDay, !m.AllDay && sp.start.AllDay:
				// One of them is only a date: the date decides.
				days[m.Wall.Format(time.DateOnly)] = true
			default:
				instants[s.instant(m)] = true
			}
		}
	}
	for _, l := range c.All("EXRULE") {
		s.follow(l.Value, sp, sp.start.Wall, time.Date(lastOnset, 1, 1, 0, 0, 0, 0, time.UTC), func(wall time.Time) bool {
			instants[sp.clock.instant(wall)] = true
			return len(instants) < MaxInstances
		})
	}
	return instants, days
}

// except puts exceptions in place of the instances that they stand for. One
// that stands for none is there all the same: that is what clients show.
func (s *series) except(all []Instance) []Instance {
	for _, e := range s.exceptions {
		l, _ := e.Property("RECURRENCE-ID")
		id, ok := parseMoment(l.Value, l.First("TZID"))
		if !ok {
			s.problem("RECURRENCE-ID %q is no date", contentline.Shorten(l.Value))
			continue
		}
		sp := s.span(e)
		at := s.instant(id)
		matches := func(i Instance) bool {
			return i.Original.Equal(at) || id.AllDay && !i.AllDay && s.day(i) == id.Wall.Format(time.DateOnly)
		}
		if strings.EqualFold(l.First("RANGE"), "THISANDFUTURE") {
			all = s.future(all, e, sp, at)
			continue
		}
		i := Instance{component: e, Original: at}
		if sp.dated {
			i = sp.instance(sp.start.Wall, e)
			i.Original = at
		}
		kept := all[:0]
		for _, other := range all {
			if !matches(other) {
				kept = append(kept, other)
			}
		}
		all = append(kept, i)
	}
	return all
}

// day is the date of an instance where its series takes place.
func (s *series) day(i Instance) string {
	return s.span(i.component).clock.wall(i.Original).Format(time.DateOnly)
}

// future applies an exception to its instance and all later ones of the
// series: they move as far as it did, and show what it shows.
func (s *series) future(all []Instance, e *Component, sp span, at time.Time) []Instance {
	for n, i := range all {
		if i.Original.Before(at) {
			continue
		}
		if _, own := i.component.Property("RECURRENCE-ID"); own {
			continue
		}
		if sp.dated {
			wall := sp.clock.wall(i.Original).Add(sp.start.Wall.Sub(sp.clock.wall(at)))
			moved := sp.instance(wall, e)
			moved.Original = i.Original
			all[n] = moved
		} else {
			all[n].component = e
		}
	}
	return all
}
