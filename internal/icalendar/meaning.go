package icalendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/blake3"
)

// digest hashes the meaning of an object.
func digest(components, definitions []*Component) [32]byte {
	s := newSeries(&Component{Children: append(slices.Clip(definitions), components...)}, time.UTC)
	all := make([]string, 0, len(components))
	for _, c := range components {
		all = append(all, s.meaning(c))
	}
	slices.Sort(all)
	var b []byte
	for _, m := range all {
		b = fmt.Appendf(b, "%d\n%s\n", len(m), m)
	}
	return blake3.Sum256(b)
}

// meaning writes an event, task or the like in one spelling: times as
// instants, its end as a length.
func (s *series) meaning(c *Component) string {
	sp := s.span(c)
	var b strings.Builder
	b.WriteString("BEGIN:" + c.Name + "\n")
	for _, f := range said(c, s.zones) {
		b.WriteString(f.String() + "\n")
	}
	for _, f := range s.timing(c, sp) {
		b.WriteString(f + "\n")
	}
	for _, child := range inner(c, s.zones) {
		b.WriteString(child + "\n")
	}
	b.WriteString("END:" + c.Name + "\n")
	return b.String()
}

// timing is when a component takes place, in one spelling.
func (s *series) timing(c *Component, sp span) (all []string) {
	add := func(name, format string, args ...any) { all = append(all, name+":"+fmt.Sprintf(format, args...)) }
	if sp.dated {
		start := sp.clock.instant(sp.start.Wall)
		kind := s.zoneName(sp.start)
		add("START", "%s %s", start.UTC().Format(time.RFC3339), kind)
		end := sp.end(sp.start.Wall, start)
		if len(c.All("RRULE"))+len(c.All("RDATE")) > 0 && sp.length.Days != 0 && !sp.start.AllDay {
			add("LENGTH", "%s", sp.length) // days on the wall, for every instance
		} else {
			add("END", "%s", end.UTC().Format(time.RFC3339))
		}
		if c.Name == "VTODO" {
			add("FROM", "%v", len(c.All("DTSTART")) > 0)
		}
	} else {
		for _, l := range c.Lines {
			if l.Is("DTSTART", "DTEND", "DUE", "DURATION") {
				add(strings.ToUpper(l.Name), "%s", strings.TrimSpace(l.Value))
			}
		}
	}
	for _, name := range []string{"RRULE", "EXRULE"} {
		if r := s.rules(c, name, sp); r != "" {
			add(name, "%s", r)
		}
	}
	for _, name := range []string{"RDATE", "EXDATE"} {
		for _, d := range s.dates(c, name) {
			add(name, "%s", d)
		}
	}
	if l, ok := c.Property("RECURRENCE-ID"); ok {
		if id, ok := parseMoment(l.Value, l.First("TZID")); ok {
			add("OF", "%s %v %s", s.instant(id).UTC().Format(time.RFC3339), id.AllDay, strings.ToUpper(l.First("RANGE")))
		} else {
			add("OF", "%s", strings.TrimSpace(l.Value))
		}
	}
	return all
}

// zoneName is the zone of a moment in one spelling; UTC has many names.
func (s *series) zoneName(m Moment) string {
	switch {
	case m.AllDay:
		return "date"
	case m.UTC:
		return "UTC"
	case m.TZID == "":
		return "floating"
	}
	switch n := s.zones.name(m.TZID); n {
	case "UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Etc/Zulu", "UCT", "Etc/UCT", "Universal", "Etc/Universal":
		return "UTC"
	default:
		return n
	}
}
