package sandbox

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// component is a component of a calendar object, or a card.
type component struct {
	name     string // upper case
	lines    []contentline.Line
	children []*component
}

// readComponent reads the first component of a text that has this name. strict
// refuses a line that is none, as the server's reader of cards does; its reader
// of calendars leaves such lines out. nil: there is none, or it has no end.
func readComponent(text []byte, name string, strict bool) *component {
	lines, _ := contentline.Read(text)
	var open []*component
	for _, l := range lines {
		switch {
		case l.Is("BEGIN"):
			c := &component{name: strings.ToUpper(strings.TrimSpace(l.Value))}
			if len(open) == 0 && c.name != name {
				return nil
			}
			if n := len(open); n > 0 {
				open[n-1].children = append(open[n-1].children, c)
			}
			open = append(open, c)
		case l.Is("END"):
			n := len(open)
			if n == 0 || open[n-1].name != strings.ToUpper(strings.TrimSpace(l.Value)) {
				return nil
			}
			if n == 1 {
				return open[0]
			}
			open = open[:n-1]
		case len(open) == 0:
			return nil
		case l.Name != "":
			open[len(open)-1].lines = append(open[len(open)-1].lines, l)
		case strict:
			return nil
		}
	}
	return nil
}

// first returns the first property of that name.
func (c *component) first(name string) (contentline.Line, bool) {
	for _, l := range c.lines {
		if l.Is(name) {
			return l, true
		}
	}
	return contentline.Line{}, false
}

func (c *component) has(name string) bool {
	_, ok := c.first(name)
	return ok
}

// text is the value of the first property of that name, unescaped.
func (c *component) text(name string) string {
	l, _ := c.first(name)
	return strings.TrimSpace(contentline.Unescape(l.Value))
}

func (c *component) write(b []byte) []byte {
	b = contentline.New("BEGIN", c.name).Append(b)
	for _, l := range c.lines {
		b = l.Append(b)
	}
	for _, child := range c.children {
		b = child.write(b)
	}
	return contentline.New("END", c.name).Append(b)
}

// pruned is a copy with no more than some properties: keep says which, by name
// of the component. nil stands for all of them; a component that keep does not
// name is left out, and so are all that it holds.
func (c *component) pruned(keep map[string][]string) *component {
	names, ok := keep[c.name]
	if !ok {
		return nil
	}
	out := &component{name: c.name}
	for _, l := range c.lines {
		// A calendar says always what a calendar must say.
		if names == nil || slices.ContainsFunc(names, func(n string) bool { return l.Is(n) }) || c.name == "VCALENDAR" && l.Is("VERSION", "PRODID") {
			out.lines = append(out.lines, l)
		}
	}
	for _, child := range c.children {
		if p := child.pruned(keep); p != nil {
			out.children = append(out.children, p)
		}
	}
	return out
}

// calendarUID is the one UID that a calendar object has, and whether it is a
// valid one (RFC 4791 §4.1): of one type and one UID.
func calendarUID(c *component) (uid string, ok bool) {
	kind := ""
	for _, child := range c.children {
		if child.name == "VTIMEZONE" {
			continue
		}
		u := child.text("UID")
		if u == "" || uid != "" && (u != uid || kind != child.name) {
			return "", false
		}
		uid, kind = u, child.name
	}
	return uid, uid != ""
}
