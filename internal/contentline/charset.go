package contentline

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"

	"mailhaul.org/mailhaul/internal/plural"
)

// Encoded is the name of the character set that octets are in, as far as it
// can be told for the whole of a text: "utf-16le" and "utf-16be" by their
// mark or by their NULs; else "", which means UTF-8 with, perhaps, lines in
// something older.
func encoded(raw []byte) string {
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		return "utf-16le"
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return "utf-16be"
	case len(raw) >= 6 && raw[1] == 0 && raw[3] == 0 && raw[5] == 0 && raw[0] != 0 && raw[2] != 0:
		return "utf-16le"
	case len(raw) >= 6 && raw[0] == 0 && raw[2] == 0 && raw[4] == 0 && raw[1] != 0 && raw[3] != 0:
		return "utf-16be"
	}
	return ""
}

// whole turns UTF-16 into UTF-8 and drops a byte order mark.
func whole(raw []byte, remark func(code, text string, line int)) []byte {
	switch set := encoded(raw); set {
	case "utf-16le", "utf-16be":
		units := make([]uint16, 0, len(raw)/2+1)
		for i := 0; i+1 < len(raw); i += 2 {
			if set == "utf-16le" {
				units = append(units, uint16(raw[i])|uint16(raw[i+1])<<8)
			} else {
				units = append(units, uint16(raw[i+1])|uint16(raw[i])<<8)
			}
		}
		text := "was in " + strings.ToUpper(set) + "; written in UTF-8"
		if len(raw)%2 == 1 {
			text += "; half a character at its end is gone"
		}
		remark(CodeCharset, text, 0)
		return []byte(strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff"))
	}
	if out, ok := bytes.CutPrefix(raw, []byte("\xef\xbb\xbf")); ok {
		remark(CodeCharset, "began with a byte order mark, which is left out", 0)
		return out
	}
	return raw
}

// text returns one logical line in UTF-8. A line that mostly is UTF-8 keeps
// what is, and gets U+FFFD for what is damaged; any other is taken for
// windows-1252, which has a character for nearly every octet and contains
// what ISO 8859-1 prints.
func text(b []byte, line int, remark func(code, text string, line int)) string {
	if utf8.Valid(b) {
		return string(b)
	}
	good, bad := 0, 0
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		rest = rest[n:]
	}
	if good > 0 && bad <= 2*good {
		remark(CodeCharset, fmt.Sprintf("%s damaged UTF-8; U+FFFD stands for %s", plural.Count(bad, "octet")+plural.Of(bad, " is", " are"), plural.Of(bad, "it", "them")), line)
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	remark(CodeCharset, "was not UTF-8; taken for windows-1252", line)
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	return string(out)
}

// Decode turns octets in a named character set (RFC 2426 §4 and vCard 2.1
// write CHARSET=…) into UTF-8. Without a name, or with one that nobody knows,
// they are UTF-8 if they can be, else windows-1252; ok tells whether the name
// was known and all octets had a meaning.
func Decode(b []byte, charset string) (s string, ok bool) {
	if charset != "" && !strings.EqualFold(charset, "utf-8") {
		if enc, err := htmlindex.Get(charset); err == nil {
			if out, err := enc.NewDecoder().Bytes(b); err == nil {
				return string(out), !bytes.ContainsRune(out, utf8.RuneError)
			}
		}
	}
	if utf8.Valid(b) {
		return string(b), true
	}
	return text(b, 0, func(string, string, int) {}), false
}
