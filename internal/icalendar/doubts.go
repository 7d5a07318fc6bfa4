package icalendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
)

// doubts are what of an object stays as it was written though no program, or not
// each, reads it as it was meant: dates that are none, rules that nobody
// understands, zones that are neither known nor defined, or defined otherwise
// than their name says.
func (g *group) doubts(s *series) (all []string) {
	say := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	repeats := slices.ContainsFunc(g.components, func(c *Component) bool { return c.has("RRULE") })
	for _, c := range g.components {
		for _, l := range c.Lines {
			switch {
			case l.Is("ATTACH") && l.First("MANAGED-ID") != "": // RFC 8607 §4.3
				say("ATTACH: an attachment that the old server keeps (MANAGED-ID); only its address is carried, and leads nowhere once that server is gone: %s", contentline.Shorten(l.Value))
			case l.Is("ATTENDEE", "ORGANIZER") && strings.TrimSpace(l.Value) != "" && !strings.Contains(l.Value, ":"): // RFC 5545 §3.3.3
				say("%s: %q is no address as iCalendar has them; kept as it is, and left out by most programs", l.Name, contentline.Shorten(l.Value))
			case l.Is(oldAlarms...):
				say("%s: an alarm in the words of vCalendar 1.0 that has no equivalent; kept as it is, and no program rings: %s", l.Name, contentline.Shorten(l.Value))
			case l.Is("RRULE", "EXRULE"):
				if _, err := parseRule(l.Value); err != nil {
					say("%s: %v; kept as it is, and not followed", l.Name, err)
				}
			case l.Is("DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE"):
				s.doubtTimes(l, repeats, say)
			}
		}
	}
	return all
}

// doubtTimes looks at the values of one property, and at its zone.
func (s *series) doubtTimes(l contentline.Line, repeats bool, say func(string, ...any)) {
	id := l.First("TZID")
	for v := range strings.SplitSeq(l.Value, ",") {
		begin, _, _ := strings.Cut(v, "/")
		if strings.TrimSpace(v) == "" {
			continue
		}
		m, ok := parseMoment(begin, id)
		if !ok {
			say("%s: %q is no date or time; kept as it is, and shown by no client", l.Name, contentline.Shorten(v))
			continue
		}
		if m.TZID == "" {
			continue
		}
		clock, known := s.zones.clock(m.TZID, s.zone)
		if !known {
			say("the time zone %q is neither known nor defined: clients take the time for their own", m.TZID)
			return
		}
		d := s.zones.defined[m.TZID]
		if d == nil || IANA(m.TZID) == "" {
			continue
		}
		own := definedLike(d, clock)
		switch at := clock.instant(m.Wall); {
		case own.agrees:
		case own.offset(at) != clock.offset(at):
			say("the time zone %q is defined as %s from Greenwich at that time, which is %s there: the name counts, as for most clients", m.TZID, offsetText(own.offset(at)), offsetText(clock.offset(at)))
			return
		case repeats && l.Is("DTSTART"):
			say("the time zone %q is not defined as its clocks go: where they differ the name counts, as for most clients", m.TZID)
			return
		}
	}
}

// offsetText is a distance from UTC, "+01:00".
func offsetText(seconds int) string {
	return time.Unix(0, 0).In(time.FixedZone("", seconds)).Format("-07:00")
}

// definedClock is what a definition says, beside the clocks of the place that it
// is named after.
type definedClock struct {
	clock
	agrees bool
}

// definedLike compares a definition with the place of its name, once for each: a
// calendar has one in each of its thousand events. One that says nothing agrees.
func definedLike(d *Component, place clock) definedClock {
	key := string(d.append(make([]byte, 0, d.size())))
	places.Lock()
	c, ok := places.named[key]
	places.Unlock()
	if ok {
		return c
	}
	c.clock, ok = evaluate(d)
	c.agrees = !ok || len(c.onsets) == 0 || agree(c.clock, place)
	places.Lock()
	defer places.Unlock()
	if len(places.named) >= maxDefinitions || places.named == nil {
		places.named = map[string]definedClock{}
	}
	places.named[key] = c
	return c
}
