package icalendar

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
)

// homeZone is the zone of the program that wrote a calendar of vCalendar 1.0, in
// which its local times are: TZ and DAYLIGHT say it, one year each.
type homeZone struct {
	tzid string
	// definition is nil where tzid is a name that everybody knows.
	definition *Component
	clock      clock
	from, to   time.Time // for which it is known
	// series: also for all that comes after its start.
	series bool
}

// quiet is for how long clocks do not change before summer time begins and after
// it has ended, at least.
const quiet = 120 * 24 * time.Hour

// homeOf reads TZ and DAYLIGHT. nil: there is none, or it is not whole, and why.
func homeOf(c *Component) (h *homeZone, why string) {
	tz, zoned := c.Property("TZ")
	changes := c.All("DAYLIGHT")
	if !zoned && len(changes) == 0 {
		return nil, ""
	}
	standard, ok := oldOffset(tz.Value)
	switch {
	case !ok:
		return nil, "TZ does not say the distance from Greenwich"
	case len(changes) == 0:
		return nil, "without DAYLIGHT it is not known whether there is summer time"
	}
	var onsets []onset
	summer := 0
	for _, l := range changes {
		parts := contentline.Split(l.Value, ';')
		if len(changes) == 1 && strings.EqualFold(strings.TrimSpace(parts[0]), "FALSE") {
			return fixedHome(standard)
		}
		if len(parts) < 4 || !strings.EqualFold(strings.TrimSpace(parts[0]), "TRUE") {
			return nil, "DAYLIGHT does not say when summer time begins and ends"
		}
		offset, ok1 := oldOffset(parts[1])
		begin, ok2 := parseMoment(parts[2], "")
		end, ok3 := parseMoment(parts[3], "")
		if !ok1 || !ok2 || !ok3 || begin.AllDay || end.AllDay || offset == standard || summer != 0 && summer != offset {
			return nil, "DAYLIGHT does not say when summer time begins and ends"
		}
		summer = offset
		// Each is told by the clocks as they go until then (RFC 5545 §3.6.5 has it
		// so, and phones write "20160327T030000;20161030T040000" for Helsinki).
		at := func(m Moment, before int) time.Time {
			if m.UTC {
				return m.Wall
			}
			return m.Wall.Add(-time.Duration(before) * time.Second)
		}
		onsets = append(onsets, onset{at(begin, standard), summer}, onset{at(end, summer), standard})
	}
	slices.SortFunc(onsets, func(a, b onset) int { return a.at.Compare(b.at) })
	for i, o := range onsets {
		if (i%2 == 0) != (o.offset == summer) || i > 0 && o.at.Sub(onsets[i-1].at) > 366*24*time.Hour {
			return nil, "the years of DAYLIGHT do not follow each other"
		}
	}
	first, last := onsets[0].at, onsets[len(onsets)-1].at
	if place := placeWith(onsets, standard); place != "" {
		return &homeZone{tzid: place, clock: clock{loc: load(place)}, from: first.Add(-quiet), to: agreeTo, series: true}, ""
	}
	h = &homeZone{tzid: fmt.Sprintf("vCalendar %s %s %d-%d", compactOffset(standard), compactOffset(summer), first.Year(), last.Year()),
		clock: clock{onsets: onsets, before: standard}, from: first.Add(-quiet), to: last.Add(quiet)}
	h.definition = &Component{Name: "VTIMEZONE", Lines: []contentline.Line{contentline.New("TZID", h.tzid)}}
	for i, o := range onsets {
		name, before := "DAYLIGHT", standard
		if i%2 == 1 {
			name, before = "STANDARD", summer
		}
		h.definition.Children = append(h.definition.Children, &Component{Name: name, Lines: []contentline.Line{
			contentline.New("DTSTART", Moment{Wall: o.at.Add(time.Duration(before) * time.Second).UTC()}.String()),
			contentline.New("TZOFFSETFROM", compactOffset(before)), contentline.New("TZOFFSETTO", compactOffset(o.offset))}})
	}
	return h, ""
}

// fixedHome is a zone without summer time. That is believed where none of the
// places with that time has one: others' clocks go on in spring, whatever a phone
// says whose owner sets it by hand.
func fixedHome(standard int) (*homeZone, string) {
	for _, name := range slices.Sorted(maps.Values(windowsZones)) {
		c := clock{loc: load(name)}
		year := agreeTo.Year()
		january, july := c.offset(time.Date(year, 1, 15, 0, 0, 0, 0, time.UTC)), c.offset(time.Date(year, 7, 15, 0, 0, 0, 0, time.UTC))
		if january != july && min(january, july) == standard {
			return nil, "DAYLIGHT says that there is no summer time, and most places with that time have it"
		}
	}
	if standard%3600 != 0 {
		return nil, "a zone of that distance has no name without a place"
	}
	// Signs are the other way round in these names.
	tzid := fmt.Sprintf("Etc/GMT%+d", -standard/3600)
	if standard == 0 {
		tzid = "Etc/UTC"
	}
	loc := load(tzid)
	if loc == nil {
		return nil, "there is no such distance from Greenwich"
	}
	return &homeZone{tzid: tzid, clock: clock{loc: loc}, to: agreeTo, series: true}, ""
}

