package table

import (
	"regexp"
	"strings"
)

// part is a piece of what a column or an attribute is compared with: text, a
// placeholder of the key, or an expression whose value comes with the row.
type part struct {
	text        string
	placeholder byte // 's', 'u' or 'd'; 0 for text
	expression  bool // text is an expression of SQL
}

// literal splits a text with placeholders. ok is false where it has one that
// cannot be turned round.
func literal(s string) (parts []part, ok bool) {
	text := ""
	flush := func() {
		if text != "" {
			parts = append(parts, part{text: text})
			text = ""
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+1 == len(s) {
			text += s[i : i+1]
			continue
		}
		i++
		switch c := s[i]; c {
		case '%':
			text += "%"
		case 's', 'u', 'd', 'S', 'U', 'D':
			flush()
			parts = append(parts, part{placeholder: c | 0x20})
		default:
			return nil, false
		}
	}
	flush()
	return parts, true
}

func placeholders(parts []part) (found []byte) {
	for _, p := range parts {
		if p.placeholder != 0 {
			found = append(found, p.placeholder)
		}
	}
	return found
}

// binding is what rows say of the key.
type binding struct{ s, u, d string }

// bind reads what a value tells of the placeholders in a template; values are
// those of its expressions, in order. ok is false where the value does not fit,
// or contradicts what is bound already.
func (b *binding) bind(parts []part, value string, values []string) bool {
	pattern := "(?is)^"
	var names []byte
	for _, p := range parts {
		switch {
		case p.placeholder == 'd':
			pattern += "([^@]+)"
			names = append(names, 'd')
		case p.placeholder != 0:
			pattern += "(.+)"
			names = append(names, p.placeholder)
		case p.expression:
			pattern += regexp.QuoteMeta(values[0])
			values = values[1:]
		default:
			pattern += regexp.QuoteMeta(p.text)
		}
	}
	compiled, err := regexp.Compile(pattern + "$")
	if err != nil {
		return false
	}
	match := compiled.FindStringSubmatch(value)
	if match == nil {
		return false
	}
	for i, name := range names {
		to := map[byte]*string{'s': &b.s, 'u': &b.u, 'd': &b.d}[name]
		if *to != "" && !strings.EqualFold(*to, match[i+1]) {
			return false
		}
		*to = match[i+1]
	}
	return true
}

// key is the key that Postfix would ask for; a query that only looks at the
// domain has all its addresses for keys, which is "@domain".
func (b *binding) key() (string, bool) {
	at := strings.LastIndexByte(b.s, '@')
	switch {
	case b.s != "" && b.d != "" && !strings.EqualFold(b.s[at+1:], b.d):
		return "", false
	case b.s != "" && b.u != "" && at >= 0 && !strings.EqualFold(b.s[:at], b.u):
		return "", false
	case b.s != "":
		return b.s, true
	case b.d != "" && b.u != "":
		return b.u + "@" + b.d, true
	case b.d != "":
		return "@" + b.d, true
	}
	return "", false
}
