package contentline

import (
	"strings"
	"unicode/utf8"
)

// MaxOctets is where a line is folded: RFC 5545 §3.1 and RFC 6350 §3.2 want
// lines of at most 75 octets, the line end not counted.
const MaxOctets = 75

// String is the line unfolded, without a line end: as it was read if nobody
// has changed it.
func (l Line) String() string {
	if l.raw != "" {
		return l.raw
	}
	if l.Name == "" {
		return l.Value
	}
	var b strings.Builder
	if l.Group != "" {
		b.WriteString(l.Group + ".")
	}
	b.WriteString(l.Name)
	for _, p := range l.Params {
		b.WriteByte(';')
		if p.Name != "" {
			b.WriteString(p.Name + "=")
		}
		for i, v := range p.Values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(v))
		}
	}
	b.WriteByte(':')
	b.WriteString(l.Value)
	return b.String()
}

var caret = strings.NewReplacer("^", "^^", "\n", "^n", `"`, "^'")

// quote writes a parameter's value (RFC 5545 §3.2, RFC 6868 §3.1).
func quote(v string) string {
	if strings.ContainsAny(v, "\"\n") || strings.Contains(v, "^n") || strings.Contains(v, "^'") || strings.Contains(v, "^^") {
		v = caret.Replace(v)
	}
	if strings.ContainsAny(v, ",;:") || strings.HasPrefix(v, " ") || strings.HasSuffix(v, " ") {
		return `"` + v + `"`
	}
	return v
}

// Size is about how many octets Append adds, rarely fewer.
func (l Line) Size() int {
	n := len(l.raw)
	if n == 0 {
		n = len(l.Group) + len(l.Name) + len(l.Value) + 4
		for _, p := range l.Params {
			n += len(p.Name) + 2
			for _, v := range p.Values {
				n += len(v) + 3
			}
		}
	}
	return n + 3*(n/(MaxOctets-4)) + 2
}

// Append appends the line to b, folded between characters, with CRLF. Before
// the value it is not folded behind a blank: servers lose that one (seen at
// Stalwart 0.16, which trims parameters at their folds).
func (l Line) Append(b []byte) []byte {
	s := l.String()
	limit := MaxOctets
	for len(s) > limit {
		n := limit
		for n > 0 && (!utf8.RuneStart(s[n]) || s[n-1] == ' ' && len(s)-n > len(l.Value)) {
			n--
		}
		if n == 0 { // no UTF-8 at all
			n = limit
		}
		b = append(b, s[:n]...)
		b = append(b, "\r\n "...)
		s, limit = s[n:], MaxOctets-1
	}
	b = append(b, s...)
	return append(b, "\r\n"...)
}

// Escape writes text as a value (RFC 5545 §3.3.11, RFC 6350 §3.4).
func Escape(s string) string {
	return escaper.Replace(s)
}

var escaper = strings.NewReplacer(`\`, `\\`, ",", `\,`, ";", `\;`, "\r\n", `\n`, "\n", `\n`)

// Unescape reads a value as text. A backslash before any other character
// than those that need one stays.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n', 'N':
			b.WriteByte('\n')
		case '\\', ',', ';', ':', '"':
			b.WriteByte(s[i])
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// EscapeStray writes a backslash before each one that escapes nothing, as in
// "C:\dir": read as text it says what it said, also where those are dropped.
func EscapeStray(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteByte(s[i])
		if s[i] != '\\' {
			continue
		}
		if i+1 < len(s) && strings.IndexByte(`nN\,;:"`, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Split cuts a value at each separator that no backslash escapes. What it
// returns is still escaped.
func Split(value string, sep byte) []string {
	var parts []string
	start := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case sep:
			parts = append(parts, value[start:i])
			start = i + 1
		}
	}
	return append(parts, value[start:])
}
