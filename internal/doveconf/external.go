package doveconf

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// ParseExternal reads a file that Dovecot 2.3 keeps beside its configuration,
// as dovecot-sql.conf.ext and dovecot-ldap.conf.ext: lines of "key = value",
// where a backslash at the end continues a line and a # outside of quotes
// begins a comment. name is the file's, for errors, which are model.Faults of
// model.ClassFatal.
func ParseExternal(r io.Reader, name string) (*Block, error) {
	b := &Block{}
	in := bufio.NewReader(r)
	pending := ""
	for n := 1; ; n++ {
		raw, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, model.Faultf(model.ClassFatal, "doveconf", "cannot read %s: %w", name, err)
		}
		line := strings.TrimSpace(raw)
		if (line == "" || line[0] == '#') && err == nil {
			continue // in the midst of a continued line, too
		}
		line = strings.TrimSpace(uncomment(line))
		if rest, ok := strings.CutSuffix(line, `\`); ok && err == nil {
			pending += rest + " "
			continue
		}
		line = strings.TrimSpace(pending + line)
		pending = ""
		if line != "" {
			if strings.HasPrefix(line, "!") {
				return nil, model.Faultf(model.ClassFatal, "doveconf", "%s:%d: %q is not followed: put the files together", name, n, line)
			}
			key, text, ok := strings.Cut(line, "=")
			if key = strings.TrimSpace(key); !ok || key == "" || strings.ContainsAny(key, " \t") {
				return nil, model.Faultf(model.ClassFatal, "doveconf", "%s:%d: a line is neither a setting (key = value) nor a comment", name, n)
			}
			b.Values = append(b.Values, Value{key, unquoteAll(strings.TrimSpace(text))})
		}
		if err != nil {
			return b, nil
		}
	}
}

// uncomment cuts a line at a # outside of quotes. A quote that does not end
// is none.
func uncomment(line string) string {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case '\'', '"':
			end := i + 1
			for end < len(line) && line[end] != c {
				if line[end] == '\\' && end+1 < len(line) {
					end++
				}
				end++
			}
			if end >= len(line) {
				return line
			}
			i = end
		case '#':
			return line[:i]
		}
	}
	return line
}

// unquoteAll removes the quotes around a whole value.
func unquoteAll(s string) string {
	if len(s) < 2 || s[0] != '"' && s[0] != '\'' || s[len(s)-1] != s[0] {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i+1 < len(s)-1 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
