package contentline

import (
	"bytes"
	"regexp"
	"slices"
)

// logical is an unfolded line and where it began.
type logical struct {
	octets []byte
	line   int
}

// begins matches what a content line begins with: a name, perhaps behind a
// group. Clients have written underscores and slashes in names.
var begins = regexp.MustCompile(`^\s*[A-Za-z0-9][A-Za-z0-9_./-]*[;:]`)

var onlyBase64 = regexp.MustCompile(`^[A-Za-z0-9+/]+={0,2}$`)

// unfold joins what was folded (RFC 5545 §3.1), octet by octet, so that a
// character that a fold has cut comes together again. It also joins the soft
// line ends of quoted-printable (vCard 2.1 §2.1.3) and base64 that was written
// without indentation.
func unfold(raw []byte, remark func(code, text string, line int)) []logical {
	sep := []byte("\n")
	if !bytes.Contains(raw, sep) && bytes.Contains(raw, []byte("\r")) {
		sep = []byte("\r")
		remark(CodeFolding, "its lines end with CR alone", 0)
	}
	var all []logical
	blank := 0
	number := 0
	for p := range bytes.SplitSeq(raw, sep) {
		number++
		p = bytes.TrimRight(p, "\r")
		var last *logical
		if len(all) > 0 {
			last = &all[len(all)-1]
		}
		if last != nil && softEnd(last.octets) {
			last.octets = join(last.octets[:len(last.octets)-1], p)
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
			last.octets = join(last.octets, p[1:])
			continue
		}
		if last != nil && blank == 0 && inBase64(last.octets) && onlyBase64.Match(p) {
			remark(CodeFolding, "base64 went on without indentation; joined", number)
			last.octets = join(last.octets, p)
			continue
		}
		blank = 0
		all = append(all, logical{bytes.Clone(p), number})
	}
	return all
}

// join appends, and makes room for as much again where there is none: photos are
// folded into a thousand lines.
func join(b, more []byte) []byte {
	if cap(b)-len(b) < len(more) {
		b = slices.Grow(b, max(len(b), len(more)))
	}
	return append(b, more...)
}

// softEnd: quoted-printable that goes on in the next line.
func softEnd(b []byte) bool {
	if len(b) == 0 || b[len(b)-1] != '=' {
		return false
	}
	return saysQuotedPrintable.Match(b[:len(head(b))+1])
}

var saysQuotedPrintable = regexp.MustCompile(`(?i);\s*(ENCODING\s*=\s*)?"?QUOTED-PRINTABLE"?\s*[;:]`)

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
