package sieve

import (
	"bytes"
	"fmt"
	"strings"
)

// SyntaxError is where a script stops being Sieve.
type SyntaxError struct {
	Line int
	Text string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

type kind uint8

const (
	tokIdent  kind = iota + 1
	tokTag         // ":is"; text without the colon, lower case
	tokString      // quoted or multi-line; text is the value
	tokNumber
	tokPunct // one of ; , ( ) { } [ ]
	tokEnd
)

// token is one lexical element with its place in the script.
type token struct {
	kind       kind
	text       string
	line       int
	start, end int
}

// lex splits a script into tokens (RFC 5228 §8.1). Comments are skipped.
func lex(script []byte) ([]token, error) {
	l := &lexer{in: script, line: 1}
	var out []token
	for {
		t, err := l.next()
		if err != nil {
			return out, err
		}
		out = append(out, t)
		if t.kind == tokEnd {
			return out, nil
		}
	}
}

type lexer struct {
	in   []byte
	pos  int
	line int
}

func (l *lexer) fail(format string, args ...any) error {
	return &SyntaxError{Line: l.line, Text: fmt.Sprintf(format, args...)}
}

func (l *lexer) next() (token, error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	t := token{line: l.line, start: l.pos}
	if l.pos >= len(l.in) {
		t.kind, t.end = tokEnd, l.pos
		return t, nil
	}
	var err error
	switch c := l.in[l.pos]; {
	case c == '"':
		t.kind = tokString
		t.text, err = l.quoted()
	case strings.IndexByte(";,(){}[]", c) >= 0:
		t.kind, t.text = tokPunct, string(c)
		l.pos++
	case c == ':':
		l.pos++
		t.kind, t.text = tokTag, strings.ToLower(l.word())
		if t.text == "" {
			err = l.fail("a colon without a tag behind it")
		}
	case isDigit(c):
		t.kind, t.text = tokNumber, l.word()
	case isWord(c):
		t.kind, t.text = tokIdent, l.word()
		if strings.EqualFold(t.text, "text") && l.pos < len(l.in) && l.in[l.pos] == ':' {
			t.kind = tokString
			l.pos++
			t.text, err = l.multiline()
		}
	default:
		err = l.fail("unexpected character %q", c)
	}
	t.end = l.pos
	return t, err
}

// skip passes white space and comments.
func (l *lexer) skip() error {
	for l.pos < len(l.in) {
		switch c := l.in[l.pos]; {
		case c == '\n':
			l.line++
			l.pos++
		case c == ' ' || c == '\t' || c == '\r':
			l.pos++
		case c == '#':
			for l.pos < len(l.in) && l.in[l.pos] != '\n' {
				l.pos++
			}
		case c == '/' && l.pos+1 < len(l.in) && l.in[l.pos+1] == '*':
			end := bytes.Index(l.in[l.pos+2:], []byte("*/"))
			if end < 0 {
				return l.fail("a comment that does not end")
			}
			l.line += bytes.Count(l.in[l.pos:l.pos+2+end], []byte("\n"))
			l.pos += end + 4
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) quoted() (string, error) {
	first := l.line
	var b strings.Builder
	for l.pos++; l.pos < len(l.in); l.pos++ {
		switch c := l.in[l.pos]; c {
		case '"':
			l.pos++
			return b.String(), nil
		case '\\':
			if l.pos++; l.pos < len(l.in) {
				if l.in[l.pos] == '\n' {
					l.line++
				}
				b.WriteByte(l.in[l.pos])
			}
		case '\n':
			l.line++
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return "", &SyntaxError{Line: first, Text: "a string that does not end"}
}

// multiline reads "text:" strings up to the line with a single dot.
func (l *lexer) multiline() (string, error) {
	first := l.line
	nl := bytes.IndexByte(l.in[l.pos:], '\n')
	if nl < 0 {
		return "", l.fail("text: without lines")
	}
	if rest := bytes.TrimSpace(l.in[l.pos : l.pos+nl]); len(rest) > 0 && rest[0] != '#' {
		return "", l.fail("text: must end its line")
	}
	l.pos += nl + 1
	l.line++
	var b strings.Builder
	for l.pos < len(l.in) {
		end := bytes.IndexByte(l.in[l.pos:], '\n')
		if end < 0 {
			end = len(l.in) - l.pos - 1
		}
		line := l.in[l.pos : l.pos+end+1]
		l.pos += end + 1
		l.line += bytes.Count(line, []byte("\n"))
		if string(bytes.TrimRight(line, "\r\n")) == "." {
			return b.String(), nil
		}
		b.Write(bytes.TrimPrefix(line, []byte(".")))
	}
	return "", &SyntaxError{Line: first, Text: "text: without the line with a dot that ends it"}
}

func (l *lexer) word() string {
	start := l.pos
	for l.pos < len(l.in) && (isWord(l.in[l.pos]) || isDigit(l.in[l.pos])) {
		l.pos++
	}
	return string(l.in[start:l.pos])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || c == '.' || c == '-' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
