package sieve

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// edit replaces the octets from start to end of a script.
type edit struct {
	start, end int
	text       string
}

// editor collects changes to one script. Octets that no change names stay.
type editor struct {
	src   []byte
	edits []edit
}

// replace records a change; the same one twice counts once.
func (e *editor) replace(start, end int, text string) {
	n := edit{start, end, text}
	if !slices.Contains(e.edits, n) {
		e.edits = append(e.edits, n)
	}
}

func (e *editor) insert(at int, text string) { e.replace(at, at, text) }

// cut replaces a whole region, and with it the changes made inside.
func (e *editor) cut(start, end int, text string) {
	e.edits = slices.DeleteFunc(e.edits, func(d edit) bool {
		return d.start >= start && d.end <= end && !(d.start == d.end && (d.start == start || d.end == end))
	})
	e.replace(start, end, text)
}

// covered reports whether a command is part of what was replaced.
func (e *editor) covered(c command) bool {
	return slices.ContainsFunc(e.edits, func(d edit) bool { return d.start < d.end && d.start <= c.start && c.end <= d.end })
}

// apply returns the script with all changes, in the order of their places.
func (e *editor) apply() []byte {
	if len(e.edits) == 0 {
		return e.src
	}
	slices.SortStableFunc(e.edits, func(a, b edit) int { // at one place, what is inserted comes first
		if a.start != b.start || a.start == a.end && b.start == b.end {
			return cmp.Compare(a.start, b.start)
		}
		return cmp.Compare(a.end, b.end)
	})
	var out bytes.Buffer
	at := 0
	for _, d := range e.edits {
		if d.start < at {
			continue // inside of what was cut
		}
		out.Write(e.src[at:d.start])
		out.WriteString(d.text)
		at = d.end
	}
	out.Write(e.src[at:])
	return out.Bytes()
}

// newline is the script's own line end.
func newline(src []byte) string {
	if i := bytes.IndexByte(src, '\n'); i > 0 && src[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// lineStart is where the line that holds pos begins, and what stands before
// pos on it.
func lineStart(src []byte, pos int) (start int, before string) {
	start = bytes.LastIndexByte(src[:pos], '\n') + 1
	return start, string(src[start:pos])
}

// restOfLine is what stands behind pos, the line end included.
func restOfLine(src []byte, pos int) string {
	if i := bytes.IndexByte(src[pos:], '\n'); i >= 0 {
		return string(src[pos : pos+i+1])
	}
	return string(src[pos:])
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// indent is the white space that begins the line of pos.
func indent(src []byte, pos int) string {
	start, _ := lineStart(src, pos)
	end := start
	for end < len(src) && (src[end] == ' ' || src[end] == '\t') {
		end++
	}
	return string(src[start:min(end, pos)])
}

// drop removes a region, with its line if nothing else is on it.
func (e *editor) drop(start, end int) {
	from, before := lineStart(e.src, start)
	if rest := restOfLine(e.src, end); blank(before) && blank(rest) && (end == 0 || e.src[end-1] != '\n') {
		start, end = from, end+len(rest)
	}
	e.cut(start, end, "")
}

// commentOut makes a region a comment at its place, under a line that says
// why. What follows on the line stays code.
func (e *editor) commentOut(start, end int, why string) {
	nl, in := newline(e.src), indent(e.src, start)
	var b strings.Builder
	if _, before := lineStart(e.src, start); !blank(before) {
		b.WriteString(nl + in)
	}
	b.WriteString("# mailhaul: " + oneLine(why) + nl)
	region := strings.TrimRight(string(e.src[start:end]), "\r\n")
	for i, line := range strings.Split(region, "\n") {
		if i > 0 {
			b.WriteString("\n") // the octet before it, a CR, is the line's own
		}
		if i == 0 {
			b.WriteString(in)
		}
		b.WriteString("# " + line)
	}
	tail := string(e.src[start+len(region) : end]) // of a text: that ends its line
	switch rest := restOfLine(e.src, end); {
	case tail != "":
		b.WriteString(tail)
	case !blank(rest) && !strings.HasPrefix(strings.TrimLeft(rest, " \t"), "#"):
		b.WriteString(nl + in)
	}
	e.cut(start, end, b.String())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// quote writes a string as Sieve does (RFC 5228 §2.4.2).
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// quoteList writes a list of strings, or the one.
func quoteList(list []string) string {
	if len(list) == 1 {
		return quote(list[0])
	}
	var q []string
	for _, s := range list {
		q = append(q, quote(s))
	}
	return "[" + strings.Join(q, ", ") + "]"
}
