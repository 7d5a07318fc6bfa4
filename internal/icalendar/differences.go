package icalendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/plural"
)

// Difference is one thing that is not the same in two objects.
type Difference = contentline.Difference

// maxInstanceDifferences are told of one by one.
const maxInstanceDifferences = 5

// Differences compares two objects by what a user in zone sees: everything
// that is said about the event, its exceptions and alarms, and when it takes
// place within the window.
func Differences(source, destination Part, w Window, zone *time.Location) []Difference {
	a, _ := components(source.Text)
	b, _ := components(destination.Text)
	if len(a) == 0 || len(b) == 0 {
		return []Difference{{Property: "VCALENDAR", Source: string(source.Text), Destination: string(destination.Text)}}
	}
	c := &comparison{a: newSeries(a[0], zone), b: newSeries(b[0], zone), window: w, zone: zone}
	c.masters()
	c.exceptions()
	c.instances()
	return c.found
}

type comparison struct {
	a, b   *series
	window Window
	zone   *time.Location
	found  []Difference
}

func (c *comparison) add(d Difference) { c.found = append(c.found, d) }

// masters pairs what is no exception; there is one, normally.
func (c *comparison) masters() {
	order := func(s *series) []*Component {
		return slices.SortedStableFunc(slices.Values(s.masters), func(x, y *Component) int {
			return strings.Compare(x.Name+canonical(x, s.zones), y.Name+canonical(y, s.zones))
		})
	}
	a, b := order(c.a), order(c.b)
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(b):
			c.add(Difference{Property: a[i].Name, Source: a[i].Text("SUMMARY") + " (all of it)"})
		case i >= len(a):
			c.add(Difference{Property: b[i].Name, Destination: b[i].Text("SUMMARY") + " (all of it)"})
		default:
			c.component("", a[i], b[i])
		}
	}
}

// exceptions pairs exceptions by the instance that they stand for.
func (c *comparison) exceptions() {
	type key struct {
		at     time.Time
		future bool
	}
	index := func(s *series) (map[key]*Component, []key) {
		m := map[key]*Component{}
		var order []key
		for _, e := range s.exceptions {
			l, _ := e.Property("RECURRENCE-ID")
			id, _ := parseMoment(l.Value, l.First("TZID"))
			k := key{s.instant(id), strings.EqualFold(l.First("RANGE"), "THISANDFUTURE")}
			if m[k] == nil {
				m[k] = e
				order = append(order, k)
			}
		}
		return m, order
	}
	a, orderA := index(c.a)
	b, orderB := index(c.b)
	for _, k := range orderA {
		where := "exception of " + c.clock(k.at)
		if b[k] == nil {
			c.add(Difference{Where: where, Property: a[k].Name, Source: "an exception", Explained: c.needless(c.a, a[k])})
			continue
		}
		c.component(where, a[k], b[k])
	}
	for _, k := range orderB {
		if a[k] == nil {
			c.add(Difference{Where: "exception of " + c.clock(k.at), Property: b[k].Name, Destination: "an exception", Explained: c.needless(c.b, b[k])})
		}
	}
}

// needless: an exception that says what its series says anyway; leaving it
// out changes nothing. What instances show is compared besides.
func (c *comparison) needless(s *series, e *Component) string {
	if len(s.masters) != 1 {
		return ""
	}
	m := s.masters[0]
	l, _ := e.Property("RECURRENCE-ID")
	id, _ := parseMoment(l.Value, l.First("TZID"))
	own, series := s.span(e), s.span(m)
	if !own.dated || !s.instant(own.start).Equal(s.instant(id)) || own.length != series.length {
		return ""
	}
	other := &comparison{a: s, b: s, window: c.window, zone: c.zone}
	other.facts("", e, m)
	other.alarms("", e, m)
	if len(contentline.Real(other.found)) > 0 {
		return ""
	}
	return "an exception that says nothing else than its series"
}

func (c *comparison) clock(t time.Time) string { return t.In(c.zone).Format("2006-01-02 15:04") }

// component compares two that stand for the same.
func (c *comparison) component(where string, a, b *Component) {
	c.times(where, a, b)
	c.facts(where, a, b)
	c.alarms(where, a, b)
}

// instances compares when it takes place, and what each instance shows where
// that comes from different exceptions.
func (c *comparison) instances() {
	a, moreA := c.a.expand(c.window)
	b, moreB := c.b.expand(c.window)
	if moreA != moreB {
		c.add(Difference{Property: "instances", Source: fmt.Sprintf("followed to the end: %v", !moreA), Destination: fmt.Sprintf("followed to the end: %v", !moreB)})
	}
	told := 0
	add := func(x, y string) {
		if told++; told <= maxInstanceDifferences {
			c.add(Difference{Property: "instances", Source: x, Destination: y})
		}
	}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && c.before(a[0], b[0]):
			add(c.span(a[0]), "")
			a = a[1:]
		case len(a) == 0 || c.before(b[0], a[0]):
			add("", c.span(b[0]))
			b = b[1:]
		default:
			if x, y := c.span(a[0]), c.span(b[0]); x != y {
				add(x, y)
			}
			a, b = a[1:], b[1:]
		}
	}
	if told > maxInstanceDifferences {
		c.add(Difference{Property: "instances", Source: fmt.Sprintf("%d more %s", told-maxInstanceDifferences, plural.Of(told-maxInstanceDifferences, "differs", "differ")), Destination: "the same"})
	}
}

func (c *comparison) before(x, y Instance) bool { return x.Start.Before(y.Start) }

func (c *comparison) span(i Instance) string {
	switch {
	case i.Start.IsZero():
		return "without a date"
	case i.AllDay:
		return i.Start.Format("2006-01-02") + " until " + i.End.AddDate(0, 0, -1).Format("2006-01-02")
	}
	return c.clock(i.Start) + " until " + c.clock(i.End)
}
