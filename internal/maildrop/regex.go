package maildrop

import "strings"

// maxExpanded is how many texts a pattern may stand for.
const maxExpanded = 24

// splitTop splits at a byte that is in no group, no class and behind no
// backslash.
func splitTop(s string, at byte) []string {
	var out []string
	for {
		i := indexTop(s, at)
		if i < 0 {
			return append(out, s)
		}
		out = append(out, s[:i])
		s = s[i+1:]
	}
}

func indexTop(s string, at byte) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '[':
			if end := classEnd(s[i:]); end > 0 {
				i += end - 1
			}
		case s[i] == at && depth == 0:
			return i
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth--
		}
	}
	return -1
}

// classEnd is the length of the class "[…]" that s begins with, or 0.
func classEnd(s string) int {
	i := 1
	if i < len(s) && s[i] == '^' {
		i++
	}
	if i < len(s) && s[i] == ']' {
		i++
	}
	for ; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], "[:"):
			if end := strings.Index(s[i:], ":]"); end > 0 {
				i += end + 1
			}
		case s[i] == ']':
			return i + 1
		}
	}
	return 0
}

// piece is a text, or a wildcard: '*' for any text, '?' for one character.
type piece struct {
	text string
	wild byte
}

// glob is a pattern with wildcards, for the whole of a value.
type glob []piece

// globsOf turns a pattern into patterns with wildcards that together match the
// same; ok is false where that cannot be.
func globsOf(s string, anchored bool) (all []glob, ok bool) {
	end := false
	if strings.HasSuffix(s, "$") && !strings.HasSuffix(s, `\$`) {
		s, end = s[:len(s)-1], true
	}
	parts, ok := sequences(s)
	if !ok {
		return nil, false
	}
	for _, p := range parts {
		var g glob
		if !anchored {
			g = append(g, piece{wild: '*'})
		}
		g = append(g, p...)
		if !end {
			g = append(g, piece{wild: '*'})
		}
		all = append(all, g.joined())
	}
	return all, true
}

// joined puts texts together and leaves out one of two asterisks.
func (g glob) joined() glob {
	var out glob
	for _, p := range g {
		n := len(out)
		switch {
		case p.wild == 0 && n > 0 && out[n-1].wild == 0:
			out[n-1].text += p.text
		case p.wild == '*' && n > 0 && out[n-1].wild == '*', p.wild == 0 && p.text == "":
		default:
			out = append(out, p)
		}
	}
	return out
}

