package sieve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// jmapQuery writes a filter of JMAP (RFC 8621 §4.4.1) as the tests that it
// stands for. A destination's search knows stems of words and the like; a
// script compares substrings, so only plain filters are taken.
func (p *sourceScript) jmapQuery(c command) []loss {
	pos := positional(c)
	none := []loss{lacking(c.line, c.name, "vnd.cyrus.jmapquery")}
	if len(pos) != 1 || len(pos[0].strings) != 1 {
		return none
	}
	text, ok := filterTest([]byte(pos[0].strings[0].text), p.target, 0)
	if !ok {
		return none
	}
	end := c.end
	if end > 0 && p.src[end-1] == '\n' { // of a text: that ended its line
		text += newline(p.src)
	}
	p.replace(c.start, end, text)
	p.change(c.line, "vnd.cyrus.jmapquery", "the query is written as tests; they compare parts of words, where the old server compared words")
	return nil
}

// addressFields and other conditions that are header fields.
var filterFields = map[string][]string{"from": {"from"}, "to": {"to"}, "cc": {"cc"}, "bcc": {"bcc"}, "subject": {"subject"}}

func filterTest(raw []byte, t Target, depth int) (string, bool) {
	var filter map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(raw))
	if depth > 10 || d.Decode(&filter) != nil || d.More() || len(filter) == 0 {
		return "", false
	}
	if op, ok := filter["operator"]; ok {
		return operatorTest(op, filter["conditions"], len(filter), t, depth)
	}
	names := make([]string, 0, len(filter))
	for name := range filter {
		names = append(names, name)
	}
	slices.Sort(names)
	var tests []string
	for _, name := range names {
		test, ok := conditionTest(name, filter[name], t)
		if !ok {
			return "", false
		}
		tests = append(tests, test)
	}
	return combine("allof", tests), true
}

func operatorTest(op, conditions json.RawMessage, members int, t Target, depth int) (string, bool) {
	var name string
	var list []json.RawMessage
	if json.Unmarshal(op, &name) != nil || json.Unmarshal(conditions, &list) != nil || len(list) == 0 || members != 2 {
		return "", false
	}
	var tests []string
	for _, l := range list {
		test, ok := filterTest(l, t, depth+1)
		if !ok {
			return "", false
		}
		tests = append(tests, test)
	}
	switch name {
	case "AND":
		return combine("allof", tests), true
	case "OR":
		return combine("anyof", tests), true
	case "NOT": // none of them
		return "not " + combine("anyof", tests), true
	}
	return "", false
}

func combine(with string, tests []string) string {
	if len(tests) == 1 {
		return tests[0]
	}
	return with + " (" + strings.Join(tests, ", ") + ")"
}

func conditionTest(name string, raw json.RawMessage, t Target) (string, bool) {
	switch name {
	case "header":
		var h []string
		if json.Unmarshal(raw, &h) != nil || len(h) == 0 || len(h) > 2 || !plain(h...) {
			return "", false
		}
		if len(h) == 1 {
			return "exists " + quote(h[0]), true
		}
		return fmt.Sprintf("header :contains %s %s", quote(h[0]), quote(h[1])), true
	case "minSize", "maxSize": // at least, and less than; :under is less than
		var n int64
		if json.Unmarshal(raw, &n) != nil || n < 0 {
			return "", false
		}
		if name == "minSize" {
			return fmt.Sprintf("not size :under %d", n), true
		}
		return fmt.Sprintf("size :under %d", n), true
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return "", false
	}
	words, ok := searchWords(text)
	if !ok {
		return "", false
	}
	var tests []string
	for _, w := range words {
		switch fields := filterFields[name]; {
		case fields != nil:
			tests = append(tests, fmt.Sprintf("header :contains %s %s", quoteList(fields), quote(w)))
		case name == "body" && t.offers("body"):
			tests = append(tests, "body :text :contains "+quote(w))
		case name == "text" && t.offers("body"):
			tests = append(tests, fmt.Sprintf(`anyof (header :contains ["from", "to", "cc", "bcc", "subject"] %s, body :text :contains %s)`, quote(w), quote(w)))
		default:
			return "", false
		}
	}
	return combine("allof", tests), true
}

// searchWords splits a search as RFC 8621 §4.4.1 says: words, and phrases in
// quotation marks.
func searchWords(s string) ([]string, bool) {
	if !plain(s) || strings.ContainsAny(s, `*\`) {
		return nil, false
	}
	var out []string
	for i, phrase := range strings.Split(s, `"`) {
		if i%2 == 1 {
			out = append(out, phrase)
		} else {
			out = append(out, strings.Fields(phrase)...)
		}
	}
	return out, len(out) > 0 && !slices.Contains(out, "") && strings.Count(s, `"`)%2 == 0
}

// plain reports text without controls and variables.
func plain(list ...string) bool {
	for _, s := range list {
		if s == "" || strings.Contains(s, "${") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
			return false
		}
	}
	return true
}
