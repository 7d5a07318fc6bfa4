package sieve

import "strings"

// command is a command or a test (RFC 5228 §2.5, §2.6) with its arguments and
// its place in the script.
type command struct {
	name  string // lower case
	line  int
	args  []argument
	tests []command
	block []command

	start, end  int // from the name to behind the semicolon or block; a test ends with its last token
	nameEnd     int
	open, close int // offsets of the block's braces; 0, 0 without one
}

// argument is a tag, a number, or a list of strings.
type argument struct {
	tag     string
	number  string
	strings []token

	start, end int
}

// maxDepth bounds nesting, so that a hostile script cannot exhaust the stack.
const maxDepth = 100

// parse reads a whole script.
func parse(script []byte) ([]command, error) {
	toks, err := lex(script)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	cmds, err := p.commands(0)
	if err != nil {
		return cmds, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return cmds, &SyntaxError{Line: t.line, Text: "unexpected " + t.text}
	}
	return cmds, nil
}

type parser struct {
	toks []token
	pos  int
}

func (p *parser) peek() token { return p.toks[p.pos] }

func (p *parser) take() token {
	t := p.toks[p.pos]
	if t.kind != tokEnd {
		p.pos++
	}
	return t
}

func (p *parser) is(text string) bool {
	t := p.peek()
	return t.kind == tokPunct && t.text == text
}

func (p *parser) commands(depth int) ([]command, error) {
	var out []command
	for p.peek().kind == tokIdent {
		c, err := p.command(depth)
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

// command is an identifier, arguments, tests, and a semicolon or a block.
func (p *parser) command(depth int) (command, error) {
	c, err := p.call(depth)
	if err != nil {
		return c, err
	}
	switch {
	case p.is(";"):
		p.take()
	case p.is("{"):
		c.open = p.take().start
		if c.block, err = p.commands(depth + 1); err != nil {
			return c, err
		}
		if !p.is("}") {
			return c, &SyntaxError{Line: c.line, Text: "the block of " + c.name + " does not end"}
		}
		c.close = p.take().start
	default:
		return c, &SyntaxError{Line: p.peek().line, Text: c.name + " must end with ; or a block"}
	}
	c.end = p.last()
	return c, nil
}

// last is where the token taken last ends.
func (p *parser) last() int { return p.toks[p.pos-1].end }

// call is what commands and tests share.
func (p *parser) call(depth int) (c command, err error) {
	t := p.take()
	c = command{name: strings.ToLower(t.text), line: t.line, start: t.start, nameEnd: t.end}
	defer func() {
		if err == nil {
			c.end = p.last()
		}
	}()
	if t.kind != tokIdent {
		return c, &SyntaxError{Line: t.line, Text: "a test or command is missing"}
	}
	if depth > maxDepth {
		return c, &SyntaxError{Line: t.line, Text: "nested too deeply"}
	}
	for {
		switch t := p.peek(); {
		case t.kind == tokTag:
			p.take()
			c.args = append(c.args, argument{tag: t.text, start: t.start, end: t.end})
		case t.kind == tokNumber:
			p.take()
			c.args = append(c.args, argument{number: t.text, start: t.start, end: t.end})
		case t.kind == tokString:
			p.take()
			c.args = append(c.args, argument{strings: []token{t}, start: t.start, end: t.end})
		case p.is("["):
			list, err := p.list()
			if err != nil {
				return c, err
			}
			c.args = append(c.args, argument{strings: list, start: t.start, end: p.last()})
		case p.is("("):
			p.take()
			for {
				test, err := p.call(depth + 1)
				if err != nil {
					return c, err
				}
				c.tests = append(c.tests, test)
				if p.is(",") {
					p.take()
					continue
				}
				break
			}
			if !p.is(")") {
				return c, &SyntaxError{Line: c.line, Text: "the tests of " + c.name + " do not end"}
			}
			p.take()
			return c, nil
		case t.kind == tokIdent:
			test, err := p.call(depth + 1)
			c.tests = append(c.tests, test)
			return c, err
		default:
			return c, nil
		}
	}
}

// list is a string list; the last string may be missing (as some clients
// write it).
func (p *parser) list() ([]token, error) {
	open := p.take()
	var out []token
	for {
		t := p.take()
		switch {
		case t.kind == tokString:
			out = append(out, t)
		case t.kind == tokPunct && t.text == "]":
			return out, nil
		case t.kind != tokPunct || t.text != ",":
			return nil, &SyntaxError{Line: open.line, Text: "a list that holds more than strings, or does not end"}
		}
	}
}

// each calls fn for every command and test, in order.
func each(cmds []command, fn func(command)) {
	for _, c := range cmds {
		fn(c)
		each(c.tests, fn)
		each(c.block, fn)
	}
}
