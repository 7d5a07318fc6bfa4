package icalendar

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// byDAV says why the object cannot go by JMAP, or nothing. Each reason was
// seen at a real Stalwart 0.16 (docs/fidelity.md).
func (g *group) byDAV() string {
	switch g.kind {
	case "VEVENT", "VTODO":
	default:
		// CalendarEvent/parse ends the server's connection.
		return g.kind + " has no form in JMAP"
	}
	s := newSeries(&Component{Children: append(slices.Clip(g.zones), g.components...)}, time.UTC)
	for _, c := range g.components {
		if why := s.componentByDAV(c); why != "" {
			return why
		}
	}
	switch {
	case len(s.masters) == 0 && len(s.exceptions) > 1:
		return "exceptions without their series"
	case len(s.masters) > 1:
		return "the same event twice under one UID"
	case len(s.masters) == 1:
		return s.exceptionsByDAV()
	}
	return ""
}

// componentByDAV looks at one component alone.
func (s *series) componentByDAV(c *Component) string {
	if len(c.All("DTSTART")) == 0 && c.Name == "VEVENT" {
		return "no DTSTART"
	}
	if len(c.All("RRULE")) > 1 || len(c.All("EXRULE")) > 0 {
		return "more than one rule"
	}
	if len(c.All("ATTENDEE")) > 0 && len(c.All("ORGANIZER")) == 0 {
		return "attendees without an organizer: JMAP would make the owner one"
	}
	switch class := strings.ToUpper(c.Text("CLASS")); class {
	case "", "PUBLIC", "PRIVATE", "CONFIDENTIAL":
	default:
		return "CLASS:" + class + ", which JMAP has no word for"
	}
	sp := s.span(c)
	for _, l := range c.Lines {
		if id := l.First("TZID"); id != "" && !known(id) {
			return fmt.Sprintf("the zone %q is no IANA name, and JMAP drops definitions", id)
		}
		if l.Is("RRULE") && sp.dated && !sp.start.AllDay && !sp.start.UTC && sp.start.TZID == "" && strings.Contains(strings.ToUpper(l.Value), "UNTIL=") {
			return "a floating series with an end: JMAP would move the end to UTC"
		}
		if l.Is("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE") && s.oddTime(l.Value, l.First("TZID")) {
			return "a time that occurs twice, or never, when the clocks change"
		}
	}
	return ""
}

// oddTime: one of the values is at a change of the clocks.
func (s *series) oddTime(value, tzid string) bool {
	for v := range strings.SplitSeq(value, ",") {
		start, _, _ := strings.Cut(v, "/")
		if m, ok := parseMoment(start, tzid); ok && m.TZID != "" && s.clock(m).odd(m.Wall) {
			return true
		}
	}
	return false
}

// exceptionsByDAV looks at the exceptions beside their series.
func (s *series) exceptionsByDAV() string {
	master := s.span(s.masters[0])
	for _, e := range s.exceptions {
		l, _ := e.Property("RECURRENCE-ID")
		if l.First("RANGE") != "" {
			return "an exception for this and all future instances"
		}
		id, ok := parseMoment(l.Value, l.First("TZID"))
		if !ok || id.AllDay != master.start.AllDay {
			return "an exception whose RECURRENCE-ID is of another kind than the start of its series"
		}
		sp := s.span(e)
		if !sp.dated {
			continue
		}
		if sp.start.AllDay != master.start.AllDay || sp.start.UTC != master.start.UTC || s.zones.name(sp.start.TZID) != s.zones.name(master.start.TZID) {
			return "an exception in another zone than its series: JMAP would move it"
		}
	}
	return ""
}
