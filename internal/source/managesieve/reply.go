package managesieve

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxString bounds a string that the server sends: scripts are text.
const maxString = 16 << 20

// maxStrings bounds the lines of one reply.
const maxStrings = 100_000

var errSyntax = errors.New("not ManageSieve")

// word is an atom or a string of a reply.
type word struct {
	text   string
	quoted bool // a string, not an atom
}

// readLine reads one line of words; strings may span several lines on the
// wire (RFC 5804 §4).
func readLine(r *bufio.Reader) ([]word, error) {
	var words []word
	for {
		c, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		switch c {
		case ' ':
		case '\r':
			if c, err = r.ReadByte(); err != nil {
				return nil, err
			}
			if c != '\n' {
				return nil, fmt.Errorf("%w: CR without LF", errSyntax)
			}
			return words, nil
		case '"':
			s, err := readQuoted(r)
			if err != nil {
				return nil, err
			}
			words = append(words, word{s, true})
		case '{':
			s, err := readLiteral(r)
			if err != nil {
				return nil, err
			}
			words = append(words, word{s, true})
		default:
			if err := r.UnreadByte(); err != nil {
				return nil, err
			}
			s, err := readAtom(r)
			if err != nil {
				return nil, err
			}
			words = append(words, word{s, false})
		}
		if len(words) > 64 {
			return nil, fmt.Errorf("%w: a line of more than 64 words", errSyntax)
		}
	}
}

func readQuoted(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for b.Len() < maxString {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		switch c {
		case '"':
			return b.String(), nil
		case '\\':
			if c, err = r.ReadByte(); err != nil {
				return "", err
			}
		case '\r', '\n':
			return "", fmt.Errorf("%w: a line ends in a quoted string", errSyntax)
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("%w: a string without end", errSyntax)
}

func readLiteral(r *bufio.Reader) (string, error) {
	var digits []byte
	for {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '}' {
			break
		}
		if digits = append(digits, c); len(digits) > 11 {
			return "", fmt.Errorf("%w: a literal's size", errSyntax)
		}
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(string(digits), "+"), 10, 32)
	if err != nil || n > maxString {
		return "", fmt.Errorf("%w: a literal of %q octets", errSyntax, digits)
	}
	var end [2]byte
	if _, err := io.ReadFull(r, end[:]); err != nil {
		return "", err
	}
	if string(end[:]) != "\r\n" {
		return "", fmt.Errorf("%w: a literal that does not begin on its own line", errSyntax)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

func readAtom(r *bufio.Reader) (string, error) {
	var b strings.Builder
	depth := 0
	for b.Len() < 8<<10 {
		c, err := r.ReadByte()
		if err != nil {
			return "", err
		}
		// A response code in parentheses is one word, whatever is in it.
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth <= 0 && c == ' ', c == '\r', c == '\n':
			return b.String(), r.UnreadByte()
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("%w: a word without end", errSyntax)
}

// reply is what the server answers to one command.
type reply struct {
	lines  [][]word
	status string // OK, NO or BYE
	text   string
}

func readReply(r *bufio.Reader) (reply, error) {
	var out reply
	for len(out.lines) < maxStrings {
		words, err := readLine(r)
		if err != nil {
			return out, err
		}
		if len(words) > 0 && !words[0].quoted {
			switch s := strings.ToUpper(words[0].text); s {
			case "OK", "NO", "BYE":
				out.status = s
				var text []string
				for _, w := range words[1:] {
					text = append(text, w.text)
				}
				out.text = strings.Join(text, " ")
				return out, nil
			}
		}
		out.lines = append(out.lines, words)
	}
	return out, fmt.Errorf("%w: a reply without end", errSyntax)
}
