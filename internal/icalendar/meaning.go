package icalendar

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zeebo/blake3"
)

// digest hashes the meaning of components, with the zones of s.
func (s *series) digest(components []*Component) [32]byte {
	all := make([]string, 0, len(components))
	for _, c := range components {
		all = append(all, s.meaning(c))
	}
	slices.Sort(all)
	size := 0
	for _, m := range all {
		size += len(m) + 16
	}
	b := make([]byte, 0, size)
	for _, m := range all {
		b = append(strconv.AppendInt(b, int64(len(m)), 10), '\n')
		b = append(append(b, m...), '\n')
	}
	return blake3.Sum256(b)
}

// meaning writes an event, task or the like in one spelling: times as
// instants, its end as a length.
func (s *series) meaning(c *Component) string {
	sp := s.span(c)
	var b strings.Builder
	b.Grow(512)
	line := func(text string) {
		b.WriteString(text)
		b.WriteByte('\n')
	}
	line("BEGIN:" + c.Name)
	for _, f := range said(c, s.zones) {
		line(f.text)
	}
	for _, f := range s.timing(c, sp) {
		line(f)
	}
	for _, child := range inner(c, s.zones) {
		line(child)
	}
	line("END:" + c.Name)
	return b.String()
}

// timing is when a component takes place, in one spelling.
func (s *series) timing(c *Component, sp span) (all []string) {
	add := func(name, value string) { all = append(all, name+":"+value) }
	if sp.dated {
		start := sp.clock.instant(sp.start.Wall)
		add("START", start.UTC().Format(time.RFC3339)+" "+s.zoneName(sp.start))
		end := sp.end(sp.start.Wall, start)
		if c.repeats() && sp.length.Days != 0 && !sp.start.AllDay {
			add("LENGTH", sp.length.String()) // days on the wall, for every instance
		} else {
			add("END", end.UTC().Format(time.RFC3339))
		}
		if c.Name == "VTODO" {
			add("FROM", strconv.FormatBool(c.has("DTSTART")))
		}
	} else {
		for _, l := range c.Lines {
			if l.Is("DTSTART", "DTEND", "DUE", "DURATION") {
				add(strings.ToUpper(l.Name), strings.TrimSpace(l.Value))
			}
		}
	}
	for _, name := range []string{"RRULE", "EXRULE"} {
		if r := s.rules(c, name, sp); r != "" {
			add(name, r)
		}
	}
	for _, name := range []string{"RDATE", "EXDATE"} {
		for _, d := range s.dates(c, name) {
			add(name, d)
		}
	}
	if l, ok := c.Property("RECURRENCE-ID"); ok {
		if id, ok := parseMoment(l.Value, l.First("TZID")); ok {
			add("OF", s.instant(id).UTC().Format(time.RFC3339)+" "+strconv.FormatBool(id.AllDay)+" "+strings.ToUpper(l.First("RANGE")))
		} else {
			add("OF", strings.TrimSpace(l.Value))
		}
	}
	return all
}

// repeats: the length of the component is that of several instances.
func (c *Component) repeats() bool {
	l, _ := c.Property("RECURRENCE-ID")
	return c.has("RRULE") || c.has("RDATE") || l.First("RANGE") != ""
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
