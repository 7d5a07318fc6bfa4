package courierconf

import (
	"bufio"
	"io"
	"regexp"
	"strings"
)

// assignment is a line of imapd and authdaemonrc, which sh reads.
var assignment = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)

// reference is a variable in a value.
var reference = regexp.MustCompile(`\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))`)

// parseShell reads the assignments of a file that sh would read, into those
// that it has read before. Of the shell's language this is what Courier's files
// use: quotes, and variables set further up. Other lines are skipped.
func parseShell(r io.Reader, into map[string]string) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, maxFile)
	for sc.Scan() {
		if m := assignment.FindStringSubmatch(sc.Text()); m != nil {
			into[m[1]] = shellWord(m[2], into)
		}
	}
	return sc.Err()
}

// shellWord is the first word of s, without its quotes.
func shellWord(s string, set map[string]string) string {
	var b strings.Builder
	for s != "" {
		switch c := s[0]; c {
		case '\'':
			text, rest, _ := strings.Cut(s[1:], "'")
			b.WriteString(text)
			s = rest
		case '"':
			end := 1
			for end < len(s) && s[end] != '"' {
				if s[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end, len(s))
			b.WriteString(expand(s[1:max(1, end)], set))
			s = s[min(end+1, len(s)):]
		case ' ', '\t', ';', '#', '&', '|':
			return b.String()
		default:
			end := 0
			for end < len(s) && !strings.ContainsRune("'\" \t;#&|", rune(s[end])) {
				if s[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end, len(s))
			b.WriteString(expand(s[:end], set))
			s = s[end:]
		}
	}
	return b.String()
}

// expand puts in what variables stand for, then what backslashes hide.
func expand(s string, set map[string]string) string {
	s = reference.ReplaceAllStringFunc(s, func(v string) string {
		return set[strings.Trim(v, "${}")]
	})
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