// sieve is the key for a Sieve test and its match type.
func (g glob) sieve() (key, how string) {
	switch {
	case len(g) == 0:
		return "", ":is"
	case len(g) == 1 && g[0].wild == 0:
		return g[0].text, ":is"
	case len(g) == 1 && g[0].wild == '*':
		return "", ":contains"
	case len(g) == 3 && g[0].wild == '*' && g[1].wild == 0 && g[2].wild == '*':
		return g[1].text, ":contains"
	}
	var b strings.Builder
	for _, p := range g {
		if p.wild != 0 {
			b.WriteByte(p.wild)
			continue
		}
		for i := range len(p.text) {
			if strings.IndexByte(`*?\`, p.text[i]) >= 0 {
				b.WriteByte('\\') // RFC 5228 §2.7.1
			}
			b.WriteByte(p.text[i])
		}
	}
	return b.String(), ":matches"
}

// sequences are what a pattern without anchors stands for.
func sequences(s string) ([]glob, bool) {
	var out []glob
	for _, branch := range splitTop(s, '|') {
		all, ok := sequence(branch)
		if !ok || len(out)+len(all) > maxExpanded {
			return nil, false
		}
		out = append(out, all...)
	}
	return out, true
}

func sequence(s string) ([]glob, bool) {
	out := []glob{nil}
	for s != "" {
		atom, rest, ok := atomOf(s)
		if !ok {
			return nil, false
		}
		quantifier := ""
		if rest != "" && strings.IndexByte("*+?{", rest[0]) >= 0 {
			quantifier, rest = rest[:1], rest[1:]
			if rest != "" && (rest[0] == '?' || rest[0] == '+') && quantifier != "{" {
				rest = rest[1:] // how much is taken does not change whether it matches
			}
		}
		switch any := len(atom) == 1 && len(atom[0]) == 1 && atom[0][0].wild == '?'; {
		case quantifier == "":
		case quantifier == "?":
			atom = append(atom, nil)
		case any && quantifier == "*":
			atom = []glob{{{wild: '*'}}}
		case any && quantifier == "+":
			atom = []glob{{{wild: '?'}, {wild: '*'}}}
		default:
			return nil, false
		}
		if len(out)*len(atom) > maxExpanded {
			return nil, false
		}
		var longer []glob
		for _, head := range out {
			for _, tail := range atom {
				longer = append(longer, append(append(glob(nil), head...), tail...))
			}
		}
		out, s = longer, rest
	}
	return out, true
}

// atomOf reads the first atom of s and returns what it stands for.
func atomOf(s string) (all []glob, rest string, ok bool) {
	switch c := s[0]; c {
	case '.':
		return []glob{{{wild: '?'}}}, s[1:], true
	case '(':
		end := groupEnd(s)
		if end == 0 {
			return nil, "", false
		}
		inner := strings.TrimPrefix(s[1:end-1], "?:")
		if strings.HasPrefix(inner, "?") || strings.HasPrefix(inner, "*") {
			return nil, "", false
		}
		all, ok = sequences(inner)
		return all, s[end:], ok
	case '[':
		end := classEnd(s)
		if end == 0 || strings.ContainsAny(s[1:end-1], `^-[\`) {
			return nil, "", false
		}
		for _, r := range s[1 : end-1] {
			all = append(all, glob{{text: string(r)}})
		}
		return all, s[end:], len(all) > 0
	case '\\':
		if len(s) < 2 || s[1] >= 'a' && s[1] <= 'z' || s[1] >= 'A' && s[1] <= 'Z' || s[1] >= '0' && s[1] <= '9' {
			return nil, "", false
		}
		return []glob{{{text: s[1:2]}}}, s[2:], true
	case '*', '+', '?', '{', ')', '^', '$', '|':
		return nil, "", false
	default:
		r := []rune(s)[0]
		n := len(string(r))
		if r == '\uFFFD' {
			return nil, "", false
		}
		return []glob{{{text: s[:n]}}}, s[n:], true
	}
}

// groupEnd is the length of the group "(…)" that s begins with, or 0.
func groupEnd(s string) int {
	if end := indexTop(s[1:], ')'); end >= 0 {
		return end + 2
	}
	return 0
}

// literals are the texts that a pattern without wildcards stands for.
func literals(s string) ([]string, bool) {
	all, ok := sequences(s)
	if !ok {
		return nil, false
	}
	var out []string
	for _, g := range all {
		g = g.joined()
		if len(g) != 1 || g[0].wild != 0 {
			return nil, false
		}
		out = append(out, g[0].text)
	}
	return out, true
}

// classes are the shorthands of Perl in the notation of POSIX.
var classes = map[byte]string{'s': "[:space:]", 'd': "0-9", 'w': "A-Za-z0-9_"}

// posix turns a Perl pattern into an extended regular expression, if it asks
// for no more than these have (the regex extension of Sieve).
func posix(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			if i++; i == len(s) {
				return "", false
			}
			switch class, ok := classes[s[i]]; {
			case ok:
				b.WriteString("[" + class + "]")
			case classes[s[i]|0x20] != "" && s[i] < 'a':
				b.WriteString("[^" + classes[s[i]|0x20] + "]")
			case s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z' || s[i] >= '0' && s[i] <= '9':
				return "", false // \b, \1 …
			case strings.IndexByte(`.[]()*+?{}|^$\`, s[i]) >= 0:
				b.WriteByte('\\')
				b.WriteByte(s[i])
			default:
				b.WriteByte(s[i]) // POSIX leaves it undefined
			}
		case c == '[':
			end := classEnd(s[i:])
			class, ok := posixClass(s[i : i+end])
			if end == 0 || !ok {
				return "", false
			}
			b.WriteString(class)
			i += end - 1
		case strings.HasPrefix(s[i:], "(?:"):
			b.WriteByte('(')
			i += 2
		case strings.HasPrefix(s[i:], "(?"), strings.HasPrefix(s[i:], "(*"):
			return "", false
		case (c == '?' || c == '+') && i > 0 && strings.IndexByte("*+?}", s[i-1]) >= 0 && (i < 2 || s[i-2] != '\\'):
			// How much is taken does not change whether it matches.
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// posixClass writes a class without backslashes.
func posixClass(s string) (string, bool) {
	if s == "" {
		return "", false
	}
	if !strings.Contains(s, `\`) {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", false
		}
		switch class, ok := classes[s[i]]; {
		case ok:
			b.WriteString(class)
		case s[i] == 't':
			b.WriteByte('\t')
		case strings.IndexByte(`.*+?(){}|$@/#"' ,:;!&<>=~%_`, s[i]) >= 0:
			b.WriteByte(s[i])
		default:
			return "", false // "\]", "\-", "\^" would have to move
		}
	}
	return b.String(), true
}
