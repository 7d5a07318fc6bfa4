package icalendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/model"
)

// Instance is one time that an event or task takes place.
type Instance struct {
	// Start and End are instants. For a whole day they are midnight UTC of the
	// first day and of the day after the last; floating times are read in the
	// user's zone. A task without any date has the zero time twice.
	Start, End time.Time
	AllDay     bool
	// Original is when the series wanted it, which an exception may have moved.
	Original time.Time

	component *Component // what it shows
	wanted    wanted
}

// wanted is Original as the clocks show it where the series takes place.
type wanted struct {
	wall   time.Time
	allDay bool
}

// Window is a span of time, From included and To not.
type Window struct{ From, To time.Time }

// Around is the window of the given number of months, half of them before
// now.
func Around(now time.Time, months int) Window {
	return Window{now.AddDate(0, -months/2, 0), now.AddDate(0, months-months/2, 0)}
}

// Bounds of one expansion.
const (
	MaxInstances = 20_000    // more are left out
	maxWork      = 2_000_000 // days and periods looked at, and instances left out
)

// Expand tells when an object takes place within the window, for a user in
// zone. It returns at most MaxInstances; more tells that there were more, or
// that a rule was too absurd to follow to its end. The error is an item Fault
// where a rule or a date cannot be read; what could be, is returned with it.
func Expand(p Part, w Window, zone *time.Location) (all []Instance, more bool, err error) {
	calendars, _ := components(p.Text)
	if len(calendars) == 0 {
		return nil, false, model.Faultf(model.ClassItem, "notCalendar", "the text holds no calendar")
	}
	s := newSeries(calendars[0], zone)
	all, more = s.expand(w)
	if len(s.problems) > 0 {
		err = model.Faultf(model.ClassItem, "recurrence", "%s", strings.Join(s.problems, "; "))
	}
	return all, more, err
}

// series is one object being expanded.
type series struct {
	zone       *time.Location
	zones      *zones
	masters    []*Component
	exceptions []*Component
	problems   []string
}

func newSeries(c *Component, zone *time.Location) *series {
	s := &series{zone: zone}
	var defined []*Component
	for _, child := range c.Children {
		_, exception := child.Property("RECURRENCE-ID")
		switch {
		case child.Name == "VTIMEZONE":
			defined = append(defined, child)
		case exception:
			s.exceptions = append(s.exceptions, child)
		case slices.Contains(stored, child.Name):
			s.masters = append(s.masters, child)
		}
	}
	s.zones = newZones(defined)
	return s
}

func (s *series) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(s.problems, text) {
		s.problems = append(s.problems, text)
	}
}

// clock of a moment.
func (s *series) clock(m Moment) clock {
	switch {
	case m.AllDay || m.UTC:
		return utc
	case m.TZID == "":
		return clock{loc: s.zone}
	}
	c, ok := s.zones.clock(m.TZID, s.zone)
	if !ok {
		s.problem("the zone %q is neither known nor defined; read as the user's", m.TZID)
	}
	return c
}

func (s *series) instant(m Moment) time.Time { return s.clock(m).instant(m.Wall) }

// moment reads the first value of a property.
func (s *series) moment(c *Component, name string) (Moment, bool) {
	l, ok := c.Property(name)
	if !ok {
		return Moment{}, false
	}
	m, ok := parseMoment(l.Value, l.First("TZID"))
	if !ok {
		s.problem("%s %q is no date", name, contentline.Shorten(l.Value))
	}
	return m, ok
}

// span is when a component takes place by its own dates, and how long.
type span struct {
	start  Moment
	clock  clock
	length Duration
	dated  bool
}

// span of a component (RFC 5545 §3.6.1, §3.6.2).
func (s *series) span(c *Component) span {
	endName := "DTEND"
	if c.Name == "VTODO" {
		endName = "DUE"
	}
	start, hasStart := s.moment(c, "DTSTART")
	end, hasEnd := s.moment(c, endName)
	if !hasStart {
		if !hasEnd || c.Name != "VTODO" {
			return span{}
		}
		start, hasEnd = end, false
	}
	sp := span{start: start, clock: s.clock(start), dated: true}
	switch l, ok := c.Property("DURATION"); {
	case hasEnd && start.AllDay && end.AllDay:
		sp.length.Days = int(end.Wall.Sub(start.Wall) / (24 * time.Hour))
	case hasEnd:
		sp.length.Exact = s.instant(end).Sub(s.instant(start))
	case ok:
		if sp.length, ok = parseDuration(l.Value); !ok {
			s.problem("DURATION %q is none", contentline.Shorten(l.Value))
		}
	case start.AllDay && c.Name == "VEVENT":
		sp.length.Days = 1
	}
	return sp
}

// instance at a time on the wall.
func (sp span) instance(wall time.Time, c *Component) Instance {
	start := sp.clock.instant(wall)
	return Instance{Start: start, End: sp.end(wall, start), AllDay: sp.start.AllDay, Original: start, component: c, wanted: wanted{wall, sp.start.AllDay}}
}

func (sp span) end(wall, start time.Time) time.Time {
	if sp.length.Days == 0 {
		return start.Add(sp.length.Exact)
	}
	return sp.clock.instant(wall.AddDate(0, 0, sp.length.Days)).Add(sp.length.Exact)
}

// expand returns the instances within the window, in order.
func (s *series) expand(w Window) (all []Instance, more bool) {
	for _, m := range s.masters {
		set, too := s.recur(m, w)
		more = more || too
		all = append(all, set...)
	}
	all = s.except(all)
	kept := all[:0]
	for _, i := range all {
		if i.Start.IsZero() || i.Start.Before(w.To) && (i.End.After(w.From) || !i.Start.Before(w.From)) {
			kept = append(kept, i)
		}
	}
	slices.SortStableFunc(kept, func(a, b Instance) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), a.Original.Compare(b.Original))
	})
	return kept, more
}
