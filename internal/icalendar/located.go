package icalendar

import (
	"maps"
	"slices"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
)

// located says in a VTIMEZONE which place of the IANA database it stands for
// (X-LIC-LOCATION), where its TZID does not. Servers and clients that look zones
// up by name, as Stalwart does (calcard, src/icalendar/timezone.rs), take the
// times for the user's own otherwise. Definition and TZID stay.
func located(d *Component) *Component {
	id := d.Text("TZID")
	if d.Text("X-LIC-LOCATION") != "" || known(id) || IANA(id) != "" && !hasPrefix(id) {
		return d
	}
	place := IANA(id)
	if place == "" {
		place = placeOf(d)
	}
	if place == "" {
		return d
	}
	c := *d
	c.Lines = append(slices.Clip(d.Lines), contentline.New("X-LIC-LOCATION", place))
	return &c
}

// hasPrefix reports that a TZID is a known name behind what a client has put
// before it.
func hasPrefix(tzid string) bool {
	return len(IANA(tzid)) < len(tzid) && tzid[len(tzid)-len(IANA(tzid)):] == IANA(tzid)
}

// The years in which a definition has to agree with a place: what is asked of a
// calendar lies there.
var (
	agreeFrom = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	agreeTo   = time.Date(2037, 12, 31, 0, 0, 0, 0, time.UTC)
)

// places caches what was looked for, by definition: a calendar has one in each of
// its thousand events. At its bound it starts anew.
var places struct {
	sync.Mutex
	byDefinition map[string]string
	named        map[string]definedClock
}

// placeOf is the first place, in the order of names, whose clocks show what a
// definition says; empty where there is none.
func placeOf(d *Component) string {
	key := definition(d)
	places.Lock()
	place, ok := places.byDefinition[key]
	places.Unlock()
	if ok {
		return place
	}
	if c, ok := evaluated(d); ok && len(c.onsets) > 0 {
		for _, name := range slices.Compact(slices.Sorted(maps.Values(windowsZones))) {
			if loc := load(name); loc != nil && agree(c, clock{loc: loc}) {
				place = name
				break
			}
		}
	}
	places.Lock()
	defer places.Unlock()
	if len(places.byDefinition) >= maxDefinitions || places.byDefinition == nil {
		places.byDefinition = map[string]string{}
	}
	places.byDefinition[key] = place
	return place
}

// agree compares two clocks week by week, and when the first one changes.
func agree(c, place clock) bool {
	for t := agreeFrom; t.Before(agreeTo); t = t.AddDate(0, 0, 7) {
		if c.offset(t) != place.offset(t) {
			return false
		}
	}
	for _, o := range c.onsets {
		if o.at.Before(agreeFrom) || o.at.After(agreeTo) {
			continue
		}
		for _, t := range []time.Time{o.at.Add(-time.Second), o.at} {
			if c.offset(t) != place.offset(t) {
				return false
			}
		}
	}
	return true
}
