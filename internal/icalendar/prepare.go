package icalendar

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/model"
)

// Remark names a repair, or something that could not be kept.
type Remark = contentline.Remark

// Part is one calendar object: all components of one UID, as a CalDAV server
// takes it (RFC 4791 §4.1).
type Part struct {
	UID string
	// Components are the kinds that it has, sorted: "VEVENT". There is one,
	// but for objects that no server takes as they are.
	Components []string
	// Text is the object: UTF-8, folded, CRLF, one VCALENDAR with the
	// VTIMEZONEs that it uses and without METHOD.
	Text []byte
	// Digest is a hash of its meaning. It does not depend on the order of
	// properties and components, folding, letter case where that means
	// nothing, defaults written out, DTSTAMP, LAST-MODIFIED, PRODID, nor on
	// the spelling of the definition of a zone.
	Digest [32]byte
	// ByDAV says why it must be written by CalDAV: JMAP's CalendarEvent would
	// change its meaning or does not take it. Empty: either way will do.
	ByDAV string
	// Doubts are what was left as it is though not every program reads it as it
	// was meant. They are no repairs: an object prepared again has them again.
	Doubts []string
}

// Prepare cuts a text into objects and repairs what a server would refuse or
// lose. Objects without UID get one made from their content: the same content
// gets the same UID in every run, and so do two equal objects in two texts.
//
// Prepared text is left as it is when it is prepared again. The error is an
// item Fault when the text holds no calendar object.
func Prepare(raw []byte) ([]Part, []Remark, error) {
	p := prepared(raw)
	if len(p.order) == 0 {
		return nil, p.remarks, model.Faultf(model.ClassItem, "notCalendar", "the text holds no event, task or other calendar object")
	}
	parts := make([]Part, 0, len(p.order))
	for _, g := range p.order {
		parts = append(parts, g.part())
	}
	return parts, p.remarks, nil
}

// Digest is that of the only object in a text, as Prepare would tell it; false:
// there is none, or there are several.
func Digest(raw []byte) (sum [32]byte, ok bool) {
	p := prepared(raw)
	if len(p.order) != 1 {
		return sum, false
	}
	g := p.order[0]
	return g.series().digest(g.components), true
}

// prepared cuts and repairs.
func prepared(raw []byte) *preparation {
	calendars, remarks := components(raw)
	p := &preparation{remarks: remarks, groups: map[groupKey]*group{}}
	for _, c := range calendars {
		p.calendar(c)
	}
	return p
}

type groupKey struct {
	uid  string
	kind string
}

// group are the components of one UID and kind.
type group struct {
	groupKey
	properties []contentline.Line // of its calendar
	zones      []*Component       // all of its calendar
	components []*Component
}

type preparation struct {
	groups  map[groupKey]*group
	order   []*group
	remarks []Remark
}

func (p *preparation) remark(code, uid string, line int, format string, args ...any) {
	p.remarks = append(p.remarks, Remark{Code: code, Text: fmt.Sprintf(format, args...), Line: line, UID: uid})
}

// stored are the kinds that a calendar holds (RFC 4791 §4.1, RFC 7953).
var stored = []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"}

// calendar sorts the components of one VCALENDAR into groups.
func (p *preparation) calendar(c *Component) {
	properties := p.properties(c)
	var zones, objects []*Component
	for _, child := range c.Children {
		switch {
		case child.Name == "VTIMEZONE":
			zones = append(zones, located(child))
		case slices.Contains(stored, child.Name):
			objects = append(objects, child)
		default:
			p.remark("component", child.Text("UID"), child.Line, "%s is no calendar object that a server keeps; left out", child.Name)
		}
	}
	p.identify(objects, zones)
	old := strings.TrimSpace(c.Text("VERSION")) == "1.0"
	var home *homeZone
	why := ""
	if old {
		if home, why = homeOf(c); home != nil && home.definition != nil {
			zones = append(zones, located(home.definition))
		}
	}
	for _, o := range objects {
		p.settle(o, home, why)
		p.modernize(o, zones, old, home)
		p.repair(o)
		uid := o.Text("UID")
		key := groupKey{uid, o.Name}
		g := p.groups[key]
		if g == nil {
			g = &group{groupKey: key, properties: properties, zones: zones}
			for _, other := range p.order {
				if other.uid == uid {
					g.uid = p.free(uid + "-" + strings.ToLower(o.Name))
					p.remark("uid", uid, o.Line, "the same UID stands for a %s and a %s; the latter becomes %s", other.kind, o.Name, g.uid)
					break
				}
			}
			p.groups[key] = g
			p.order = append(p.order, g)
		}
		if g.uid != uid {
			setUID(o, g.uid)
		}
		g.zones = mergeZones(g.zones, zones)
		g.components = append(g.components, o)
	}
}

// free is a UID that no group has yet.
func (p *preparation) free(uid string) string {
	free := uid
	for n := 2; slices.ContainsFunc(p.order, func(g *group) bool { return g.uid == free }); n++ {
		free = fmt.Sprintf("%s-%d", uid, n)
	}
	return free
}

