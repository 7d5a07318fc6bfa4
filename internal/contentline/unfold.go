package contentline

import (
	"bytes"
	"regexp"
	"sync"
)

// logical is an unfolded line and where it began. It lies in the text that was
// read as long as nothing was joined to it, else in the unfolding's memory.
type logical struct {
	octets []byte
	line   int
	joined bool
}

// unfolding is the memory of one reading; it is used again.
type unfolding struct {
	all    []logical
	joined []byte // what was folded, one line behind the other
}

var unfoldings = sync.Pool{New: func() any { return &unfolding{} }}

// maxKept bounds what is kept to be used again, in octets.
const maxKept = 1 << 20

func (u *unfolding) release() {
	clear(u.all)
	u.all, u.joined = u.all[:0], u.joined[:0]
	if cap(u.joined) <= maxKept && cap(u.all) <= maxKept/64 {
		unfoldings.Put(u)
	}
}

// unfold joins what was folded (RFC 5545 §3.1), octet by octet, so that a
// character that a fold has cut comes together again. It also joins the soft
// line ends of quoted-printable (vCard 2.1 §2.1.3) and base64 that was written
// without indentation.
func (u *unfolding) unfold(raw []byte, remark func(code, text string, line int)) {
	sep := byte('\n')
	if bytes.IndexByte(raw, sep) < 0 && bytes.IndexByte(raw, '\r') >= 0 {
		sep = '\r'
		remark(CodeFolding, "its lines end with CR alone", 0)
	}
	blank := 0
	number := 0
	for at := 0; at <= len(raw); {
		number++
		p := raw[at:]
		if n := bytes.IndexByte(p, sep); n >= 0 {
			p = p[:n]
		}
		at += len(p) + 1
		for len(p) > 0 && p[len(p)-1] == '\r' {
			p = p[:len(p)-1]
		}
		last := len(u.all) - 1
		if last >= 0 && softEnd(u.all[last].octets) {
			u.join(1, p)
			continue
		}
		if len(p) == 0 {
			blank++
			continue
		}
		if last >= 0 && (p[0] == ' ' || p[0] == '\t') {
			if blank > 0 && len(bytes.TrimSpace(p)) > 0 {
				remark(CodeFolding, "a blank line stood inside a folded line; joined", number)
			}
			blank = 0
			u.join(0, p[1:])
			continue
		}
		if last >= 0 && blank == 0 && onlyBase64(p) && inBase64(u.all[last].octets) {
			remark(CodeFolding, "base64 went on without indentation; joined", number)
			u.join(0, p)
			continue
		}
		blank = 0
		u.all = append(u.all, logical{octets: p, line: number})
	}
}

// join drops octets from the end of the last line and appends others.
func (u *unfolding) join(drop int, more []byte) {
	last := &u.all[len(u.all)-1]
	if !last.joined {
		u.joined = append(u.joined, last.octets...)
		last.joined = true
	}
	start := len(u.joined) - len(last.octets)
	u.joined = append(u.joined[:len(u.joined)-drop], more...)
	last.octets = u.joined[start:]
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
