package cyrus

import (
	"bytes"
	"errors"
	"strconv"
)

// dlist is a value of Cyrus's text encoding (imap/dlist.c): an atom, a
// string, a list or a list of names and values.
type dlist struct {
	text string
	// nil is the atom NIL.
	isNil bool
	// list holds the elements of a list, and the values of a %( list, whose
	// names are in keys.
	list []dlist
	keys []string
	// isList tells an empty list from an atom.
	isList bool
}

// get returns a value of a %( list by its name.
func (d dlist) get(key string) (dlist, bool) {
	for i, k := range d.keys {
		if k == key {
			return d.list[i], true
		}
	}
	return dlist{}, false
}

// str is get for a text; a missing one and NIL are empty.
func (d dlist) str(key string) string {
	v, _ := d.get(key)
	return v.text
}

// num is get for a decimal number; what is none is 0.
func (d dlist) num(key string) uint64 {
	n, _ := strconv.ParseUint(d.str(key), 10, 64)
	return n
}

var errDlist = errors.New("not a list in Cyrus's notation")

// maxDepth bounds lists in lists: Cyrus nests three deep.
const maxDepth = 32

// parseDlist reads one value; what follows it is ignored.
func parseDlist(raw []byte) (dlist, error) {
	p := dlistParser{raw}
	return p.value(0)
}

type dlistParser struct{ raw []byte }

func (p *dlistParser) spaces() {
	p.raw = bytes.TrimLeft(p.raw, " \r\n")
}

func (p *dlistParser) value(depth int) (dlist, error) {
	if len(p.raw) == 0 || depth > maxDepth {
		return dlist{}, errDlist
	}
	switch {
	case p.raw[0] == '(':
		p.raw = p.raw[1:]
		return p.elements(depth, false)
	case bytes.HasPrefix(p.raw, []byte("%(")):
		p.raw = p.raw[2:]
		return p.elements(depth, true)
	case p.raw[0] == '"':
		return p.quoted()
	case p.raw[0] == '{':
		return p.literal()
	}
	return p.atom()
}

func (p *dlistParser) elements(depth int, named bool) (dlist, error) {
	d := dlist{isList: true}
	for {
		p.spaces()
		if len(p.raw) == 0 {
			return dlist{}, errDlist
		}
		if p.raw[0] == ')' {
			p.raw = p.raw[1:]
			return d, nil
		}
		if named {
			k, err := p.value(depth + 1)
			if err != nil || k.isList {
				return dlist{}, errDlist
			}
			d.keys = append(d.keys, k.text)
			p.spaces()
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return dlist{}, err
		}
		d.list = append(d.list, v)
	}
}

func (p *dlistParser) quoted() (dlist, error) {
	var out []byte
	for i := 1; i < len(p.raw); i++ {
		switch c := p.raw[i]; c {
		case '"':
			p.raw = p.raw[i+1:]
			return dlist{text: string(out)}, nil
		case '\\':
			if i++; i == len(p.raw) {
				return dlist{}, errDlist
			}
			out = append(out, p.raw[i])
		default:
			out = append(out, c)
		}
	}
	return dlist{}, errDlist
}

func (p *dlistParser) literal() (dlist, error) {
	size, rest, ok := bytes.Cut(p.raw[1:], []byte("}"))
	n, err := strconv.ParseUint(string(bytes.TrimSuffix(size, []byte("+"))), 10, 32)
	if !ok || err != nil {
		return dlist{}, errDlist
	}
	rest = bytes.TrimPrefix(rest, []byte("\r"))
	rest, ok = bytes.CutPrefix(rest, []byte("\n"))
	if !ok || uint64(len(rest)) < n {
		return dlist{}, errDlist
	}
	p.raw = rest[n:]
	return dlist{text: string(rest[:n])}, nil
}

func (p *dlistParser) atom() (dlist, error) {
	n := bytes.IndexAny(p.raw, " ()\r\n")
	if n < 0 {
		n = len(p.raw)
	}
	if n == 0 {
		return dlist{}, errDlist
	}
	s := string(p.raw[:n])
	p.raw = p.raw[n:]
	if s == "NIL" {
		return dlist{isNil: true}, nil
	}
	return dlist{text: s}, nil
}
