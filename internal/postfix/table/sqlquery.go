package table

import (
	"slices"
	"strings"
)

// listing is a query that lists what another one answers key by key.
type listing struct {
	query string
	// keys are what to read the key from, in the order of the first columns:
	// for each the column compared, then one for each expression in its parts.
	keys [][]part
	// first: only the first row of a key counts.
	first bool
}

// deriveListings turns the query of a table round, each part of a UNION by
// itself. ok is false where its shape does not allow that with certainty.
//
//	SELECT goto FROM alias WHERE address = '%s' AND active = 1
//	SELECT (address), goto FROM alias WHERE active = 1
//
// A condition that compares something with the key goes, and what it compares
// is selected instead. Everything else stays as it is. Comparisons in an OR, in
// a sub-query or in a join, and groups, are left alone.
func deriveListings(query, driver string) (out []listing, ok bool) {
	tokens, ok := lex(strings.TrimRight(strings.TrimSpace(query), "; \t"))
	if !ok {
		return nil, false
	}
	for _, one := range splitWord(tokens, "union") {
		if len(one) > 0 && one[0].is("all") {
			one = one[1:]
		}
		l, ok := derive(one, driver)
		if !ok {
			return nil, false
		}
		out = append(out, l)
	}
	return out, true
}

// token is a word, a string, a sign or a bracket with its depth.
type token struct {
	text  string
	depth int
}

func (t token) is(word string) bool { return t.depth == 0 && strings.EqualFold(t.text, word) }

func (t token) quoted() bool { return t.text[0] == '\'' }

// value is the text of a string, whose doubled quotes are single ones.
func (t token) value() string {
	return strings.ReplaceAll(t.text[1:len(t.text)-1], "''", "'")
}

func lex(s string) (tokens []token, ok bool) {
	depth := 0
	for i := 0; i < len(s); {
		start := i
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '\'' || c == '"' || c == '`':
			for i++; ; i++ {
				if i >= len(s) || s[i] == '\\' {
					return nil, false
				}
				if s[i] == c {
					if i+1 < len(s) && s[i+1] == c {
						i++
						continue
					}
					break
				}
			}
			i++
			if c == '"' && strings.Contains(s[start:i], "%") { // a string in MariaDB, a name elsewhere
				return nil, false
			}
		case c == '(':
			i++
			tokens = append(tokens, token{"(", depth})
			depth++
			continue
		case c == ')':
			i++
			if depth--; depth < 0 {
				return nil, false
			}
			tokens = append(tokens, token{")", depth})
			continue
		case word(c):
			for i < len(s) && word(s[i]) {
				i++
			}
		case c == '-' && strings.HasPrefix(s[i:], "--"), c == '#', strings.HasPrefix(s[i:], "/*"), c == ';':
			return nil, false
		default:
			i++
			for _, sign := range []string{"||", "<=", ">=", "<>", "!=", "::"} {
				if strings.HasPrefix(s[start:], sign) {
					i = start + 2
				}
			}
		}
		tokens = append(tokens, token{s[start:i], depth})
	}
	return tokens, depth == 0 && len(tokens) > 0
}

