package dav

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// mended gives a server's listing without what no XML may have (XML 1.0 §2.2,
// §4.1) and some servers let through in names: control characters, as they are
// or as references, text that is not UTF-8, signs of "and" that begin no
// reference. One such name would hide all others. What is not UTF-8 is taken for
// windows-1252, as in objects. Objects are not mended: they come by GET instead,
// octet by octet.
type mended struct {
	r *bufio.Reader
	// foreign: the text is declared to be in another encoding than UTF-8.
	foreign bool
	cdata   bool
	out     []byte // what comes next
}

// lookahead is the most octets that are looked at to tell what to do with one.
const lookahead = 256

var declared = regexp.MustCompile(`^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\sencoding\s*=\s*["']([^"']+)["']`)

func mend(r io.Reader) io.Reader {
	m := &mended{r: bufio.NewReaderSize(r, 32<<10)}
	head, _ := m.r.Peek(lookahead) // an error comes again with the octets
	if d := declared.FindSubmatch(head); d != nil {
		m.foreign = !bytes.EqualFold(d[1], []byte("utf-8")) && !bytes.EqualFold(d[1], []byte("utf8"))
	}
	return m
}

// Read implements io.Reader.
func (m *mended) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(m.out) > 0 {
			k := copy(p[n:], m.out)
			m.out = m.out[k:]
			n += k
			continue
		}
		c, err := m.r.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		if c >= ' ' && c < 0x80 && c != '&' && c != '<' && c != ']' {
			p[n] = c
			n++
		} else {
			m.out = m.special(c)
		}
		if n > 0 && m.r.Buffered() == 0 && len(m.out) == 0 {
			return n, nil // what follows may take its time
		}
	}
	return n, nil
}

var (
	space       = []byte(" ")
	replacement = []byte("\ufffd")
)

// special is what stands for an octet that may need mending.
func (m *mended) special(c byte) []byte {
	switch {
	case c == '\t', c == '\n', c == '\r':
	case c < ' ':
		return space
	case c == '<' && m.follows("![CDATA["):
		m.cdata = true
	case c == ']' && m.cdata && m.follows("]>"):
		m.cdata = false
	case c == '&' && !m.cdata:
		return m.reference()
	case c >= 0x80 && !m.foreign:
		return m.character(c)
	}
	return []byte{c}
}

func (m *mended) follows(text string) bool {
	b, _ := m.r.Peek(len(text))
	return string(b) == text
}

// begins is what a reference looks like behind its "&".
var begins = regexp.MustCompile(`^(?:#[0-9]{1,8};|#[xX][0-9a-fA-F]{1,7};|[A-Za-z][A-Za-z0-9]{1,31};)`)

// reference leaves one as it is, unless it names a character that no XML has.
// Its "&" has been read.
func (m *mended) reference() []byte {
	b, _ := m.r.Peek(40)
	name := begins.Find(b)
	if name == nil {
		return []byte("&amp;")
	}
	if name[0] == '#' && !legal(codePoint(name[1:len(name)-1])) {
		_, _ = m.r.Discard(len(name)) // it was peeked
		return space
	}
	return []byte("&")
}

// codePoint is that of "65" or "x41".
func codePoint(digits []byte) (r rune) {
	base := rune(10)
	if digits[0] == 'x' || digits[0] == 'X' {
		base, digits = 16, digits[1:]
	}
	for _, d := range digits {
		switch {
		case d >= 'a':
			d -= 'a' - 10
		case d >= 'A':
			d -= 'A' - 10
		default:
			d -= '0'
		}
		r = r*base + rune(d)
	}
	return r
}

// legal: XML 1.0 §2.2.
func legal(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= utf8.MaxRune
}

// character reads the rest of one that began with c.
func (m *mended) character(c byte) []byte {
	rest, _ := m.r.Peek(utf8.UTFMax - 1)
	whole := append([]byte{c}, rest...)
	r, n := utf8.DecodeRune(whole)
	if r == utf8.RuneError && n == 1 {
		return []byte(string(charmap.Windows1252.DecodeByte(c)))
	}
	_, _ = m.r.Discard(n - 1) // they were peeked
	if !legal(r) {
		return replacement
	}
	return whole[:n]
}
