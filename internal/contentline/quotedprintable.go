package contentline

import (
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"
)

// IsQuotedPrintable: the value is in quoted-printable, as vCard 2.1 and
// vCalendar 1.0 have it and nothing later.
func (l Line) IsQuotedPrintable() bool {
	is := func(v string) bool { return strings.EqualFold(strings.TrimSpace(v), "QUOTED-PRINTABLE") }
	return slices.ContainsFunc(l.Param("ENCODING"), is) || slices.ContainsFunc(l.Param(""), is)
}

// QuotedPrintable undoes RFC 2045 §6.7, leniently. The text has LF for line
// ends; control characters are left out and counted. It is not ok where
// something had no meaning in that character set.
func QuotedPrintable(s, charset string) (text string, controls int, ok bool) {
	b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(s)))
	if err != nil {
		b = looseQuotedPrintable(s)
	}
	text, ok = Decode(b, charset)
	text, controls = Printable(strings.ReplaceAll(text, "\r\n", "\n"))
	return text, controls, ok && err == nil
}

// looseQuotedPrintable keeps what is no code as it stands.
func looseQuotedPrintable(s string) []byte {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '=' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return b
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
