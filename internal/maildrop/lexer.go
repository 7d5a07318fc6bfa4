package maildrop

import (
	"fmt"
	"strings"
)

// kind is a kind of token.
type kind uint8

const (
	kindEnd     kind = iota
	kindBreak        // end of line, or ";"
	kindWord         // without quotes; variables are put in
	kindText         // in double quotes; variables are put in
	kindRaw          // in single quotes
	kindCommand      // in back-ticks
	kindPattern      // "/…/:options"
	kindSign         // anything else
)

type token struct {
	kind kind
	text string // without quotes; of a pattern all of it
	line int    // from 1
	at   int    // offset
	end  int    // offset behind it
}

// SyntaxError is what is no filter.
type SyntaxError struct {
	Line    int // from 1
	Message string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

type lexer struct {
	src  string
	at   int
	line int
	last token
}

// signs, the longer ones first.
var signs = []string{"&&", "||", "==", "!=", "<=", ">=", "=~", "{", "}", "(", ")", "<", ">", "=", "!", ",", "+", "*", "~", "&", "|"}

func isWord(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("_-@.:/$", c) >= 0:
		return true
	}
	return !first && (c == '{' || c == '}')
}

// next returns the next token; several ends of lines are one.
func (l *lexer) next() (token, error) {
	for {
		t, err := l.token()
		if err != nil {
			return t, err
		}
		if t.kind == kindBreak && l.last.kind == kindBreak {
			continue
		}
		l.last = t
		return t, nil
	}
}

func (l *lexer) token() (token, error) {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '\n' || c == ';':
			t := token{kind: kindBreak, line: l.line, at: l.at, end: l.at + 1}
			l.skip(1)
			return t, nil
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v':
			l.skip(1)
		case c == '#':
			l.skip(len(upToLineEnd(l.src[l.at:])))
		case c == '\\':
			rest := upToLineEnd(l.src[l.at:])
			if len(rest) == 1 || !strings.ContainsRune(" \t\r", rune(rest[1])) && l.at+1 < len(l.src) && l.src[l.at+1] != '\n' {
				if l.at+1 >= len(l.src) || l.src[l.at+1] != '\n' {
					return token{}, l.fail("a backslash that does not continue a line")
				}
			}
			l.skip(min(len(rest)+1, len(l.src)-l.at))
		default:
			return l.lexeme(c)
		}
	}
	return token{kind: kindEnd, line: l.line, at: l.at, end: l.at}, nil
}

func upToLineEnd(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func (l *lexer) skip(n int) {
	n = min(n, len(l.src)-l.at)
	l.line += strings.Count(l.src[l.at:l.at+n], "\n")
	l.at += n
}

func (l *lexer) fail(format string, args ...any) error {
	return &SyntaxError{l.line, fmt.Sprintf(format, args...)}
}

func (l *lexer) lexeme(c byte) (token, error) {
	t := token{line: l.line, at: l.at}
	var err error
	switch {
	case c == '"' || c == '\'' || c == '`':
		t.kind = map[byte]kind{'"': kindText, '\'': kindRaw, '`': kindCommand}[c]
		t.text, err = l.quoted(c)
	case c == '/' && !l.wantsText():
		if l.at+1 >= len(l.src) || strings.IndexByte(" \t\r\n", l.src[l.at+1]) >= 0 {
			t.kind, t.text = kindSign, "/"
			l.skip(1)
			break
		}
		t.kind = kindPattern
		t.text, err = l.pattern()
	case isWord(c, true):
		n := 1
		for l.at+n < len(l.src) && isWord(l.src[l.at+n], false) {
			n++
		}
		t.kind, t.text = kindWord, l.src[l.at:l.at+n]
		l.skip(n)
	default:
		for _, s := range signs {
			if strings.HasPrefix(l.src[l.at:], s) {
				t.kind, t.text = kindSign, s
				l.skip(len(s))
				break
			}
		}
		if t.kind != kindSign {
			err = l.fail("%q has no meaning here", string(c))
		}
	}
	t.end = l.at
	return t, err
}

// wantsText reports whether a slash begins a path here, and no pattern.
func (l *lexer) wantsText() bool {
	return l.last.kind == kindSign && l.last.text == "=" || l.last.kind == kindWord && (l.last.text == "to" || l.last.text == "cc")
}

// quoted reads a text in quotes. A backslash hides only the quote and itself,
// and at the end of a line the line end with the blanks that follow.
func (l *lexer) quoted(quote byte) (string, error) {
	var b strings.Builder
	for l.skip(1); l.at < len(l.src); l.skip(1) {
		switch c := l.src[l.at]; {
		case c == quote:
			l.skip(1)
			return b.String(), nil
		case c == '\n':
			return "", l.fail("the quote %c does not end in its line", quote)
		case c == '\\' && l.at+1 < len(l.src):
			next := l.src[l.at+1]
			if next == quote || next == '\\' {
				b.WriteByte(next)
				l.skip(1)
				break
			}
			if rest := strings.TrimLeft(upToLineEnd(l.src[l.at+1:]), " \t\r"); rest == "" || rest[0] == '#' {
				l.skip(len(upToLineEnd(l.src[l.at:])))
				for l.at+1 < len(l.src) && strings.IndexByte(" \t\r\n", l.src[l.at+1]) >= 0 {
					l.skip(1)
				}
				break
			}
			b.WriteByte('\\')
		default:
			b.WriteByte(c)
		}
	}
	return "", l.fail("the quote %c does not end", quote)
}

// pattern reads "/…/" and the options behind it.
func (l *lexer) pattern() (string, error) {
	from := l.at
	for l.skip(1); l.at < len(l.src) && l.src[l.at] != '/'; l.skip(1) {
		if l.src[l.at] == '\\' && l.at+1 < len(l.src) {
			l.skip(1)
		}
		if l.src[l.at] == '\n' {
			break
		}
	}
	if l.at >= len(l.src) || l.src[l.at] != '/' {
		return "", l.fail("the pattern does not end in its line")
	}
	l.skip(1)
	if l.at < len(l.src) && l.src[l.at] == ':' {
		for l.skip(1); l.at < len(l.src) && (isWord(l.src[l.at], true) && strings.IndexByte("_@:/$", l.src[l.at]) < 0 || l.src[l.at] == ',' || l.src[l.at] == '+'); {
			l.skip(1)
		}
	}
	return l.src[from:l.at], nil
}
