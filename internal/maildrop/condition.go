package maildrop

import (
	"fmt"
	"strconv"
	"strings"
)

// test translates a condition; why is not empty where it has no equivalent.
func (t *translator) test(e *expr) (test, why string) {
	switch e.op {
	case "&&", "||":
		var parts []string
		for _, a := range flatten(e, e.op) {
			part, why := t.test(a)
			if why != "" {
				return "", why
			}
			parts = append(parts, part)
		}
		all := map[string]string{"&&": "allof", "||": "anyof"}[e.op]
		return all + " (" + strings.Join(parts, ", ") + ")", ""
	case "!":
		inner, why := t.test(e.args[0])
		return "not " + inner, why
	case "pattern":
		return t.pattern(e.text[0].text)
	case "=~":
		return t.matched(e)
	case "hasaddr":
		return t.hasAddress(e)
	case "text":
		text, ok := t.eval(e)
		if !ok {
			return "", "a variable is not the same for every message"
		}
		n, err := strconv.Atoi(strings.TrimSpace(text))
		return truth(err == nil && n != 0), ""
	case "<", "<=", ">", ">=", "==", "!=":
		return t.compareNumbers(e)
	case "eq", "ne":
		return t.compareTexts(e)
	}
	return "", fmt.Sprintf("%s has no equivalent", e.op)
}

func flatten(e *expr, op string) []*expr {
	if e.op != op {
		return []*expr{e}
	}
	return append(flatten(e.args[0], op), flatten(e.args[1], op)...)
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// isVariable reports whether an expression is that variable by itself.
func isVariable(e *expr, name string) bool {
	if e.op != "text" || len(e.text) != 1 || e.text[0].kind == kindRaw || e.text[0].kind == kindCommand {
		return false
	}
	s := e.text[0].text
	return s == "$"+name || s == "${"+name+"}"
}

// hasAddress: maildrop looks at To, Cc and their Resent forms.
func (t *translator) hasAddress(e *expr) (test, why string) {
	if len(e.args) != 1 {
		return "", "hasaddr wants one address"
	}
	address, ok := t.eval(e.args[0])
	if !ok {
		return "", "the address is computed"
	}
	return `address :is ["to", "cc", "resent-to", "resent-cc"] ` + quote(address), ""
}

// mirrored are the comparisons with their sides changed.
var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

// compareNumbers knows the size of the message, and what is fixed.
func (t *translator) compareNumbers(e *expr) (test, why string) {
	left, right, op := e.args[0], e.args[1], e.op
	if isVariable(right, "SIZE") {
		left, right, op = right, left, mirrored[op]
	}
	text, ok := t.eval(right)
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 63)
	if !ok || err != nil || n < 0 {
		return "", "numbers are computed"
	}
	if isVariable(left, "SIZE") {
		switch op {
		case ">":
			return fmt.Sprintf("size :over %d", n), ""
		case ">=":
			if n == 0 {
				return "true", ""
			}
			return fmt.Sprintf("size :over %d", n-1), ""
		case "<":
			return fmt.Sprintf("size :under %d", n), ""
		case "<=":
			return fmt.Sprintf("size :under %d", n+1), ""
		}
		return "", "an exact size has no equivalent"
	}
	text, ok = t.eval(left)
	m, err := strconv.ParseInt(strings.TrimSpace(text), 10, 63)
	if !ok || err != nil {
		return "", "numbers are computed"
	}
	return truth(map[string]bool{"<": m < n, "<=": m <= n, ">": m > n, ">=": m >= n, "==": m == n, "!=": m != n}[op]), ""
}

// compareTexts knows the sender of the envelope, and what is fixed.
func (t *translator) compareTexts(e *expr) (test, why string) {
	left, right := e.args[0], e.args[1]
	if isVariable(right, "FROM") {
		left, right = right, left
	}
	text, ok := t.eval(right)
	if !ok {
		return "", "texts are computed"
	}
	not := ""
	if e.op == "ne" {
		not = "not "
	}
	if isVariable(left, "FROM") && !t.vars["FROM"].known {
		t.need("envelope")
		return not + `envelope :comparator "i;octet" :is "from" ` + quote(text), ""
	}
	other, ok := t.eval(left)
	if !ok {
		return "", "texts are computed"
	}
	return truth((other == text) == (e.op == "eq")), ""
}

// matched translates "$FROM =~ /…/".
func (t *translator) matched(e *expr) (test, why string) {
	if e.args[1].op != "pattern" {
		return "", "=~ without a pattern"
	}
	if !isVariable(e.args[0], "FROM") || t.vars["FROM"].known {
		return "", "a variable is not the same for every message"
	}
	p, why := parsePattern(e.args[1].text[0].text)
	if why != "" {
		return "", why
	}
	t.need("envelope")
	var tests []string
	for _, alternative := range splitTop(p.body, '|') {
		body, anchored := strings.CutPrefix(alternative, "^")
		more, why := t.matches("envelope", `"from"`, body, anchored, p.exact)
		if why != "" {
			return "", why
		}
		tests = append(tests, more...)
	}
	return anyOf(tests), ""
}

func anyOf(tests []string) string {
	if len(tests) == 1 {
		return tests[0]
	}
	return "anyof (" + strings.Join(tests, ", ") + ")"
}
