package table

import (
	"fmt"
	"strings"
)

// Ref names a table as Postfix's parameters do: "hash:/etc/postfix/virtual".
type Ref struct {
	// Type is lower case: "hash". Empty means that no type is there: a file of
	// patterns or, in a list of domains, a name.
	Type string
	// Name is what follows the colon, without the braces around a list.
	Name string
}

// String is the notation of main.cf.
func (r Ref) String() string {
	switch {
	case r.Type == "":
		return r.Name
	case composed[r.Type]:
		return r.Type + ":{" + r.Name + "}"
	}
	return r.Type + ":" + r.Name
}

// composed tables have a list in braces for a name.
var composed = map[string]bool{"inline": true, "unionmap": true, "pipemap": true, "randmap": true}

// List splits a parameter that names tables, domains or both, by blanks and
// commas outside braces (postconf(5), extpar(3)). Prefixes that say only how
// Postfix opens a table ("proxy:") are taken off.
func List(s string) []Ref {
	var refs []Ref
	for _, word := range Words(s) {
		refs = append(refs, parseRef(word))
	}
	return refs
}

// Words splits a parameter by blanks and commas outside braces.
func Words(s string) []string {
	var words []string
	depth, start := 0, -1
	flush := func(end int) {
		if start >= 0 {
			words = append(words, s[start:end])
			start = -1
		}
	}
	for i := range len(s) {
		switch c := s[i]; {
		case depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			flush(i)
			continue
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		}
		if start < 0 {
			start = i
		}
	}
	flush(len(s))
	return words
}

func parseRef(word string) Ref {
	for {
		kind, name, ok := strings.Cut(word, ":")
		// A type is a word: "[::1]" and "!/etc/x" are none.
		if !ok || kind == "" || strings.ContainsAny(kind, "/[]!.{} ") {
			return Ref{Name: word}
		}
		kind = strings.ToLower(kind)
		if kind == "proxy" {
			word = name
			continue
		}
		if composed[kind] {
			name = strings.TrimSpace(name)
			name = strings.TrimSuffix(strings.TrimPrefix(name, "{"), "}")
			name = strings.TrimSpace(name)
		}
		return Ref{Type: kind, Name: name}
	}
}

// pairs reads the list of an inline table: "key = value" or "{ key = value }",
// separated by blanks and commas (inline_table(5)).
func pairs(s string) ([]Entry, error) {
	var out []Entry
	for _, word := range Words(s) {
		word = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(word, "{"), "}"))
		key, value, ok := strings.Cut(word, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" {
			return nil, fmt.Errorf("%q is no key = value", word)
		}
		out = append(out, Entry{Key: key, Value: value})
	}
	return out, nil
}