// placeWith is a place whose clocks change at these times; empty: there is none, or
// there are several whose clocks do not go alike from then on.
func placeWith(onsets []onset, standard int) string {
	var found clock
	place := ""
	first := onsets[0].at.Add(-quiet)
next:
	for _, name := range slices.Compact(slices.Sorted(maps.Values(windowsZones))) {
		loc := load(name)
		if loc == nil {
			continue
		}
		c := clock{loc: loc}
		before := standard
		for _, o := range onsets {
			if c.offset(o.at.Add(-time.Second)) != before || c.offset(o.at) != o.offset {
				continue next
			}
			before = o.offset
		}
		if place == "" {
			place, found = name, c
			continue
		}
		for t := first; t.Before(agreeTo); t = t.AddDate(0, 0, 7) {
			if c.offset(t) != found.offset(t) {
				return ""
			}
		}
	}
	return place
}

// oldOffset reads "+01", "-0600", "+05:30" as seconds east.
func oldOffset(s string) (int, bool) {
	s = strings.TrimSpace(s)
	if len(s) == 3 {
		s += "00"
	}
	return parseOffset(s)
}

func compactOffset(seconds int) string { return strings.ReplaceAll(offsetText(seconds), ":", "") }

// localTimes are the times of an object that no zone is told for. None: there are
// none, or it is of whole days (from midnight), which it is wherever one is.
func localTimes(o *Component) (times []Moment, readable bool) {
	whole, readable := true, true
	for _, l := range o.Lines {
		if !local(l) {
			continue
		}
		kinds := 0
		for _, v := range oldList(l.Value) {
			m, ok := parseMoment(v, "")
			readable = readable && ok
			if !ok || m.UTC || m.AllDay {
				kinds |= 1
				continue
			}
			kinds |= 2
			times = append(times, m)
			clock := m.Wall.Format("150405")
			whole = whole && (clock == "000000" || clock == "235900" || clock == "235959")
		}
		readable = readable && kinds != 3
	}
	if whole {
		return nil, readable
	}
	return times, readable
}

func local(l contentline.Line) bool {
	return l.Is("DTSTART", "DTEND", "DUE", "EXDATE", "RDATE") && l.First("TZID") == ""
}

// oldList is a list of dates, which vCalendar 1.0 separates by semicolons.
func oldList(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ';' || r == ',' })
}

// settle puts an object's local times in its home zone. Why it cannot be done is
// empty where it was done.
func (h *homeZone) settle(o *Component, times []Moment) (why string) {
	for _, m := range times {
		if at := h.clock.instant(m.Wall); h.clock.odd(m.Wall) || at.Before(h.from) || at.After(h.to) {
			return "not all of its times lie in the years of DAYLIGHT"
		}
	}
	if !h.series && (o.has("RRULE") || o.has("EXRULE")) {
		return "a series may go on after the years of DAYLIGHT"
	}
	for i, l := range o.Lines {
		values := oldList(l.Value)
		if !local(l) || len(values) == 0 {
			continue
		}
		if m, ok := parseMoment(values[0], ""); ok && !m.UTC && !m.AllDay {
			o.Lines[i] = l.WithParams(append(slices.Clip(l.Params), contentline.Param{Name: "TZID", Values: []string{h.tzid}}))
		}
	}
	return ""
}

// settle puts the local times of an object into the zone of the program that wrote
// it, where that is known.
func (p *preparation) settle(o *Component, h *homeZone, why string) {
	if h == nil && why == "" {
		return
	}
	times, readable := localTimes(o)
	if len(times) == 0 {
		return
	}
	switch {
	case !readable:
		why = "not all of its times can be read"
	case h != nil:
		why = h.settle(o, times)
	}
	if why != "" {
		p.remark("zone", o.Text("UID"), o.Line, "its times stay as the clock shows them, wherever one is, whatever TZ and DAYLIGHT say: %s", why)
		return
	}
	p.remark("zone", o.Text("UID"), o.Line, "its times are those of TZ and DAYLIGHT, in the words of vCalendar 1.0; they get the zone %q", h.tzid)
}
