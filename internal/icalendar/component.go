package icalendar

import (
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// Component is a component with its properties in the order in which they
// were written.
type Component struct {
	Name     string // upper case: "VEVENT"
	Line     int    // of its BEGIN; 0 if it had none
	Lines    []contentline.Line
	Children []*Component
}

// Property returns the first property of that name.
func (c *Component) Property(name string) (contentline.Line, bool) {
	for i := range c.Lines {
		if c.Lines[i].Is(name) {
			return c.Lines[i], true
		}
	}
	return contentline.Line{}, false
}

// Text returns the value of the first property of that name, unescaped and
// without space around it; "" where there is none.
func (c *Component) Text(name string) string {
	l, _ := c.Property(name)
	return strings.TrimSpace(contentline.Unescape(l.Value))
}

// has tells whether there is a property of that name.
func (c *Component) has(name string) bool {
	return slices.ContainsFunc(c.Lines, func(l contentline.Line) bool { return l.Is(name) })
}

// All returns the properties of a name.
func (c *Component) All(name string) (lines []contentline.Line) {
	for i := range c.Lines {
		if c.Lines[i].Is(name) {
			lines = append(lines, c.Lines[i])
		}
	}
	return lines
}

// size is about how long the component is when it is written.
func (c *Component) size() int {
	n := 2 * len("BEGIN:\r\n"+c.Name)
	for _, l := range c.Lines {
		n += l.Size()
	}
	for _, child := range c.Children {
		n += child.size()
	}
	return n
}

// append writes the component.
func (c *Component) append(b []byte) []byte {
	b = contentline.New("BEGIN", c.Name).Append(b)
	for _, l := range c.Lines {
		b = l.Append(b)
	}
	for _, child := range c.Children {
		b = child.append(b)
	}
	return contentline.New("END", c.Name).Append(b)
}

// tree builds components out of lines.
type tree struct {
	calendars []*Component
	open      []*Component
	remarks   []Remark
}

func (t *tree) remark(code string, line int, format string, args ...any) {
	t.remarks = append(t.remarks, Remark{Code: code, Text: fmt.Sprintf(format, args...), Line: line})
}

// components reads all calendars of a text.
func components(raw []byte) ([]*Component, []Remark) {
	lines, remarks := contentline.Read(raw)
	t := &tree{remarks: remarks}
	for _, l := range lines {
		switch {
		case l.Is("BEGIN"):
			t.begin(strings.ToUpper(strings.TrimSpace(l.Value)), l.Number)
		case l.Is("END"):
			t.end(strings.ToUpper(strings.TrimSpace(l.Value)), l.Number)
		default:
			t.property(l)
		}
	}
	for _, c := range slices.Backward(t.open) {
		if c.Line == 0 {
			continue // one that was put around what stood outside
		}
		t.remark("end", c.Line, "%s is not closed; the text may have been cut off there", c.Name)
	}
	return t.calendars, t.remarks
}

// parents says what may stand inside of what, for the components of which one
// knows; it shows where an END is missing.
var parents = map[string][]string{
	"VCALENDAR": {}, "VEVENT": {"VCALENDAR"}, "VTODO": {"VCALENDAR"}, "VJOURNAL": {"VCALENDAR"},
	"VFREEBUSY": {"VCALENDAR"}, "VTIMEZONE": {"VCALENDAR"}, "VAVAILABILITY": {"VCALENDAR"},
	"VALARM": {"VEVENT", "VTODO"}, "STANDARD": {"VTIMEZONE"}, "DAYLIGHT": {"VTIMEZONE"},
}

// begin opens a component, and closes what cannot hold it.
func (t *tree) begin(name string, line int) {
	if want, known := parents[name]; known {
		for len(t.open) > 0 && !slices.Contains(want, t.open[len(t.open)-1].Name) {
			if len(want) > 0 && !t.opened(want...) {
				break // its parent is not open at all: keep it where it is
			}
			c := t.open[len(t.open)-1]
			t.remark("end", line, "%s begins inside of %s; its END was missing", name, c.Name)
			t.open = t.open[:len(t.open)-1]
		}
	}
	c := &Component{Name: name, Line: line}
	switch {
	case name == "VCALENDAR":
		t.calendars = append(t.calendars, c)
	case len(t.open) == 0:
		t.remark("outside", line, "%s stands outside of any VCALENDAR; put into one", name)
		loose := &Component{Name: "VCALENDAR", Children: []*Component{c}}
		t.calendars = append(t.calendars, loose)
		t.open = append(t.open, loose)
	default:
		p := t.open[len(t.open)-1]
		p.Children = append(p.Children, c)
	}
	t.open = append(t.open, c)
}

func (t *tree) opened(names ...string) bool {
	return slices.ContainsFunc(t.open, func(c *Component) bool { return slices.Contains(names, c.Name) })
}

func (t *tree) end(name string, line int) {
	if !t.opened(name) {
		t.remark("end", line, "END:%s closes nothing; left out", name)
		return
	}
	for {
		c := t.open[len(t.open)-1]
		t.open = t.open[:len(t.open)-1]
		if c.Name == name {
			return
		}
		t.remark("end", line, "%s is closed by END:%s; its own END was missing", c.Name, name)
	}
}

// property adds a line to the open component. A line that is none belongs to
// the text before it, which had a line break of its own.
func (t *tree) property(l contentline.Line) {
	if len(t.open) == 0 {
		t.remark("outside", l.Number, "stands outside of any component; left out: %s", contentline.Shorten(l.String()))
		return
	}
	c := t.open[len(t.open)-1]
	if l.Name != "" {
		if l.IsQuotedPrintable() {
			l = t.plain(l)
		}
		c.Lines = append(c.Lines, l)
		return
	}
	if n := len(c.Lines); n > 0 && kindOf(c.Lines[n-1]) == kindText {
		t.remark("line", l.Number, "is no property; joined to the text of %s before it: %s", c.Lines[n-1].Name, contentline.Shorten(l.Value))
		last := c.Lines[n-1]
		c.Lines[n-1] = last.WithValue(last.Value + `\n` + escapeOnly(l.Value))
		return
	}
	t.remark("line", l.Number, "is no property; kept as %s: %s", unreadable, contentline.Shorten(l.Value))
	c.Lines = append(c.Lines, contentline.New(unreadable, contentline.Escape(l.Value)))
}

// plain undoes quoted-printable, which vCalendar 1.0 had.
func (t *tree) plain(l contentline.Line) contentline.Line {
	text, controls, ok := contentline.QuotedPrintable(l.Value, l.First("CHARSET"))
	t.remark("encoding", l.Number, "%s was in quoted-printable, as in vCalendar 1.0; written as text", l.Name)
	if !ok || controls > 0 {
		t.remark(contentline.CodeCharset, l.Number, "%s: not all of its quoted-printable text could be read", l.Name)
	}
	kept := slices.DeleteFunc(slices.Clone(l.Params), func(p contentline.Param) bool {
		return p.Name == "" || strings.EqualFold(p.Name, "ENCODING") || strings.EqualFold(p.Name, "CHARSET")
	})
	if kindOf(l) == kindText && !l.Is(oldAlarms...) { // those have semicolons of their own
		text = escapeOnly(text)
	}
	return l.WithParams(kept).WithValue(strings.ReplaceAll(text, "\n", `\n`))
}

// unreadable is the property that keeps a line that cannot be read.
const unreadable = "X-MAILHAUL-UNREADABLE"

// escapeOnly escapes what is not escaped yet.
func escapeOnly(s string) string {
	return contentline.Escape(contentline.Unescape(s))
}