// mergeZones adds the definitions of further calendars in the same text.
func mergeZones(have, more []*Component) []*Component {
	for _, z := range more {
		if !slices.ContainsFunc(have, func(h *Component) bool { return h.Text("TZID") == z.Text("TZID") }) {
			have = append(slices.Clip(have), z)
		}
	}
	return have
}

// properties are what stays of a calendar's own properties.
func (p *preparation) properties(c *Component) []contentline.Line {
	var kept []contentline.Line
	seen := map[string]bool{}
	for _, l := range c.Lines {
		name := strings.ToUpper(l.Name)
		switch {
		case name == "METHOD":
			p.remark("method", "", l.Number, "METHOD:%s left out: a stored object has none (RFC 4791 §4.1)", l.Value)
			continue
		case name == "VERSION" && strings.TrimSpace(l.Value) != "2.0":
			p.remark("version", "", l.Number, "VERSION:%s becomes 2.0", l.Value)
			l = l.WithValue("2.0")
		case seen[name] && (name == "VERSION" || name == "PRODID" || name == "CALSCALE"):
			continue // said twice
		}
		seen[name] = true
		kept = append(kept, l)
	}
	if !seen["PRODID"] {
		kept = append([]contentline.Line{contentline.New("PRODID", "-//mailhaul//EN")}, kept...)
	}
	if !seen["VERSION"] {
		kept = append([]contentline.Line{contentline.New("VERSION", "2.0")}, kept...)
	}
	return kept
}

// identify gives a UID to those that have none. An exception without one
// belongs to the only series that there is.
func (p *preparation) identify(objects, zones []*Component) {
	known := map[string]bool{}
	last := ""
	for _, o := range objects {
		p.single(o)
		if uid := o.Text("UID"); uid != "" {
			known[uid] = true
			last = uid
		}
	}
	for _, o := range objects {
		if o.Text("UID") != "" {
			continue
		}
		uid := ""
		if _, exception := o.Property("RECURRENCE-ID"); exception && len(known) == 1 && last != "" {
			uid = last
			p.remark("uid", uid, o.Line, "an exception had no UID; it gets that of the only series in the text")
		} else {
			sum := seriesOf(zones, o).digest([]*Component{o})
			base := hex.EncodeToString(sum[:16])
			uid = base
			for n := 2; known[uid]; n++ {
				uid = fmt.Sprintf("%s-%d", base, n)
			}
			known[uid] = true
			p.remark("uid", uid, o.Line, "had no UID; gets one made from its content")
		}
		setUID(o, uid)
	}
}

// single keeps one UID where a component has several: the first that says
// something.
func (p *preparation) single(o *Component) {
	first := -1
	for i, l := range o.Lines {
		if l.Is("UID") && (first < 0 || strings.TrimSpace(o.Lines[first].Value) == "") {
			first = i
		}
	}
	kept := o.Lines[:0]
	for i, l := range o.Lines {
		if l.Is("UID") && i != first {
			if strings.TrimSpace(l.Value) == "" {
				continue
			}
			p.remark("uid", o.Text("UID"), l.Number, "has a second UID, kept as X-MAILHAUL-UID: %s", contentline.Shorten(l.Value))
			l = l.WithName("X-MAILHAUL-UID")
		}
		kept = append(kept, l)
	}
	o.Lines = kept
}

func setUID(o *Component, uid string) {
	line := contentline.New("UID", contentline.Escape(uid))
	for i, l := range o.Lines {
		if l.Is("UID") {
			o.Lines[i] = line
			return
		}
	}
	o.Lines = append([]contentline.Line{line}, o.Lines...)
}

// seriesOf is a series of components beside definitions of zones. Times without
// a zone are read as UTC's.
func seriesOf(zones []*Component, components ...*Component) *series {
	return newSeries(&Component{Children: append(slices.Clip(zones), components...)}, time.UTC)
}

func (g *group) series() *series { return seriesOf(g.zones, g.components...) }

// part writes the object.
func (g *group) part() Part {
	out := &Component{Name: "VCALENDAR", Lines: g.properties, Children: append(g.usedZones(), g.components...)}
	s := g.series()
	return Part{UID: g.uid, Components: []string{g.kind}, Text: out.append(make([]byte, 0, out.size())), Digest: s.digest(g.components), ByDAV: g.byDAV(s), Doubts: g.doubts(s)}
}

// usedZones are the definitions that the components name.
func (g *group) usedZones() (used []*Component) {
	names := map[string]bool{}
	var walk func(c *Component)
	walk = func(c *Component) {
		for _, l := range c.Lines {
			for _, v := range l.Param("TZID") {
				names[v] = true
			}
		}
		for _, child := range c.Children {
			walk(child)
		}
	}
	for _, c := range g.components {
		walk(c)
	}
	for _, z := range g.zones {
		if names[z.Text("TZID")] {
			used = append(used, z)
		}
	}
	return used
}
