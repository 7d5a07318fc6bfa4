package sandbox

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// value is parsed JSON. Requests are parsed here rather than by encoding/json
// because the order of members matters (emails are imported in it) and
// because the server refuses escapes inside ids, states and argument names.
type value struct {
	kind    kind
	bool    bool
	escaped bool // the string was written with a backslash
	text    string
	number  float64
	list    []value
	members []member
}

type member struct {
	name  string
	value value
}

type kind byte

const (
	kindMissing kind = iota
	kindNull
	kindBool
	kindNumber
	kindString
	kindList
	kindObject
)

// get returns the member of this name; the last one wins.
func (v value) get(name string) value {
	for i := len(v.members) - 1; i >= 0; i-- {
		if v.members[i].name == name {
			return v.members[i].value
		}
	}
	return value{}
}

// isSet reports whether a value is there and not null.
func (v value) isSet() bool { return v.kind > kindNull }

// integer returns a number without fraction in [0, 2^53].
func (v value) integer() (int64, bool) {
	if v.kind != kindNumber || v.number != math.Trunc(v.number) || math.Abs(v.number) > 1<<53 {
		return 0, false
	}
	return int64(v.number), true
}

// any converts to the types of encoding/json, for echoing.
func (v value) any() any {
	switch v.kind {
	case kindBool:
		return v.bool
	case kindNumber:
		if n, ok := v.integer(); ok {
			return n
		}
		return v.number
	case kindString:
		return v.text
	case kindList:
		out := make([]any, len(v.list))
		for i, e := range v.list {
			out[i] = e.any()
		}
		return out
	case kindObject:
		out := make(map[string]any, len(v.members))
		for _, m := range v.members {
			out[m.name] = m.value.any()
		}
		return out
	}
	return nil
}

const maxDepth = 128

var errDepth = errors.New("recursion limit exceeded")

type parser struct {
	in  []byte
	pos int
}

// parseJSON parses one JSON text (RFC 8259).
func parseJSON(in []byte) (value, error) {
	p := parser{in: in}
	v, err := p.value(0)
	if err != nil {
		return value{}, err
	}
	p.space()
	if p.pos != len(in) {
		return value{}, p.fail("trailing characters")
	}
	return v, nil
}

func (p *parser) fail(what string) error { return fmt.Errorf("%s at offset %d", what, p.pos) }

func (p *parser) space() {
	for p.pos < len(p.in) {
		switch p.in[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

func (p *parser) peek() byte {
	if p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

func (p *parser) word(w string, v value) (value, error) {
	if len(p.in)-p.pos < len(w) || string(p.in[p.pos:p.pos+len(w)]) != w {
		return value{}, p.fail("expected value")
	}
	p.pos += len(w)
	return v, nil
}

func (p *parser) value(depth int) (value, error) {
	if depth > maxDepth {
		return value{}, errDepth
	}
	p.space()
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		text, escaped, err := p.str()
		return value{kind: kindString, text: text, escaped: escaped}, err
	case c == 't':
		return p.word("true", value{kind: kindBool, bool: true})
	case c == 'f':
		return p.word("false", value{kind: kindBool})
	case c == 'n':
		return p.word("null", value{kind: kindNull})
	case c == '-' || c >= '0' && c <= '9':
		return p.num()
	}
	return value{}, p.fail("expected value")
}

func (p *parser) object(depth int) (value, error) {
	v := value{kind: kindObject}
	p.pos++
	p.space()
	if p.peek() == '}' {
		p.pos++
		return v, nil
	}
	for {
		p.space()
		if p.peek() != '"' {
			return v, p.fail("key must be a string")
		}
		name, _, err := p.str()
		if err != nil {
			return v, err
		}
		p.space()
		if p.peek() != ':' {
			return v, p.fail("expected `:`")
		}
		p.pos++
		e, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.members = append(v.members, member{name, e})
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return v, nil
		default:
			return v, p.fail("expected `,` or `}`")
		}
	}
}

func (p *parser) array(depth int) (value, error) {
	v := value{kind: kindList}
	p.pos++
	p.space()
	if p.peek() == ']' {
		p.pos++
		return v, nil
	}
	for {
		e, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.list = append(v.list, e)
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			return v, nil
		default:
			return v, p.fail("expected `,` or `]`")
		}
	}
}

func (p *parser) digits() bool {
	start := p.pos
	for p.peek() >= '0' && p.peek() <= '9' {
		p.pos++
	}
	return p.pos > start
}

func (p *parser) num() (value, error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else if !p.digits() {
		return value{}, p.fail("invalid number")
	}
	if p.peek() == '.' {
		p.pos++
		if !p.digits() {
			return value{}, p.fail("invalid number")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if !p.digits() {
			return value{}, p.fail("invalid number")
		}
	}
	n, err := strconv.ParseFloat(string(p.in[start:p.pos]), 64)
	if err != nil {
		return value{}, p.fail("number out of range")
	}
	return value{kind: kindNumber, number: n}, nil
}

// str parses a string. Plain runs are copied whole: most octets of a request
// are base 64 or message text.
func (p *parser) str() (text string, escaped bool, err error) {
	p.pos++
	var buf []byte
	start := p.pos
	for p.pos < len(p.in) {
		switch c := p.in[p.pos]; {
		case c == '"':
			run := p.in[start:p.pos]
			p.pos++
			if escaped {
				run = append(buf, run...)
			}
			if !utf8.Valid(run) {
				return "", false, p.fail("invalid unicode code point")
			}
			return string(run), escaped, nil
		case c == '\\':
			escaped = true
			buf = append(buf, p.in[start:p.pos]...)
			p.pos++
			if buf, err = p.escape(buf); err != nil {
				return "", false, err
			}
			start = p.pos
		case c < 0x20:
			return "", false, p.fail("control character in a string")
		default:
			p.pos++
		}
	}
	return "", false, p.fail("EOF while parsing a string")
}

func (p *parser) escape(buf []byte) ([]byte, error) {
	c := p.peek()
	p.pos++
	switch c {
	case '"', '\\', '/':
		return append(buf, c), nil
	case 'b':
		return append(buf, '\b'), nil
	case 'f':
		return append(buf, '\f'), nil
	case 'n':
		return append(buf, '\n'), nil
	case 'r':
		return append(buf, '\r'), nil
	case 't':
		return append(buf, '\t'), nil
	case 'u':
		r, ok := p.hex4()
		if !ok {
			return nil, p.fail("invalid escape")
		}
		if utf16.IsSurrogate(r) {
			if p.peek() != '\\' || p.pos+1 >= len(p.in) || p.in[p.pos+1] != 'u' {
				return nil, p.fail("lone surrogate in hex escape")
			}
			p.pos += 2
			low, ok := p.hex4()
			if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
				return nil, p.fail("lone surrogate in hex escape")
			}
		}
		return utf8.AppendRune(buf, r), nil
	}
	return nil, p.fail("invalid escape")
}

func (p *parser) hex4() (rune, bool) {
	if len(p.in)-p.pos < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p.in[p.pos:p.pos+4]), 16, 32)
	if err != nil {
		return 0, false
	}
	p.pos += 4
	return rune(n), true
}
