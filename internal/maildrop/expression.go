package maildrop

// levels are the operators from the weakest to the strongest.
var levels = [][]string{
	{"||"}, {"&&"}, {"<", "<=", ">", ">=", "==", "!=", "lt", "le", "gt", "ge", "eq", "ne"}, {"|"}, {"&"}, {"+", "-"}, {"*", "/"}, {"=~"},
}

// functions take arguments in parentheses.
var functions = map[string]bool{"hasaddr": true, "getaddr": true, "lookup": true, "escape": true, "length": true, "substr": true, "tolower": true, "toupper": true,
	"time": true, "gdbmopen": true, "gdbmclose": true, "gdbmfetch": true, "gdbmstore": true}

func (p *parser) expression() (*expr, error) { return p.binary(0) }

func (p *parser) binary(level int) (*expr, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		op := p.operator(levels[level])
		if op == "" {
			return left, nil
		}
		e := &expr{op: op, line: p.tok.line}
		if err = p.advance(); err != nil {
			return nil, err
		}
		var right *expr
		if right, err = p.binary(level + 1); err == nil {
			e.args = []*expr{left, right}
			left = e
		}
	}
	return nil, err
}

// operator is the one of ops that comes next, or "".
func (p *parser) operator(ops []string) string {
	if p.tok.kind != kindSign && p.tok.kind != kindWord {
		return ""
	}
	for _, op := range ops {
		if p.tok.text == op {
			return op
		}
	}
	return ""
}

func (p *parser) unary() (*expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("this is nested too deep")
	}
	defer func() { p.depth-- }()
	e := &expr{line: p.tok.line}
	switch {
	case p.is("!") || p.is("~") || p.is("+") || p.word("-"):
		e.op = p.tok.text
		if err := p.advance(); err != nil {
			return nil, err
		}
		arg, err := p.unary()
		e.args = []*expr{arg}
		return e, err
	case p.is("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		inner, err := p.expression()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case p.tok.kind == kindPattern:
		e.op, e.text = "pattern", []token{p.tok}
		return e, p.advance()
	case p.tok.kind == kindWord && functions[p.tok.text]:
		return p.call()
	}
	return p.texts()
}

// call reads a function with its arguments.
func (p *parser) call() (*expr, error) {
	e := &expr{op: p.tok.text, line: p.tok.line}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.is("(") {
		return e, nil // "time", "gdbmclose"
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	for !p.is(")") {
		arg, err := p.expression()
		if err != nil {
			return nil, err
		}
		e.args = append(e.args, arg)
		if p.is(",") {
			if err := p.advance(); err != nil {
				return nil, err
			}
			continue
		}
		break
	}
	return e, p.expect(")")
}

// texts are literals; those that follow each other are one.
func (p *parser) texts() (*expr, error) {
	e := &expr{op: "text", line: p.tok.line}
	for {
		switch p.tok.kind {
		case kindText, kindRaw, kindCommand:
		case kindWord:
			if len(e.text) > 0 && p.operator([]string{"lt", "le", "gt", "ge", "eq", "ne", "-"}) != "" {
				return e, nil
			}
		default:
			if len(e.text) == 0 {
				if p.tok.kind == kindBreak || p.tok.kind == kindEnd {
					return nil, p.fail("something is missing at the end of the line")
				}
				return nil, p.fail("%q is no value", p.tok.text)
			}
			return e, nil
		}
		e.text = append(e.text, p.tok)
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}
