package contentline

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"mailhaul.org/mailhaul/internal/plural"
)

// Line is one unfolded line.
type Line struct {
	Group  string // of a card: "item1"; as written
	Name   string // as written; empty: no content line, all of it is in Value
	Params []Param
	Value  string // as written, still escaped
	Number int    // where it began, from 1; 0 for a line that was made

	raw string // what Read saw; empty once the line has been changed
}

// Param is one parameter, its values without quotes and carets.
type Param struct {
	Name   string // as written; empty for vCard 2.1's bare "HOME"
	Values []string
}

// New makes a line.
func New(name, value string, params ...Param) Line {
	return Line{Name: name, Value: value, Params: params}
}

// Is compares the name without case.
func (l Line) Is(names ...string) bool {
	for _, n := range names {
		if len(n) == len(l.Name) && strings.EqualFold(n, l.Name) {
			return true
		}
	}
	return false
}

// Param returns the values of all parameters of that name; nil where there
// is none.
func (l Line) Param(name string) (values []string) {
	for _, p := range l.Params {
		if strings.EqualFold(p.Name, name) {
			values = append(values, p.Values...)
		}
	}
	return values
}

// First returns the first value of a parameter, or "".
func (l Line) First(name string) string {
	for _, p := range l.Params {
		if len(p.Values) > 0 && strings.EqualFold(p.Name, name) {
			return p.Values[0]
		}
	}
	return ""
}

// WithValue returns l with another value.
func (l Line) WithValue(value string) Line {
	if l.Value != value {
		l.Value, l.raw = value, ""
	}
	return l
}

// WithName returns l with another name.
func (l Line) WithName(name string) Line {
	if l.Name != name {
		l.Name, l.raw = name, ""
	}
	return l
}

// WithParams returns l with these parameters and no others.
func (l Line) WithParams(params []Param) Line {
	l.Params, l.raw = params, ""
	return l
}

// Without returns l without the parameters of these names.
func (l Line) Without(names ...string) Line {
	kept := make([]Param, 0, len(l.Params))
	for _, p := range l.Params {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, p.Name) }) {
			kept = append(kept, p)
		}
	}
	if len(kept) == len(l.Params) {
		return l
	}
	return l.WithParams(kept)
}

// Read takes a text apart. It never fails: what is no content line has no
// name.
func Read(raw []byte) ([]Line, []Remark) {
	var remarks []Remark
	remark := func(code, text string, line int) {
		remarks = append(remarks, Remark{Code: code, Text: text, Line: line})
	}
	raw = whole(raw, remark)
	u := unfoldings.Get().(*unfolding)
	defer u.release()
	u.unfold(raw, remark)
	// Most texts need no look at their characters line by line.
	ascii, plain := plainText(raw)
	var texts strings.Builder // of all lines, so that they are allocated at once
	if plain {
		size := 0
		for _, l := range u.all {
			size += len(l.octets)
		}
		texts.Grow(size)
	}
	lines := make([]Line, 0, len(u.all))
	for _, l := range u.all {
		var s string
		if plain && (ascii || charsetOf(l.octets) == "") {
			start := texts.Len()
			texts.Write(l.octets)
			s = texts.String()[start:]
		} else {
			s = l.text(remark)
		}
		if strings.TrimSpace(s) == "" {
			continue
		}
		lines = append(lines, parse(s, l.line, remark))
	}
	return lines, remarks
}

// text is the line in UTF-8, of characters that may be in one.
func (l logical) text(remark func(code, text string, line int)) string {
	s, named := "", false
	if set := charsetOf(l.octets); set != "" {
		if s, named = Decode(l.octets, set); !named {
			remark(CodeCharset, fmt.Sprintf("is not all in %s, which it names", set), l.line)
		}
	} else {
		s = text(l.octets, l.line, remark)
	}
	return printable(s, l.line, remark)
}

// charsetOf is the character set of 8-bit octets that a line names itself
// (vCard 2.1). Quoted-printable is decoded later, by those who know the value.
func charsetOf(b []byte) string {
	h := head(b)
	if bytes.IndexByte(h, ';') < 0 {
		return ""
	}
	h = bytes.ToUpper(h)
	i := bytes.Index(h, []byte(";CHARSET="))
	if i < 0 || bytes.Contains(h, []byte("QUOTED-PRINTABLE")) || isASCII(b) {
		return ""
	}
	set, _, _ := strings.Cut(string(h[i+len(";CHARSET="):]), ";")
	set = strings.Trim(set, `" `)
	if strings.EqualFold(set, "utf-8") {
		return ""
	}
	return set
}

func isASCII(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 })
}

// plainText reports that a text is in UTF-8, without control characters but
// tabs and whole ends of lines; and whether all of it is ASCII.
func plainText(b []byte) (ascii, plain bool) {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	ascii = true
	for i := 0; i < len(b); {
		if i+8 <= len(b) {
			// Eight at a time: the high bit of an octet below a blank borrows, that
			// of DEL is zero when it is taken away, and others have it set.
			w := binary.LittleEndian.Uint64(b[i:])
			del := w ^ ones*0x7f
			if ((w-ones*' ')|(del-ones)|w)&high == 0 {
				i += 8
				continue
			}
		}
		for end := min(i+8, len(b)); i < end; i++ {
			switch c := b[i]; {
			case c >= 0x80:
				ascii = false
			case c == 0x7f, c < ' ' && c != '\t' && c != '\n' && c != '\r', c == '\r' && (i+1 == len(b) || b[i+1] != '\n'):
				return false, false
			}
		}
	}
	return ascii, ascii || utf8.Valid(b)
}

// printable takes out what no line may hold; a lone CR between characters was
// a line end.
func printable(s string, line int, remark func(code, text string, line int)) string {
	s, n := Printable(s)
	if lf := strings.Count(s, "\n"); lf > 0 {
		s, n = strings.ReplaceAll(s, "\n", " "), n+lf
	}
	if n > 0 {
		remark(CodeControl, plural.Count(n, "control character")+" left out", line)
	}
	return s
}

// Printable leaves out the control characters that RFC 5545 §3.1 and RFC 6350
// §3.3 forbid in text, and says how many there were. Tabs and LF stay, CR
// becomes a space.
func Printable(s string) (string, int) {
	control := func(r rune) bool { return r < 0x20 && r != '\t' && r != '\n' || r == 0x7f }
	if !strings.ContainsFunc(s, control) {
		return s, 0
	}
	n := 0
	return strings.Map(func(r rune) rune {
		switch {
		case !control(r):
			return r
		case r == '\r':
			n++
			return ' '
		}
		n++
		return -1
	}, s), n
}
