package table

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// maxLine is far above any list of addresses in one entry, in octets.
const maxLine = 16 << 20

// ReadText reads the source of a table as postmap does (postmap(1)): a line
// that begins with a blank continues the one before, lines of blanks or
// beginning with # do not count, the key ends at the first blank outside quotes. Lines without a value are told in problems and
// left out.
func ReadText(r io.Reader) (entries []Entry, problems []string, err error) {
	for number, line := range logicalLines(r, &err) {
		key, value := cutKey(line)
		value = strings.TrimSpace(value)
		switch {
		case key == "":
			problems = append(problems, fmt.Sprintf("line %d has an empty key", number))
			continue
		case value == "":
			problems = append(problems, fmt.Sprintf("line %d: %q leads to nothing", number, key))
			continue
		}
		entries = append(entries, Entry{key, value})
	}
	return entries, problems, err
}

// cutKey takes the key off a line: up to the first blank that is not in quotes.
// The quotes stay, for keys are compared as addresses are written:
// "with blank"@acme.test.
func cutKey(line string) (key, rest string) {
	in := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case in && c == '\\':
			i++
		case c == '"' && (in || i == 0): // quotes begin a key, or are none
			in = !in
		case !in && (c == ' ' || c == '\t'):
			return line[:i], line[i:]
		}
	}
	return line, ""
}

// ReadAliases reads the source of a table of aliases(5): "name: value, value",
// where the name may be in quotes.
func ReadAliases(r io.Reader) (entries []Entry, problems []string, err error) {
	for number, line := range logicalLines(r, &err) {
		key, rest, ok := cutName(line)
		value := strings.TrimSpace(rest)
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("line %d has no colon: write name: value", number))
			continue
		case key == "" || value == "":
			problems = append(problems, fmt.Sprintf("line %d: %q leads to nothing", number, key))
			continue
		}
		entries = append(entries, Entry{key, value})
	}
	return entries, problems, err
}

// cutName takes the name and the colon off a line of aliases(5).
func cutName(line string) (name, rest string, ok bool) {
	if strings.HasPrefix(line, `"`) {
		n, text := Quoted(line)
		name, rest = text, line[n:]
		rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t"), ":")
		return name, rest, ok
	}
	name, rest, ok = strings.Cut(line, ":")
	return strings.TrimSpace(name), rest, ok
}

// Quoted reads a text in quotes at the beginning of s: how long it is, and
// what is in it.
func Quoted(s string) (length int, text string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case '"':
			return i + 1, b.String()
		default:
			b.WriteByte(s[i])
		}
	}
	return len(s), b.String()
}

// logicalLines yields lines with their continuations and the number of their
// first one. A line of comment does not end the one before (postconf(5)).
func logicalLines(r io.Reader, failed *error) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		in := bufio.NewScanner(r)
		in.Buffer(make([]byte, 64<<10), maxLine)
		current, first := "", 0
		for number := 1; in.Scan(); number++ {
			line := strings.TrimRight(in.Text(), "\r\n")
			trimmed := strings.TrimSpace(line)
			if trimmed == "" || trimmed[0] == '#' {
				continue
			}
			if line[0] == ' ' || line[0] == '\t' {
				if first > 0 {
					current += line
				}
				continue
			}
			if first > 0 && !yield(first, current) {
				return
			}
			current, first = line, number
		}
		if err := in.Err(); err != nil {
			*failed = fmt.Errorf("line %d and following: %w", first+1, err)
			return
		}
		if first > 0 {
			yield(first, current)
		}
	}
}

// LogicalLines yields the lines of a file in the syntax that all of Postfix's
// files share, continuations joined, with the number of their first line. The
// sequence ends at a failure of r, which is then in failed.
func LogicalLines(r io.Reader, failed *error) func(yield func(int, string) bool) {
	return logicalLines(r, failed)
}
