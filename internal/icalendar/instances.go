package icalendar

import (
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
)

// recur returns what a component says by itself: its start, its rules and
// dates, without exceptions. Those of rules are left out that have no part in
// the window.
func (s *series) recur(c *Component, w Window) (all []Instance, more bool) {
	sp := s.span(c)
	if !sp.dated {
		return []Instance{{component: c}}, false
	}
	from, to := s.origins(sp, w)
	gone, goneDays := s.excluded(c, sp)
	for _, l := range c.All("EXRULE") {
		more = s.follow(l.Value, sp, from, to, false, func(wall time.Time) bool {
			gone[sp.clock.instant(wall)] = true
			more = more || len(gone) > maxWork
			return !more
		}) || more
	}
	seen := map[time.Time]bool{}
	add := func(i Instance) bool {
		if seen[i.Start] {
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
	// Dates come first: a period tells the length of its instance, whether a rule
	// has that too or not.
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
	add(sp.instance(sp.start.Wall, c))
	for _, l := range c.All("RRULE") {
		more = s.follow(l.Value, sp, from, to, true, func(wall time.Time) bool {
			i := sp.instance(wall, c)
			return i.Start.Before(from) || add(i)
		}) || more
	}
	return all, more
}

// origins are the times at which a series may want an instance that has a part
// in the window: long ones begin before it, and exceptions for all future move
// theirs.
func (s *series) origins(sp span, w Window) (from, to time.Time) {
	const change = 48 * time.Hour // more than clocks are ever changed by
	before := func(length Duration) time.Duration {
		return max(0, length.Exact+time.Duration(length.Days)*24*time.Hour) + change
	}
	from, to = w.From.Add(-before(sp.length)), w.To.Add(change)
	for _, e := range s.exceptions {
		id, future, ok := s.replaces(e)
		own := s.span(e)
		if !ok || !future || !own.dated {
			continue
		}
		moved := s.instant(own.start).Sub(s.instant(id))
		if t := w.From.Add(-moved - before(own.length)); t.Before(from) {
			from = t
		}
		if t := w.To.Add(-moved + change); t.After(to) {
			to = t
		}
	}
	return from, to
}

// follow walks a rule from the start of the series until the end of what is
// of interest. The start belongs to what it says, for one that adds instances.
// It tells whether it had to give up.
func (s *series) follow(value string, sp span, from, to time.Time, adds bool, yield func(wall time.Time) bool) (gaveUp bool) {
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
	if adds && !count(sp.start.Wall) {
		return false
	}
	r.walk(sp.start.Wall, sp.clock.wall(from), b, func(wall time.Time) bool {
		return adds && wall.Equal(sp.start.Wall) || count(wall)
	})
	return b.left < 0
}

// excluded are the instants, and the days on the wall, of EXDATE.
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
	return instants, days
}

// replaces is the instance that an exception stands for; future: and all later
// ones.
func (s *series) replaces(e *Component) (id Moment, future, ok bool) {
	l, _ := e.Property("RECURRENCE-ID")
	id, ok = parseMoment(l.Value, l.First("TZID"))
	if !ok {
		s.problem("RECURRENCE-ID %q is no date", contentline.Shorten(l.Value))
	}
	return id, strings.EqualFold(l.First("RANGE"), "THISANDFUTURE"), ok
}

// replacement is an exception and when the series wanted what it stands for.
type replacement struct {
	component *Component
	id        Moment
	at        time.Time
}

// except puts exceptions in place of the instances that they stand for,
// whatever order they were written in: those for all future first, each until
// the next one begins; those for a single instance have their word against
// them. One that stands for none is there all the same: that is what clients
// show.
func (s *series) except(all []Instance) []Instance {
	var futures, singles []replacement
	for _, e := range s.exceptions {
		id, future, ok := s.replaces(e)
		if !ok {
			continue
		}
		if r := (replacement{e, id, s.instant(id)}); future {
			futures = append(futures, r)
		} else {
			singles = append(singles, r)
		}
	}
	slices.SortStableFunc(futures, func(a, b replacement) int { return a.at.Compare(b.at) })
	for _, r := range futures {
		if all = s.future(all, r); !slices.ContainsFunc(all, func(i Instance) bool { return r.standsFor(i) }) {
			all = append(all, s.alone(r))
		}
	}
	for _, r := range singles {
		all = slices.DeleteFunc(all, func(i Instance) bool { return r.standsFor(i) })
		all = append(all, s.alone(r))
	}
	return all
}

// standsFor: the exception is about this instance. Where one of them is only a
// date, the date decides.
func (r replacement) standsFor(i Instance) bool {
	if r.id.AllDay == i.wanted.allDay {
		return i.Original.Equal(r.at)
	}
	return i.wanted.wall.Format(time.DateOnly) == r.id.Wall.Format(time.DateOnly)
}

// alone is the exception by its own dates.
func (s *series) alone(r replacement) Instance {
	i := Instance{component: r.component}
	if sp := s.span(r.component); sp.dated {
		i = sp.instance(sp.start.Wall, r.component)
	}
	i.Original, i.wanted = r.at, wanted{r.id.Wall, r.id.AllDay}
	return i
}

// future applies an exception to its instance and all later ones of the
// series: they move as far as it did, and show what it shows.
func (s *series) future(all []Instance, r replacement) []Instance {
	sp := s.span(r.component)
	for n, i := range all {
		switch {
		case i.Original.Before(r.at):
		case sp.dated:
			wall := sp.clock.wall(i.Original).Add(sp.start.Wall.Sub(sp.clock.wall(r.at)))
			all[n] = sp.instance(wall, r.component)
			all[n].Original, all[n].wanted = i.Original, i.wanted
		default:
			all[n].component = r.component
		}
	}
	return all
}
