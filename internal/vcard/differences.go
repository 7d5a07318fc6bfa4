package vcard

import (
	"slices"

	"mailhaul.org/mailhaul/internal/contentline"
)

// Difference is one thing that is not the same in two cards.
type Difference = contentline.Difference

// Differences compares two prepared cards property by property: values, types,
// languages, labels of groups, what is preferred.
func Differences(source, destination Card) (all []Difference) {
	a, b := parse(source.Text), parse(destination.Text)
	onlyA, onlyB := contentline.Apart(facts(a), facts(b))
	for _, x := range onlyA {
		d := Difference{Property: x.name, Source: x.said()}
		i := slices.IndexFunc(onlyB, func(y fact) bool { return y.name == x.name && y.value == x.value })
		if i < 0 {
			i = slices.IndexFunc(onlyB, func(y fact) bool { return y.name == x.name })
		}
		var y fact
		if i >= 0 {
			y = onlyB[i]
			d.Destination = y.said()
			onlyB = slices.Delete(onlyB, i, i+1)
		}
		d.Explained = explain(x, y)
		all = append(all, d)
	}
	for _, y := range onlyB {
		all = append(all, Difference{Property: y.name, Destination: y.said(), Explained: explain(fact{}, y)})
	}
	return all
}

func (f fact) said() string {
	s := f.params + ":" + f.value
	if f.label != "" {
		s += " [" + f.label + "]"
	}
	return s
}

// parse reads a prepared card.
func parse(text []byte) *card {
	c := &card{}
	lines, _ := contentline.Read(text)
	for _, l := range lines {
		if !l.Is("BEGIN", "END") {
			c.lines = append(c.lines, l)
		}
	}
	return c
}

// explain says why a fact may differ without the user seeing it; x is the
// source's, y the destination's; one of them may say nothing.
func explain(x, y fact) string {
	switch {
	case x.name == "" && y.name == "JSPROP":
		return "what JSContact knows besides"
	}
	return ""
}
