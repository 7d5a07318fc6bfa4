package maildrop

import (
	"fmt"
	"strings"
)

// statement is one statement of a filter.
type statement struct {
	// verb is "if", "to", "cc", "exception", "=", …; "{" is a block, "" an
	// expression by itself.
	verb string
	line int
	text string // as written, for comments
	expr *expr
	name string // of "=": the variable
	body []statement
	more []statement // else; of elsif one "if"
}

// expr is an expression: a leaf or an operator.
type expr struct {
	op   string // "text", "pattern", "||", "=~", "hasaddr" …
	text []token
	args []*expr
	line int
}

// maxDepth bounds how deep blocks and expressions may be nested.
const maxDepth = 100

type parser struct {
	lex   lexer
	tok   token
	depth int
}

// parse reads a whole filter. Its error is a *SyntaxError: maildrop would not
// deliver anything with it.
func parse(src string) ([]statement, error) {
	p := &parser{lex: lexer{src: src, line: 1, last: token{kind: kindBreak}}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	out, err := p.statements()
	if err == nil && p.tok.kind != kindEnd {
		err = p.fail("%q has no beginning", p.tok.text)
	}
	return out, err
}

func (p *parser) advance() (err error) {
	p.tok, err = p.lex.next()
	return err
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{p.tok.line, fmt.Sprintf(format, args...)}
}

func (p *parser) is(sign string) bool { return p.tok.kind == kindSign && p.tok.text == sign }

func (p *parser) word(w string) bool { return p.tok.kind == kindWord && p.tok.text == w }

// expect takes a sign.
func (p *parser) expect(sign string) error {
	if !p.is(sign) {
		return p.fail("%s is missing", sign)
	}
	return p.advance()
}

// breaks skips the ends of lines.
func (p *parser) breaks() error {
	for p.tok.kind == kindBreak {
		if err := p.advance(); err != nil {
			return err
		}
	}
	return nil
}

// end is the end of a statement.
func (p *parser) end() error {
	if p.tok.kind == kindEnd || p.is("}") {
		return nil
	}
	if p.tok.kind != kindBreak {
		return p.fail("%q is more than the statement wants", p.tok.text)
	}
	return p.advance()
}

func (p *parser) statements() ([]statement, error) {
	var out []statement
	for {
		if err := p.breaks(); err != nil {
			return nil, err
		}
		if p.tok.kind == kindEnd || p.is("}") {
			return out, nil
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
}

// verbs take one expression; those that are true, a block behind it.
var verbs = map[string]bool{"to": false, "cc": false, "echo": false, "xfilter": false, "system": false, "logfile": false, "log": false, "include": false,
	"import": false, "unset": false, "dotlock": true, "flock": true}

func (p *parser) statement() (s statement, err error) {
	if p.depth++; p.depth > maxDepth {
		return s, p.fail("this is nested too deep")
	}
	defer func() { p.depth-- }()
	from := p.tok.at
	s.line = p.tok.line
	defer func() {
		s.text = strings.TrimSpace(p.lex.src[from:max(from, p.tok.at)])
	}()
	if p.tok.kind == kindWord {
		s.verb = p.tok.text
		block, known := verbs[s.verb]
		switch {
		case s.verb == "if" || s.verb == "while" || s.verb == "elsif":
			return s, p.conditional(&s)
		case s.verb == "foreach":
			if err = p.advance(); err == nil {
				if s.expr, err = p.expression(); err == nil {
					s.body, err = p.sub()
				}
			}
			return s, err
		case s.verb == "exception":
			if err = p.advance(); err == nil {
				s.body, err = p.block()
			}
			return s, err
		case s.verb == "exit":
			if err = p.advance(); err == nil {
				err = p.end()
			}
			return s, err
		case known:
			if err = p.advance(); err != nil {
				return s, err
			}
			if s.expr, err = p.expression(); err != nil {
				return s, err
			}
			if block {
				s.body, err = p.block()
				return s, err
			}
			return s, p.end()
		}
		s.verb = ""
	}
	if p.is("{") {
		s.verb = "{"
		s.body, err = p.block()
		return s, err
	}
	if s.expr, err = p.expression(); err != nil {
		return s, err
	}
	if p.is("=") {
		if s.expr.op != "text" || len(s.expr.text) != 1 {
			return s, p.fail("only a variable can be assigned to")
		}
		s.verb, s.name = "=", s.expr.text[0].text
		if err = p.advance(); err != nil {
			return s, err
		}
		if s.expr, err = p.expression(); err != nil {
			return s, err
		}
	}
	return s, p.end()
}

// conditional reads "if (…)", a statement, and what else there is.
func (p *parser) conditional(s *statement) (err error) {
	if err = p.advance(); err != nil {
		return err
	}
	if err = p.expect("("); err != nil {
		return err
	}
	if s.expr, err = p.expression(); err != nil {
		return err
	}
	if err = p.expect(")"); err != nil {
		return err
	}
	if s.body, err = p.sub(); err != nil {
		return err
	}
	if s.verb == "while" {
		return nil
	}
	if err = p.breaks(); err != nil {
		return err
	}
	switch {
	case p.word("elsif"):
		var next statement
		next, err = p.statement()
		next.verb = "if"
		s.more = []statement{next}
	case p.word("else"):
		if err = p.advance(); err == nil {
			s.more, err = p.sub()
		}
	}
	return err
}

// sub is the statement, or the block, that belongs to an if. It may begin in
// the next line.
func (p *parser) sub() ([]statement, error) {
	if err := p.breaks(); err != nil {
		return nil, err
	}
	if p.is("{") {
		return p.block()
	}
	s, err := p.statement()
	return []statement{s}, err
}

func (p *parser) block() ([]statement, error) {
	if err := p.breaks(); err != nil {
		return nil, err
	}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	out, err := p.statements()
	if err != nil {
		return nil, err
	}
	if err := p.expect("}"); err != nil {
		return nil, err
	}
	return out, nil
}
