package icalendar

import (
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// byDAV says why the object cannot go by JMAP, or nothing. Each reason was
// seen at a real Stalwart 0.16 (docs/fidelity.md).
func (g *group) byDAV(s *series) string {
	switch g.kind {
	case "VEVENT", "VTODO":
	default:
		// CalendarEvent/parse ends the server's connection.
		return g.kind + " has no form in JMAP"
	}
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
	if len(c.All("EXRULE")) > 0 {
		return "EXRULE, which JMAP has no word for"
	}
	if len(c.All("GEO")) > 0 && len(c.All("LOCATION")) > 0 {
		return "GEO and LOCATION: JMAP would make them one"
	}
	if why := peopleByDAV(c); why != "" {
		return why
	}
	if why := twice(c); why != "" {
		return why
	}
	switch class := strings.ToUpper(c.Text("CLASS")); class {
	case "", "PUBLIC", "PRIVATE", "CONFIDENTIAL":
	default:
		return "CLASS:" + class + ", which JMAP has no word for"
	}
	sp := s.span(c)
	for _, l := range c.Lines {
		if l.Is("CATEGORIES") && l.First("LANGUAGE") != "" {
			return "CATEGORIES with a language: JMAP would give it to all of them"
		}
		if sp.dated && l.Is("DTEND", "DUE", "EXDATE", "RDATE", "RECURRENCE-ID") && sp.mixed(l) {
			return "times of several kinds: JMAP would make all of them alike"
		}
		if id := l.First("TZID"); id != "" && !known(id) {
			return fmt.Sprintf("the zone %q is no IANA name, and JMAP drops definitions", id)
		}
		if l.Is("RRULE") && sp.dated {
			if why := ruleByDAV(l.Value, sp); why != "" {
				return why
			}
		}
		if l.Is("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE") && s.oddTime(l.Value, l.First("TZID")) {
			return "a time that occurs twice, or never, when the clocks change"
		}
	}
	return ""
}

// ruleByDAV looks at the end of a rule, which JMAP writes as it writes the
// start.
func ruleByDAV(value string, sp span) string {
	r, err := parseRule(value)
	switch {
	case err != nil:
		return "a rule that cannot be read"
	case !r.hasUntil:
	case !sp.start.AllDay && !sp.start.UTC && sp.start.TZID == "":
		return "a floating series with an end: JMAP would move the end to UTC"
	case r.until.AllDay != sp.start.AllDay:
		return "a rule whose UNTIL is of another kind than the start: JMAP would lose the last day"
	}
	return ""
}

// mixed: a floating start or a day, and values that are something else.
func (sp span) mixed(l contentline.Line) bool {
	if sp.start.UTC || sp.start.TZID != "" {
		return false
	}
	for v := range strings.SplitSeq(l.Value, ",") {
		begin, _, _ := strings.Cut(v, "/")
		if m, ok := parseMoment(begin, l.First("TZID")); ok && (m.UTC || m.TZID != "" || m.AllDay != sp.start.AllDay) {
			return true
		}
	}
	return false
}

// twice: a property that there is once is there twice; JMAP keeps one.
func twice(c *Component) string {
	seen := map[string]bool{}
	for _, l := range c.Lines {
		name := strings.ToUpper(l.Name)
		if _, registered := kinds[name]; !registered && !slices.Contains([]string{"SUMMARY", "DESCRIPTION", "LOCATION", "UID", "COLOR", "GEO"}, name) {
			continue
		}
		if seen[name] && single(name) && name != "EXDATE" && name != "RDATE" && name != "FREEBUSY" {
			return name + " twice: JMAP keeps one"
		}
		seen[name] = true
	}
	return ""
}

// peopleByDAV looks at who takes part. JMAP has one participant for one
// address, with one set of properties.
func peopleByDAV(c *Component) string {
	attendees, organizers := c.All("ATTENDEE"), c.All("ORGANIZER")
	if len(attendees) > 0 && len(organizers) == 0 {
		return "attendees without an organizer: JMAP would make the owner one"
	}
	seen := map[string]bool{}
	for _, l := range attendees {
		switch strings.ToUpper(l.First("ROLE")) {
		case "", "CHAIR", "REQ-PARTICIPANT", "OPT-PARTICIPANT", "NON-PARTICIPANT":
		default:
			return "a ROLE that JMAP has no word for"
		}
		address := canonicalAddress(l.Value)
		if seen[address] {
			return "an attendee twice: JMAP would make one of them"
		}
		seen[address] = true
		for _, o := range organizers {
			if canonicalAddress(o.Value) == address && !sameParticipant(o, l) {
				return "an organizer who attends under another name: JMAP would mix them up"
			}
		}
	}
	return ""
}

// sameParticipant: all that is said of the organizer is said of the attendee,
// and that one has an answer or a role, without which JMAP shows no attendee.
func sameParticipant(organizer, attendee contentline.Line) bool {
	for _, p := range organizer.Params {
		if !slices.Equal(p.Values, attendee.Param(p.Name)) {
			return false
		}
	}
	return attendee.First("PARTSTAT") != "" || attendee.First("ROLE") != ""
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
	gone, _ := s.excluded(s.masters[0], master)
	for _, e := range s.exceptions {
		l, _ := e.Property("RECURRENCE-ID")
		if l.First("RANGE") != "" {
			return "an exception for this and all future instances"
		}
		id, ok := parseMoment(l.Value, l.First("TZID"))
		if !ok || id.AllDay != master.start.AllDay {
			return "an exception whose RECURRENCE-ID is of another kind than the start of its series"
		}
		if id.AllDay {
			return "an exception of a whole day: JMAP would keep it instead of its series"
		}
		if gone[s.instant(id)] {
			return "an exception of an instance that EXDATE leaves out: JMAP would forget the latter"
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
