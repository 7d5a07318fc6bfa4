package doveconf

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Settings are what doveconf printed.
type Settings struct {
	// Version is Dovecot's, "2.3.19.1"; File its configuration file. Both are
	// empty where the output does not begin with them.
	Version, File string
	// Complaint is what doveconf said against the configuration, or empty.
	Complaint string
	Block
}

// Block is a section, or the file as a whole.
type Block struct {
	Type string // "passdb", "inet_listener"; empty for the file
	Name string // "imaps"; empty in most of 2.3
	// Values are in the order of the output; of equal keys the last holds.
	Values []Value
	// Blocks are in the order of the output, which counts: Dovecot asks
	// passdbs one after the other.
	Blocks []*Block
}

// Value is a setting.
type Value struct{ Key, Text string }

// Get returns the last value of a key, "" when there is none.
func (b *Block) Get(key string) string {
	v, _ := b.Lookup(key)
	return v
}

// Lookup is Get, and whether the key is there at all.
func (b *Block) Lookup(key string) (string, bool) {
	for i := len(b.Values) - 1; i >= 0; i-- {
		if b.Values[i].Key == key {
			return b.Values[i].Text, true
		}
	}
	return "", false
}

// All returns the sections of a type.
func (b *Block) All(typ string) []*Block {
	var out []*Block
	for _, c := range b.Blocks {
		if c.Type == typ {
			out = append(out, c)
		}
	}
	return out
}

// maxDepth is more than sections are ever nested.
const maxDepth = 32

// Parse reads the output of doveconf -n or -a. An error names its line; it
// is a model.Fault of model.ClassFatal.
func Parse(r io.Reader) (Settings, error) {
	var s Settings
	open := []*Block{&s.Block}
	in := bufio.NewReader(r)
	next := func() (string, error) {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) && line != "" {
			err = nil
		}
		return strings.TrimRight(line, "\r\n"), err
	}
	for n := 1; ; n++ {
		raw, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, model.Faultf(model.ClassFatal, "doveconf", "cannot read doveconf's output: %w", err)
		}
		bad := func(format string, args ...any) error {
			return model.Faultf(model.ClassFatal, "doveconf", "doveconf's output, line %d: %s", n, fmt.Sprintf(format, args...))
		}
		line := strings.TrimSpace(raw)
		top := open[len(open)-1]
		switch {
		case line == "":
		case line[0] == '#':
			s.comment(line)
		case line[0] == '!':
			return s, bad("%q: give the output of doveconf -n, not dovecot.conf: only Dovecot follows includes", line)
		case line == "}":
			if len(open) == 1 {
				return s, bad("a } closes nothing")
			}
			open = open[:len(open)-1]
		case isSection(line):
			if len(open) == maxDepth {
				return s, bad("sections are nested more than %d deep", maxDepth)
			}
			b := section(strings.TrimSuffix(line, "{"))
			top.Blocks = append(top.Blocks, b)
			open = append(open, b)
		default:
			key, text, ok := strings.Cut(line, "=")
			if key = strings.TrimSpace(key); !ok || key == "" || strings.ContainsAny(key, " \t\"") {
				return s, bad("%q is neither a setting nor a section", line)
			}
			text = strings.TrimSpace(text)
			if end, ok := strings.CutPrefix(text, "<<"); ok && end != "" {
				var lines []string
				for {
					raw, err := next()
					if err != nil {
						return s, bad("the text of %s does not end: there is no %s", key, end)
					}
					n++
					if strings.TrimSpace(raw) == end {
						break
					}
					lines = append(lines, raw)
				}
				text = strings.Join(lines, "\n")
			} else {
				text = unquote(text)
			}
			top.Values = append(top.Values, Value{key, text})
		}
	}
	if len(open) > 1 {
		return s, model.Faultf(model.ClassFatal, "doveconf", "doveconf's output ends within the section %s %s", open[len(open)-1].Type, open[len(open)-1].Name)
	}
	return s, nil
}

// comment reads the first line, "# 2.3.19.1 (9b53102964): /etc/dovecot.conf".
func (s *Settings) comment(line string) {
	if s.Version != "" {
		return
	}
	words := strings.Fields(line[1:])
	if len(words) < 2 || !strings.HasPrefix(words[1], "(") || words[0][0] < '0' || words[0][0] > '9' {
		return
	}
	s.Version = words[0]
	if _, file, ok := strings.Cut(line, "): "); ok {
		s.File = strings.TrimSpace(file)
	}
}

// isSection reports whether a line opens a section: "name {" or `type "name" {`.
// A setting may end with { as well: "key = {".
func isSection(line string) bool {
	if !strings.HasSuffix(line, "{") {
		return false
	}
	word, rest, _ := strings.Cut(strings.TrimSuffix(line, "{"), " ")
	return !strings.Contains(word, "=") && !strings.HasPrefix(strings.TrimSpace(rest), "=")
}

func section(head string) *Block {
	typ, name, _ := strings.Cut(strings.TrimSpace(head), " ")
	return &Block{Type: typ, Name: unquote(strings.TrimSpace(name))}
}

// unquote removes quotes with their backslashes, or a comment after a value
// without quotes.
func unquote(s string) string {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		if strings.HasPrefix(s, "#") {
			return "" // "# hidden, use -P to show it"
		}
		s, _, _ = strings.Cut(s, " #")
		return strings.TrimSpace(s)
	}
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return b.String()
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return s // the quote does not end: it is part of the value
}
