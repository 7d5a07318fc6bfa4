package icalendar

import (
	"fmt"
	"strings"
)

// byDAV says why the object cannot go by JMAP, or nothing.
func (g *group) byDAV() string {
	switch g.kind {
	case "VEVENT", "VTODO":
	default:
		return g.kind + " has no form in JMAP"
	}
	masters := 0
	for _, c := range g.components {
		if _, exception := c.Property("RECURRENCE-ID"); !exception {
			masters++
		}
		if why := g.componentByDAV(c); why != "" {
			return why
		}
	}
	switch {
	case masters == 0:
		return "exceptions without their series"
	case masters > 1:
		return "the same event twice under one UID"
	}
	return ""
}

func (g *group) componentByDAV(c *Component) string {
	if _, ok := c.Property("DTSTART"); !ok && c.Name == "VEVENT" {
		return "no DTSTART"
	}
	for _, l := range c.Lines {
		if id := l.First("TZID"); id != "" && !known(id) {
			return fmt.Sprintf("the zone %q is no IANA name", id)
		}
		if l.Is("RDATE") && strings.EqualFold(l.First("VALUE"), "PERIOD") {
			return "RDATE with periods"
		}
		if l.Is("RECURRENCE-ID") && l.First("RANGE") != "" {
			return "an exception for this and all future instances"
		}
	}
	for _, child := range c.Children {
		if child.Name != "VALARM" {
			return child.Name + " inside of " + c.Name
		}
		switch a := strings.ToUpper(child.Text("ACTION")); a {
		case "DISPLAY", "EMAIL":
		default:
			return "an alarm of kind " + a
		}
	}
	return ""
}
