package maildrop

import (
	"regexp"
	"strings"
)

// pattern is "/…/:options" (maildropfilter(7), Pattern options).
type pattern struct {
	body         string
	header, text bool // where to look
	exact        bool // D: case counts
}

func parsePattern(s string) (p pattern, why string) {
	end := strings.LastIndexByte(s, '/')
	p.body = s[1:end]
	options := strings.TrimPrefix(s[end+1:], ":")
	if strings.ContainsAny(options, ",0123456789") {
		return p, "Sieve cannot add up how often a pattern matches"
	}
	for _, o := range options {
		switch o {
		case 'h', 'H':
			p.header = true
		case 'b':
			p.text = true
		case 'D':
			p.exact = true
		case 'w': // of old versions: the message as a whole
			return p, "the option w has no equivalent"
		}
	}
	p.header = p.header || !p.text
	return p, ""
}

// pattern translates a search in the message.
func (t *translator) pattern(s string) (test, why string) {
	p, why := parsePattern(s)
	if why != "" {
		return "", why
	}
	var tests []string
	for _, alternative := range splitTop(p.body, '|') {
		if p.header {
			more, why := t.inHeader(alternative, p.exact)
			if why != "" {
				return "", why
			}
			tests = append(tests, more...)
		}
		if p.text {
			more, why := t.inBody(alternative, p.exact)
			if why != "" {
				return "", why
			}
			tests = append(tests, more)
		}
	}
	return anyOf(tests), ""
}

// fieldName is the name of a header field (RFC 5322 §3.6.8).
var fieldName = regexp.MustCompile(`^[!-9;-~]+$`)

// mimeFields are in the headers of parts, too, where maildrop looks at them.
var mimeFields = map[string]bool{"content-type": true, "content-disposition": true, "content-description": true, "content-transfer-encoding": true, "content-id": true}

// blanks are what patterns have for the blanks behind the colon. Sieve's tests
// see the value without them.
var blanks = regexp.MustCompile(`^(?: |\\s|\\t|\[ \\t\]|\[ \]|\[\\s\]|\[\[:space:\]\]|\[\[:blank:\]\])(?:\*\??|\+\??)?`)

// inHeader translates one alternative of a pattern: "^Subject:.*word".
func (t *translator) inHeader(s string, exact bool) (tests []string, why string) {
	rest, ok := strings.CutPrefix(s, "^")
	colon := indexTop(rest, ':')
	if !ok || colon < 0 {
		return nil, "the pattern may be in any header, or begin anywhere in one"
	}
	names, ok := literals(rest[:colon])
	if !ok {
		return nil, "the pattern does not name the header"
	}
	mime := false
	for i, n := range names {
		if names[i] = strings.ToLower(n); !fieldName.MatchString(n) {
			return nil, "the pattern does not name the header"
		}
		mime = mime || mimeFields[names[i]]
	}
	value := rest[colon+1:]
	blank := false
	for loc := blanks.FindString(value); loc != ""; loc = blanks.FindString(value) {
		value, blank = value[len(loc):], true
	}
	command := "header"
	if mime {
		t.need("mime")
		command = "header :mime :anychild"
	}
	if value == "" {
		if mime {
			return []string{command + " :contains " + stringList(names) + ` ""`}, ""
		}
		var out []string
		for _, n := range names {
			out = append(out, "exists "+quote(n))
		}
		return out, ""
	}
	if !blank && !strings.HasPrefix(value, ".") && !strings.HasPrefix(value, "(.") && value != "$" {
		return nil, "the pattern wants no blank behind the colon"
	}
	return t.matches(command, stringList(names), value, true, exact)
}

// inBody translates a search in the text. maildrop searches line by line, so
// only what is in one line can be carried.
func (t *translator) inBody(s string, exact bool) (test, why string) {
	all, ok := literals(s)
	if !ok {
		return "", "a pattern in the body is more than a text to look for"
	}
	t.need("body")
	return "body " + comparator(exact) + ":text :contains " + stringList(all), ""
}

func comparator(exact bool) string {
	if exact {
		return `:comparator "i;octet" `
	}
	return ""
}

// matches makes tests of a command for a pattern: with wildcards where they
// are enough, else with :regex.
func (t *translator) matches(command, keys, body string, anchored, exact bool) (tests []string, why string) {
	command += " " + comparator(exact)
	globs, ok := globsOf(body, anchored)
	if !ok {
		regex, ok := posix(body)
		if !ok {
			return nil, "the pattern is more than POSIX regular expressions can say"
		}
		if anchored {
			regex = "^" + regex
		}
		t.need("regex")
		return []string{command + ":regex " + keys + " " + quote(regex)}, ""
	}
	var contains, is, wild []string
	for _, g := range globs {
		switch text, how := g.sieve(); how {
		case ":contains":
			contains = append(contains, text)
		case ":is":
			is = append(is, text)
		default:
			wild = append(wild, text)
		}
	}
	for _, m := range []struct {
		how   string
		texts []string
	}{{":is", is}, {":contains", contains}, {":matches", wild}} {
		if len(m.texts) > 0 {
			tests = append(tests, command+m.how+" "+keys+" "+stringList(m.texts))
		}
	}
	return tests, ""
}
