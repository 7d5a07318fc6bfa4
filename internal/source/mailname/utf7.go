package mailname

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf7 is the base64 alphabet of modified UTF-7 (RFC 3501 §5.1.3).
var utf7 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

var errUTF7 = errors.New("not modified UTF-7")

// Decode turns a name on disk into UTF-8. Bytes above 0x7f mean that the
// server writes UTF-8; a name that is neither stays as it is, with what is
// no UTF-8 replaced.
func Decode(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return strings.ToValidUTF8(s, "\uFFFD")
		}
	}
	if d, err := DecodeUTF7(s); err == nil {
		return d
	}
	return s
}

// DecodeUTF7 decodes modified UTF-7.
func DecodeUTF7(s string) (string, error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			b.WriteString(s)
			return b.String(), nil
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		j := strings.IndexByte(s, '-')
		if j < 0 {
			return "", errUTF7
		}
		shifted := s[:j]
		s = s[j+1:]
		if shifted == "" {
			b.WriteByte('&')
			continue
		}
		raw, err := utf7.DecodeString(shifted)
		if err != nil || len(raw)%2 != 0 {
			return "", errUTF7
		}
		units := make([]uint16, len(raw)/2)
		for k := range units {
			units[k] = uint16(raw[2*k])<<8 | uint16(raw[2*k+1])
		}
		for _, r := range utf16.Decode(units) {
			if r == utf8.RuneError || r == 0 {
				return "", errUTF7
			}
			b.WriteRune(r)
		}
	}
}

// EncodeUTF7 writes modified UTF-7 (RFC 3501 §5.1.3).
func EncodeUTF7(s string) string {
	var b strings.Builder
	var run []rune
	flush := func() {
		if len(run) == 0 {
			return
		}
		var raw []byte
		for _, r := range run {
			if r > 0xffff {
				r -= 0x10000
				raw = append(raw, byte(0xd8|r>>18), byte(r>>10), byte(0xdc|r>>8&3), byte(r))
			} else {
				raw = append(raw, byte(r>>8), byte(r))
			}
		}
		b.WriteString("&" + utf7.EncodeToString(raw) + "-")
		run = nil
	}
	for _, r := range s {
		switch {
		case r == '&':
			flush()
			b.WriteString("&-")
		case r >= 0x20 && r < 0x7f:
			flush()
			b.WriteRune(r)
		default:
			run = append(run, r)
		}
	}
	flush()
	return b.String()
}
