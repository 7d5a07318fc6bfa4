package icalendar

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// facts compares what is said about the event apart from times and alarms.
func (c *comparison) facts(where string, a, b *Component) {
	fa, fb := said(a, c.a.zones), said(b, c.b.zones)
	onlyA, onlyB := contentline.Apart(fa, fb)
	// The same property on both sides is one difference.
	for _, x := range onlyA {
		d := Difference{Where: where, Property: x.name, Source: x.params + ":" + x.value}
		i := slices.IndexFunc(onlyB, func(y fact) bool { return y.name == x.name && (x.value == y.value || single(x.name)) })
		var y fact
		if i >= 0 {
			y = onlyB[i]
			d.Destination = y.params + ":" + y.value
			onlyB = slices.Delete(onlyB, i, i+1)
		}
		d.Explained = explain(x, y)
		c.add(d)
	}
	for _, y := range onlyB {
		c.add(Difference{Where: where, Property: y.name, Destination: y.params + ":" + y.value, Explained: explain(fact{}, y)})
	}
}

// said are the facts but those about times.
func said(c *Component, z *zones) []fact {
	return facts(c, z, timing...)
}

// single: a component has one at most (RFC 5545 §3.6).
func single(name string) bool {
	switch name {
	case "ATTENDEE", "ATTACH", "CATEGORIES", "COMMENT", "CONTACT", "RELATED-TO", "RESOURCES", "REQUEST-STATUS", "CONFERENCE", "IMAGE":
		return false
	}
	return true
}

// alarms compares alarms and other components inside of the event: by all
// that they say.
func (c *comparison) alarms(where string, a, b *Component) {
	x, y := inner(a, c.a.zones), inner(b, c.b.zones)
	onlyA, onlyB := apart(x, y)
	for i := range max(len(onlyA), len(onlyB)) {
		d := Difference{Where: where, Property: "VALARM"}
		if i < len(onlyA) {
			d.Source = onlyA[i]
		}
		if i < len(onlyB) {
			d.Destination = onlyB[i]
		}
		c.add(d)
	}
}

// inner writes the components inside of another, sorted.
func inner(c *Component, z *zones) (all []string) {
	for _, child := range c.Children {
		s := canonical(child, z)
		all = append(all, strings.ReplaceAll(strings.TrimSpace(s), "\n", " "))
	}
	slices.Sort(all)
	return all
}