func word(c byte) bool {
	return c == '_' || c == '.' || c == '$' || c == '@' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// inner takes one level of depth off.
func inner(tokens []token) []token {
	out := slices.Clone(tokens)
	for i := range out {
		out[i].depth--
	}
	return out
}

func splitWord(tokens []token, word string) (out [][]token) {
	start := 0
	for i, t := range tokens {
		if t.is(word) {
			out = append(out, tokens[start:i])
			start = i + 1
		}
	}
	return append(out, tokens[start:])
}

func find(tokens []token, words ...string) int {
	return slices.IndexFunc(tokens, func(t token) bool { return slices.ContainsFunc(words, t.is) })
}

func render(tokens []token) string {
	var b strings.Builder
	for i, t := range tokens {
		// No blank before the bracket of a function: MariaDB minds.
		if i > 0 && t.text != "(" && t.text != ")" && t.text != "," && tokens[i-1].text != "(" {
			b.WriteByte(' ')
		} else if i > 0 && t.text == "(" && !word(tokens[i-1].text[0]) {
			b.WriteByte(' ')
		}
		// What is not asked for has its doubled percents halved.
		b.WriteString(strings.ReplaceAll(t.text, "%%", "%"))
	}
	return b.String()
}

// hasPlaceholder tells whether the key has a place in the tokens.
func hasPlaceholder(tokens []token) bool {
	for _, t := range tokens {
		rest := strings.ReplaceAll(t.text, "%%", "")
		if strings.Contains(rest, "%") {
			return true
		}
	}
	return false
}

func derive(tokens []token, driver string) (listing, bool) {
	var l listing
	from, where := find(tokens, "from"), find(tokens, "where")
	if len(tokens) == 0 || !tokens[0].is("select") || from < 0 || where < from {
		return l, false
	}
	end := where + 1 + find(tokens[where+1:], "group", "having", "order", "limit", "offset", "for", "window")
	if end == where {
		end = len(tokens)
	}
	tail := tokens[end:]
	if find(tail, "group", "having", "offset", "for", "window") >= 0 || hasPlaceholder(tail) || hasPlaceholder(tokens[from:where]) {
		return l, false
	}
	if n := find(tail, "limit"); n >= 0 {
		l.first, tail = true, tail[:n]
	}
	columns, distinct := tokens[1:from], ""
	if len(columns) > 0 && columns[0].is("distinct") {
		columns, distinct = columns[1:], "DISTINCT "
	}
	columns, ok := selected(columns)
	if !ok || len(columns) == 0 {
		return l, false
	}
	var selects, kept []string
	var bound []byte
	for _, c := range conjuncts(tokens[where+1 : end]) {
		if !hasPlaceholder(c) {
			kept = append(kept, render(c))
			continue
		}
		expression, parts, ok := comparison(c)
		if !ok || len(placeholders(parts)) == 0 {
			return l, false
		}
		bound = append(bound, placeholders(parts)...)
		selects = append(selects, expression)
		for _, p := range parts {
			if p.expression {
				selects = append(selects, p.text)
			}
		}
		l.keys = append(l.keys, parts)
		if like := ending(expression, parts, driver); like != "" {
			kept = append(kept, like)
		} else {
			kept = append(kept, expression+" IS NOT NULL")
		}
	}
	// Only the local part: it could be of any domain.
	if !slices.Contains(bound, 's') && !slices.Contains(bound, 'd') {
		return l, false
	}
	l.query = "SELECT " + distinct + strings.Join(selects, ", ") + ", " + render(columns) + " " + render(tokens[from:where]) + " WHERE " + strings.Join(kept, " AND ")
	if len(tail) > 0 {
		l.query += " " + render(tail)
	}
	return l, true
}

// selected lets the local part of the key stand in the columns: a query for a
// domain gives "%u@other", which is "@other".
func selected(columns []token) ([]token, bool) {
	out := slices.Clone(columns)
	for i, t := range out {
		if t.quoted() && strings.HasPrefix(t.value(), "%u@") && !strings.Contains(t.value()[2:], "%") {
			out[i].text = "'" + t.text[3:]
		} else if t.quoted() && t.value() == "%u" {
			out[i].text = "''"
		}
	}
	return out, !hasPlaceholder(out) && find(out, "*") < 0
}

// conjuncts splits a condition by AND, through brackets that hold nothing else.
func conjuncts(tokens []token) (out [][]token) {
	if enclosed(tokens) {
		out := conjuncts(inner(tokens[1 : len(tokens)-1]))
		if len(out) == 1 && find(out[0], "or", "xor", "between", "case") >= 0 {
			return [][]token{tokens} // its brackets count
		}
		return out
	}
	// "a BETWEEN b AND c" has an AND of its own; nobody compares keys so.
	if find(tokens, "or", "between", "xor", "case") >= 0 {
		return [][]token{tokens}
	}
	parts := splitWord(tokens, "and")
	if len(parts) == 1 {
		return parts
	}
	for _, p := range parts {
		out = append(out, conjuncts(p)...)
	}
	return out
}

// enclosed: brackets are around all of it.
func enclosed(tokens []token) bool {
	if len(tokens) < 3 || tokens[0].text != "(" || tokens[len(tokens)-1].text != ")" {
		return false
	}
	for _, t := range tokens[1 : len(tokens)-1] {
		if t.depth == tokens[0].depth {
			return false
		}
	}
	return true
}

// comparison takes "column = 'text with %s'" apart, either way round.
func comparison(c []token) (expression string, parts []part, ok bool) {
	if len(c) == 0 || find(c, "or", "not", "between", "case", "exists") >= 0 {
		return "", nil, false
	}
	n := find(c, "=", "like", "in")
	if n <= 0 || n == len(c)-1 {
		return "", nil, false
	}
	left, right := c[:n], c[n+1:]
	if hasPlaceholder(left) {
		left, right = right, left
	}
	if hasPlaceholder(left) || find(left, "=", "<", ">", "select") >= 0 || len(left) == 0 {
		return "", nil, false
	}
	parts, ok = concatenated(right)
	if ok && c[n].is("like") {
		for _, p := range parts { // a wildcard, or one in a column
			ok = ok && !strings.ContainsAny(p.text, "%_") && !p.expression
		}
	}
	return render(left), parts, ok
}

// concatenated reads a string, CONCAT(…), a || b, or one of them in lower case.
func concatenated(tokens []token) ([]part, bool) {
	switch {
	case len(tokens) == 0:
		return nil, false
	case enclosed(tokens):
		return concatenated(inner(tokens[1 : len(tokens)-1]))
	case !hasPlaceholder(tokens):
		if len(tokens) == 1 && tokens[0].quoted() {
			return literal(tokens[0].value())
		}
		return []part{{text: render(tokens), expression: true}}, true
	case len(tokens) == 1 && tokens[0].quoted():
		return literal(tokens[0].value())
	case find(tokens, "||") >= 0:
		var all []part
		for _, t := range splitWord(tokens, "||") {
			parts, ok := concatenated(t)
			if !ok {
				return nil, false
			}
			all = append(all, parts...)
		}
		return all, true
	}
	if len(tokens) < 4 || !enclosed(tokens[1:]) {
		return nil, false
	}
	arguments := splitWord(inner(tokens[2:len(tokens)-1]), ",")
	switch {
	case tokens[0].is("lower") && len(arguments) == 1:
		return concatenated(arguments[0])
	case tokens[0].is("concat"):
		var all []part
		for _, a := range arguments {
			parts, ok := concatenated(a)
			if !ok {
				return nil, false
			}
			all = append(all, parts...)
		}
		return all, true
	}
	return nil, false
}

// ending is a condition that keeps the rows whose column ends as the parts do
// behind a placeholder at their beginning, or empty: without it, two tables
// that only the key joins would give every pair of rows.
func ending(expression string, parts []part, driver string) string {
	if len(parts) < 2 || parts[0].placeholder == 0 || len(placeholders(parts)) > 1 {
		return ""
	}
	texts := []string{"'%'"}
	for _, p := range parts[1:] {
		if p.expression {
			texts = append(texts, p.text)
		} else {
			texts = append(texts, "'"+strings.ReplaceAll(p.text, "'", "''")+"'")
		}
	}
	if driver == "mysql" {
		return expression + " LIKE CONCAT(" + strings.Join(texts, ", ") + ")"
	}
	return expression + " LIKE " + strings.Join(texts, " || ")
}
