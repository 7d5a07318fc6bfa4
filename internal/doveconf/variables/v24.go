package variables

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// state is what flows through a pipeline.
type state struct {
	v      string
	binary bool // a digest, which "% number" takes for a number
	set    bool
}

// call is "name", "name(arguments)" or "name % number".
var call = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_.:-]*)\s*(?:\((.*)\))?\s*(?:([%+*/-])\s*([0-9]+)\s*)?$`)

// pipeline resolves "user | domain | lower" (Dovecot 2.4,
// docs/core/settings/variables.md). The value is quoted at its end.
func (e Expander) pipeline(text string) (string, error) {
	var s state
	var missing error // a default may stand behind
	for i, step := range split(text, '|') {
		m := call.FindStringSubmatch(step)
		if m == nil {
			return "", fmt.Errorf("%q is not understood in %%{%s}", strings.TrimSpace(step), text)
		}
		name, arguments, operator := m[1], m[2], m[3]
		if i == 0 {
			if attribute, dflt, ok := strings.Cut(strings.TrimPrefix(name, "ldap:"), ":"); ok && strings.HasPrefix(name, "ldap:") {
				name, arguments = "ldap:"+attribute, ""
				s.v, s.set = dflt, true
			}
			if v, ok := e.Value(name); ok && (v != "" || !s.set) {
				s.v, s.set = v, true
			} else if !s.set {
				missing = fmt.Errorf("the variable %%{%s} is not known here", name)
			}
		} else {
			args, err := argumentsOf(arguments)
			if err == nil {
				err = s.filter(name, args)
			}
			if err != nil {
				return "", fmt.Errorf("%w in %%{%s}", err, text)
			}
			if name == "default" {
				missing = nil
			}
		}
		if operator != "" {
			if err := s.calculate(operator, m[4]); err != nil {
				return "", fmt.Errorf("%w in %%{%s}", err, text)
			}
		}
	}
	if missing != nil {
		return "", missing
	}
	return e.quoted(s.v), nil
}

// split cuts at a separator outside of strings and parentheses.
func split(s string, at byte) (out []string) {
	start, depth, quote := 0, 0, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == at && depth == 0:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// argumentsOf reads `1, "text", key=value`.
func argumentsOf(s string) (out []string, err error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	for _, a := range split(s, ',') {
		a = strings.TrimSpace(a)
		switch {
		case len(a) >= 2 && (a[0] == '"' || a[0] == '\'') && a[len(a)-1] == a[0]:
			a = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\'`, `'`).Replace(a[1 : len(a)-1])
		default:
			if _, err := strconv.Atoi(a); err != nil {
				return nil, fmt.Errorf("the argument %s is not understood", a)
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// maxWidth bounds what a width may ask for.
const maxWidth = 1024

func (s *state) filter(name string, args []string) error {
	ints := make([]int, len(args))
	for i, a := range args {
		ints[i], _ = strconv.Atoi(a)
	}
	digest := func(sum []byte) { s.v, s.binary = string(sum), true }
	needs := func(n int) bool { return len(args) >= n }
	switch {
	case name == "lower":
		s.v = strings.ToLower(s.v)
	case name == "upper":
		s.v = strings.ToUpper(s.v)
	case name == "username":
		s.v, _, _ = strings.Cut(s.v, "@")
	case name == "domain":
		_, s.v, _ = strings.Cut(s.v, "@")
	case name == "default":
		if s.v == "" && needs(1) {
			s.v = args[0]
		}
	case name == "literal" && needs(1):
		s.v = args[0]
	case name == "concat":
		s.v += strings.Join(args, "")
	case name == "md5" && len(args) == 0:
		b := md5.Sum([]byte(s.v))
		digest(b[:])
	case name == "sha1" && len(args) == 0:
		b := sha1.Sum([]byte(s.v))
		digest(b[:])
	case name == "sha256" && len(args) == 0:
		b := sha256.Sum256([]byte(s.v))
		digest(b[:])
	case name == "sha512" && len(args) == 0:
		b := sha512.Sum512([]byte(s.v))
		digest(b[:])
	case name == "hexlify":
		s.v, s.binary = hex.EncodeToString([]byte(s.v)), false
		if needs(1) {
			if ints[0] < 0 || ints[0] > maxWidth {
				return fmt.Errorf("the width %d makes no sense", ints[0])
			}
			for len(s.v) < ints[0] {
				s.v = "0" + s.v
			}
			if ints[0] > 0 {
				s.v = s.v[:ints[0]]
			}
		}
	case name == "hex":
		n, err := strconv.ParseUint(s.v, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", s.v)
		}
		s.v = strconv.FormatUint(n, 16)
		if needs(1) && ints[0] > 0 && ints[0] <= maxWidth {
			for len(s.v) < ints[0] {
				s.v = "0" + s.v
			}
			s.v = s.v[len(s.v)-ints[0]:]
		}
	case name == "reverse":
		s.v = reverse(s.v)
	case name == "substr" && needs(1):
		s.v = substr(s.v, ints)
	case name == "ldap_dn" && len(args) == 0:
		s.v = "dc=" + strings.ReplaceAll(s.v, ".", ",dc=")
	default:
		return fmt.Errorf("the filter %s is not understood", name)
	}
	return nil
}

// substr is substr(offset[, length]); negative numbers count from the end.
func substr(v string, args []int) string {
	start := args[0]
	if start < 0 {
		start = max(0, len(v)+start)
	}
	v = v[min(start, len(v)):]
	if len(args) < 2 {
		return v
	}
	if args[1] < 0 {
		return v[:max(0, len(v)+args[1])]
	}
	return v[:min(args[1], len(v))]
}

// calculate takes a digest for a number, of which it uses the last eight
// octets, with "%" only.
func (s *state) calculate(operator, number string) error {
	right, err := strconv.ParseUint(number, 10, 63)
	if err != nil || right == 0 && (operator == "%" || operator == "/") {
		return fmt.Errorf("%q is no number to calculate with", number)
	}
	if s.binary && operator == "%" {
		n := uint64(0)
		for _, b := range []byte(s.v[max(0, len(s.v)-8):]) {
			n = n<<8 | uint64(b)
		}
		s.v, s.binary = strconv.FormatUint(n%right, 10), false
		return nil
	}
	left, err := strconv.ParseInt(s.v, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no number", s.v)
	}
	r := int64(right)
	switch operator {
	case "%":
		left %= r
	case "+":
		left += r
	case "-":
		left -= r
	case "*":
		left *= r
	case "/":
		left /= r
	}
	s.v = strconv.FormatInt(left, 10)
	return nil
}
