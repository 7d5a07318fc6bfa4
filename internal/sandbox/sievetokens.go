package sandbox

import "strings"

// sieveTokens splits a script (RFC 5228 §8.1).
func sieveTokens(src string) ([]sieveToken, error) {
	var out []sieveToken
	line := 1
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '#':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case strings.HasPrefix(src[i:], "/*"):
			end := strings.Index(src[i+2:], "*/")
			if end < 0 {
				return nil, sieveErr(line, "Unterminated comment")
			}
			line += strings.Count(src[i:i+2+end], "\n")
			i += end + 4
		case c == '"':
			text, n, err := quotedString(src[i:], line)
			if err != nil {
				return nil, err
			}
			out = append(out, sieveToken{'"', text, line})
			line += strings.Count(src[i:i+n], "\n")
			i += n
		case isAlpha(c):
			start := i
			for i < len(src) && (isAlpha(src[i]) || src[i] >= '0' && src[i] <= '9') {
				i++
			}
			word := src[start:i]
			if strings.EqualFold(word, "text") && i < len(src) && src[i] == ':' {
				text, n, ok := multiLine(src[i+1:])
				if !ok {
					return nil, sieveErr(line, "Unterminated multi-line string")
				}
				out = append(out, sieveToken{'"', text, line})
				line += strings.Count(src[i:i+1+n], "\n")
				i += 1 + n
				continue
			}
			out = append(out, sieveToken{'i', word, line})
		case c == ':':
			start := i
			i++
			for i < len(src) && (isAlpha(src[i]) || src[i] >= '0' && src[i] <= '9') {
				i++
			}
			if i == start+1 {
				return nil, sieveErr(line, "Expected tag after ':'")
			}
			out = append(out, sieveToken{':', src[start:i], line})
		case c >= '0' && c <= '9':
			start := i
			for i < len(src) && src[i] >= '0' && src[i] <= '9' {
				i++
			}
			if i < len(src) && strings.IndexByte("kKmMgG", src[i]) >= 0 {
				i++
			}
			out = append(out, sieveToken{'0', src[start:i], line})
		case strings.IndexByte("[](){},;", c) >= 0:
			out = append(out, sieveToken{c, string(c), line})
			i++
		default:
			return nil, sieveErr(line, "Unexpected character %q", c)
		}
	}
	return out, nil
}

func isAlpha(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func quotedString(src string, line int) (text string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(src); i++ {
		switch src[i] {
		case '"':
			return b.String(), i + 1, nil
		case '\\':
			if i++; i < len(src) {
				b.WriteByte(src[i])
			}
		default:
			b.WriteByte(src[i])
		}
	}
	return "", 0, sieveErr(line, "Unterminated string")
}

// multiLine reads what follows "text:" up to the line with a single dot.
func multiLine(src string) (text string, n int, ok bool) {
	first := strings.IndexByte(src, '\n')
	if first < 0 {
		return "", 0, false
	}
	if head := strings.TrimSpace(src[:first]); head != "" && head[0] != '#' {
		return "", 0, false
	}
	pos := first + 1
	for pos < len(src) {
		end := strings.IndexByte(src[pos:], '\n')
		whole := src[pos:]
		next := len(src)
		if end >= 0 {
			whole, next = src[pos:pos+end], pos+end+1
		}
		if strings.TrimSuffix(whole, "\r") == "." {
			return src[first+1 : pos], next, true
		}
		pos = next
	}
	return "", 0, false
}
