package contentline

import (
	"bytes"
	"regexp"
	"slices"
)

// logical is an unfolded line and where it began. It lies in the text that was
// read as long as nothing was joined to it.
type logical struct {
	octets []byte
	line   int
	at     int  // where it lies in the text
	own    bool // it has memory of its own
}

// unfold joins what was folded (RFC 5545 §3.1), octet by octet, so that a
// character that a fold has cut comes together again. It also joins the soft
// line ends of quoted-printable (vCard 2.1 §2.1.3) and base64 that was written
// without indentation.
func unfold(raw []byte, remark func(code, text string, line int)) []logical {
	sep := byte('\n')
	if bytes.IndexByte(raw, sep) < 0 && bytes.IndexByte(raw, '\r') >= 0 {
		sep = '\r'
		remark(CodeFolding, "its lines end with CR alone", 0)
	}
	all := make([]logical, 0, min(bytes.Count(raw, []byte{sep})+1, 64))
	blank := 0
	number := 0
	for at, next := 0, 0; next <= len(raw); at = next {
		number++
		p := raw[at:]
		if n := bytes.IndexByte(p, sep); n >= 0 {
			p = p[:n]
		}
		next = at + len(p) + 1
		p = bytes.TrimRight(p, "\r")
		var last *logical
		if len(all) > 0 {
			last = &all[len(all)-1]
		}
		if last != nil && softEnd(last.octets) {
			last.octets = last.octets[:len(last.octets)-1]
			last.join(p, 0)
			continue
		}
		if len(p) == 0 {
			blank++
			continue
		}
		if last != nil && (p[0] == ' ' || p[0] == '\t') {
			if blank > 0 && len(bytes.TrimSpace(p)) > 0 {
				remark(CodeFolding, "a blank line stood inside a folded line; joined", number)
			}
			blank = 0
			last.join(p[1:], indented(raw, next))
			continue
		}
		if last != nil && blank == 0 && onlyBase64(p) && inBase64(last.octets) {
			remark(CodeFolding, "base64 went on without indentation; joined", number)
			last.join(p, 0)
			continue
		}
		blank = 0
		all = append(all, logical{octets: p, line: number, at: at})
	}
	return all
}

// indented is how many octets from at on are in lines that continue another.
// Photos are folded into a thousand of them.
func indented(raw []byte, at int) int {
	end := min(at, len(raw))
	for end < len(raw) && (raw[end] == ' ' || raw[end] == '\t') {
		n := bytes.IndexByte(raw[end:], '\n')
		if n < 0 {
			return len(raw) - at
		}
		end += n + 1
	}
	return end - min(at, len(raw))
}

// join appends to a line; room is how much else is known to follow.
func (l *logical) join(more []byte, room int) {
	if !l.own {
		l.octets = append(make([]byte, 0, len(l.octets)+len(more)+room), l.octets...)
		l.own = true
	}
	if cap(l.octets)-len(l.octets) < len(more) {
		l.octets = slices.Grow(l.octets, max(len(l.octets), len(more)))
	}
	l.octets = append(l.octets, more...)
}

// softEnd: quoted-printable that goes on in the next line.
func softEnd(b []byte) bool {
	if len(b) == 0 || b[len(b)-1] != '=' {
		return false
	}
	return saysQuotedPrintable.Match(b[:len(head(b))+1])
}

var saysQuotedPrintable = regexp.MustCompile(`(?i);\s*(ENCODING\s*=\s*)?"?QUOTED-PRINTABLE"?\s*[;:]`)

// onlyBase64: letters, digits, plus and slash, and at most two signs of equality
// at the end.
func onlyBase64(b []byte) bool {
	n := len(b)
	for end := max(n-2, 0); n > end && b[n-1] == '='; n-- {
	}
	for _, c := range b[:n] {
		if !isLetter(c) && !isDigit(c) && c != '+' && c != '/' {
			return false
		}
	}
	return n > 0
}

func inBase64(b []byte) bool {
	h := bytes.ToUpper(head(b))
	return bytes.Contains(h, []byte("ENCODING=B")) || bytes.Contains(h, []byte(";BASE64"))
}

// head is what comes before the value.
func head(b []byte) []byte {
	if i := bytes.IndexByte(b, ':'); i >= 0 {
		return b[:i]
	}
	return nil
}
