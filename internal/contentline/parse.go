package contentline

import (
	"slices"
	"strings"
)

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// nameEnd is where the name that a content line begins with ends, perhaps behind
// a group; -1: it begins with none. Clients have written underscores and slashes
// in names. A link at the beginning of a line of text looks like a property
// named "https".
func nameEnd(s string) int {
	if s == "" || !isLetter(s[0]) && !isDigit(s[0]) {
		return -1
	}
	letters := true
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c):
		case isDigit(c), c == '_', c == '.', c == '/', c == '-':
			letters = false
		case c == ':' && letters && strings.HasPrefix(s[i:], "://"):
			return -1
		case c == ':', c == ';':
			return i
		default:
			return -1
		}
	}
	return -1
}

// parse takes one line apart.
func parse(s string, number int, remark func(code, text string, line int)) Line {
	bad := Line{Value: s, Number: number, raw: s}
	l := Line{Number: number, raw: s}
	rest := strings.TrimLeft(s, " \t")
	if len(rest) < len(s) {
		l.raw = ""
	}
	i := nameEnd(rest)
	if i < 0 {
		return bad
	}
	l.Name = rest[:i]
	if dot := strings.IndexByte(l.Name, '.'); dot > 0 && dot < len(l.Name)-1 {
		l.Group, l.Name = l.Name[:dot], l.Name[dot+1:]
	}
	if rest[i] == ':' {
		l.Value = rest[i+1:]
		return l
	}
	p := params{rest: rest[i:], strict: true}
	if !p.all() {
		// A quote that nobody closed: read quotes as any other character.
		p = params{rest: rest[i:]}
		if !p.all() {
			return bad
		}
		remark(CodeParam, "a quotation mark in a parameter is not closed; taken for a character", number)
		l.raw = ""
	}
	if p.uri {
		remark(CodeParam, "a parameter holds an address that was not quoted; quoted", number)
	}
	if p.renamed {
		remark(CodeParam, "a parameter's name had characters that none may have; hyphens instead", number)
	}
	if p.uri || p.odd || p.renamed {
		l.raw = ""
	}
	l.Params, l.Value = p.params, p.rest
	return l
}

// params reads ";NAME=value,value…:" from the front of rest.
type params struct {
	rest   string
	strict bool // quotes quote
	params []Param
	uri    bool // an address that should have been quoted
	odd    bool // other quoting that must be written anew
	// renamed: a name had characters that no name may have.
	renamed bool
}

func (p *params) all() bool {
	for strings.HasPrefix(p.rest, ";") {
		p.rest = p.rest[1:]
		i := strings.IndexAny(p.rest, "=;:")
		if i < 0 {
			return false
		}
		if p.rest[i] != '=' {
			// vCard 2.1: a type without its name. An empty one is nothing.
			if v := p.word(p.rest[:i]); v != "" {
				p.params = append(p.params, Param{Values: []string{v}})
			}
			p.rest = p.rest[i:]
			continue
		}
		param := Param{Name: p.word(p.rest[:i])}
		if param.Name == "" {
			param.Name, p.renamed = "X", true
		}
		p.rest = p.rest[i+1:]
		for {
			v, ok := p.value(param.Name)
			if !ok {
				return false
			}
			param.Values = append(param.Values, v)
			if !strings.HasPrefix(p.rest, ",") {
				break
			}
			p.rest = p.rest[1:]
		}
		p.params = append(p.params, param)
	}
	if !strings.HasPrefix(p.rest, ":") {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// word is a name; what no name may hold becomes a hyphen.
func (p *params) word(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '-')
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./", r):
			return r
		}
		p.renamed = true
		return '-'
	}, strings.TrimSpace(s))
}

// value reads one value up to a comma, semicolon or colon.
func (p *params) value(name string) (string, bool) {
	if v, ok := p.plain(name); ok {
		return v, true
	}
	var b strings.Builder
	quoted, wasQuoted := false, false
	for i := 0; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case c == '"' && p.strict:
			if !quoted && b.Len() > 0 || wasQuoted && !quoted {
				p.odd = true // quotes inside of a value
			}
			quoted, wasQuoted = !quoted, true
		case quoted:
			b.WriteByte(c)
		case c == '\\' && i+1 < len(p.rest) && strings.IndexByte(",;:\\", p.rest[i+1]) >= 0 && !isPath(b.String()):
			// Written as in values, which parameters do not know.
			i++
			b.WriteByte(p.rest[i])
			p.odd = true
		case c == ':' && isAddress(b.String()) && holdsAddress(name) && strings.IndexByte(p.rest[i+1:], ':') >= 0:
			b.WriteByte(c)
			p.uri = true
		case c == ',' || c == ';' || c == ':':
			p.rest = p.rest[i:]
			return decodeCaret(b.String()), true
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// plain reads a value in which no character is special, as most are.
func (p *params) plain(name string) (string, bool) {
	if p.strict && strings.HasPrefix(p.rest, `"`) {
		v, rest, ok := strings.Cut(p.rest[1:], `"`)
		if !ok || rest == "" || strings.IndexByte(",;:", rest[0]) < 0 || strings.IndexByte(v, '^') >= 0 {
			return "", false
		}
		p.rest = rest
		return v, true
	}
	for i := range len(p.rest) {
		switch p.rest[i] {
		case '"', '\\', '^':
			return "", false
		case ':':
			if holdsAddress(name) {
				return "", false
			}
			fallthrough
		case ',', ';':
			v := p.rest[:i]
			p.rest = p.rest[i:]
			return v, true
		}
	}
	return "", false
}

func isPath(s string) bool { return strings.Contains(s, `\`) }

// isAddress: what stands before the colon is a URI's scheme.
func isAddress(s string) bool {
	return slices.Contains([]string{"mailto", "http", "https", "ldap", "cid", "urn", "file", "ftp", "tel", "data", "invalid"}, strings.ToLower(s))
}

// holdsAddress: the parameters whose values are addresses (RFC 5545 §3.2).
func holdsAddress(name string) bool {
	return slices.Contains([]string{"ALTREP", "DIR", "SENT-BY", "DELEGATED-TO", "DELEGATED-FROM", "MEMBER", "SCHEMA", "URI", "GEO"}, strings.ToUpper(name))
}

// decodeCaret undoes RFC 6868 §3.2.
func decodeCaret(s string) string {
	if strings.IndexByte(s, '^') < 0 {
		return s
	}
	return strings.NewReplacer("^n", "\n", "^^", "^", "^'", `"`).Replace(s)
}
