package icalendar

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// clock turns what is on the wall of a zone into instants and back.
type clock struct {
	loc *time.Location
	// onsets are those of a zone that only its own definition knows, in
	// ascending order; loc is nil then.
	onsets []onset
	before int // seconds east of UTC before the first onset
}

// onset is when an observance begins (RFC 5545 §3.6.5).
type onset struct {
	at     time.Time
	offset int // seconds east of UTC from then on
}

// offset in seconds east of UTC at an instant.
func (c clock) offset(t time.Time) int {
	if c.loc != nil {
		_, off := t.In(c.loc).Zone()
		return off
	}
	i, found := slices.BinarySearchFunc(c.onsets, t, func(o onset, t time.Time) int { return o.at.Compare(t) })
	if !found {
		i--
	}
	if i < 0 {
		return c.before
	}
	return c.onsets[i].offset
}

// instant is when a clock in the zone shows wall. A time that does not occur
// is read with the offset before the gap; of one that occurs twice it is the
// first (RFC 5545 §3.3.5).
func (c clock) instant(wall time.Time) time.Time {
	before := c.offset(wall.Add(-24 * time.Hour))
	first := wall.Add(-time.Duration(before) * time.Second)
	if c.offset(first) == before {
		return first
	}
	after := c.offset(wall.Add(24 * time.Hour))
	second := wall.Add(-time.Duration(after) * time.Second)
	if c.offset(second) == after {
		return second
	}
	return first
}

// odd: wall occurs twice, or never.
func (c clock) odd(wall time.Time) bool {
	a := wall.Add(-time.Duration(c.offset(wall.Add(-24*time.Hour))) * time.Second)
	b := wall.Add(-time.Duration(c.offset(wall.Add(24*time.Hour))) * time.Second)
	fits := 0
	for _, t := range []time.Time{a, b} {
		if t.Add(time.Duration(c.offset(t)) * time.Second).Equal(wall) {
			fits++
		}
	}
	return fits == 0 || fits == 2 && !a.Equal(b)
}

// wall is what clocks in the zone show.
func (c clock) wall(t time.Time) time.Time {
	return t.UTC().Add(time.Duration(c.offset(t)) * time.Second)
}

var utc = clock{loc: time.UTC}

// clock returns the clock of a TZID: by its name where the name is known, for
// that is what all clients do; else by its definition. Where there is neither
// it is the user's, and ok is false.
func (z *zones) clock(tzid string, user *time.Location) (c clock, ok bool) {
	if loc := load(IANA(tzid)); loc != nil {
		return clock{loc: loc}, true
	}
	d := z.defined[tzid]
	if d == nil {
		return clock{loc: user}, false
	}
	if loc := load(IANA(d.Text("X-LIC-LOCATION"))); loc != nil {
		return clock{loc: loc}, true
	}
	if c, ok := z.clocks[tzid]; ok {
		return c, true
	}
	if c, ok = evaluated(d); !ok {
		return clock{loc: user}, false
	}
	z.clocks[tzid] = c
	return c, true
}

// definitions caches what was evaluated: a calendar has one definition in
// each of its thousand events.
var definitions struct {
	sync.Mutex
	clocks map[string]clock
}

// maxDefinitions bounds the cache; it starts anew when it is full.
const maxDefinitions = 256

func evaluated(d *Component) (clock, bool) {
	key := string(d.append(nil))
	definitions.Lock()
	c, ok := definitions.clocks[key]
	definitions.Unlock()
	if ok {
		return c, true
	}
	if c, ok = evaluate(d); !ok {
		return c, false
	}
	definitions.Lock()
	defer definitions.Unlock()
	if len(definitions.clocks) >= maxDefinitions || definitions.clocks == nil {
		definitions.clocks = map[string]clock{}
	}
	definitions.clocks[key] = c
	return c, true
}

// lastOnset bounds the evaluation of definitions without end.
const lastOnset = 2100

// evaluate computes the onsets that a VTIMEZONE defines.
func evaluate(d *Component) (c clock, ok bool) {
	var first time.Time // of all observances
	for _, o := range d.Children {
		from, ok1 := parseOffset(o.Text("TZOFFSETFROM"))
		to, ok2 := parseOffset(o.Text("TZOFFSETTO"))
		start, ok3 := parseMoment(o.Text("DTSTART"), "")
		if !ok1 || !ok2 || !ok3 {
			continue
		}
		add := func(wall time.Time) {
			c.onsets = append(c.onsets, onset{wall.Add(-time.Duration(from) * time.Second), to})
		}
		add(start.Wall)
		for _, l := range o.All("RDATE") {
			for v := range strings.SplitSeq(l.Value, ",") {
				if m, ok := parseMoment(v, ""); ok {
					add(m.Wall)
				}
			}
		}
		for _, l := range o.All("RRULE") {
			r, err := parseRule(l.Value)
			if err != nil {
				continue
			}
			n := 0
			r.walk(start.Wall, start.Wall, &budget{1 << 20}, func(t time.Time) bool {
				n++
				if r.count > 0 && n > r.count || t.Year() > lastOnset {
					return false
				}
				if r.hasUntil {
					end := r.until.Wall
					if r.until.UTC {
						end = end.Add(time.Duration(from) * time.Second)
					} else if r.until.AllDay {
						end = end.AddDate(0, 0, 1).Add(-time.Second)
					}
					if t.After(end) {
						return false
					}
				}
				add(t)
				return true
			})
		}
		if !ok || start.Wall.Before(first) {
			c.before, first, ok = from, start.Wall, true
		}
	}
	slices.SortStableFunc(c.onsets, func(a, b onset) int { return a.at.Compare(b.at) })
	return c, ok
}

// parseOffset reads a UTC-OFFSET (RFC 5545 §3.3.14) as seconds east.
func parseOffset(s string) (int, bool) {
	s = strings.TrimSpace(strings.ReplaceAll(s, ":", ""))
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	n, err := strconv.Atoi(s[1:])
	if err != nil {
		return 0, false
	}
	if len(s) == 5 {
		n *= 100
	}
	off := n/10000*3600 + n/100%100*60 + n%100
	if s[0] == '-' {
		off = -off
	}
	return off, off > -86400 && off < 86400
}
