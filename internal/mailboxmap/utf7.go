package mailboxmap

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	utf7    = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)
	errUTF7 = errors.New("not modified UTF-7")
)

// DecodeUTF7 decodes a mailbox name in modified UTF-7 (RFC 3501 §5.1.3), as
// old scripts write it.
func DecodeUTF7(name string) (string, error) {
	parts := strings.Split(name, "&")
	var b strings.Builder
	b.WriteString(parts[0])
	for _, p := range parts[1:] {
		shifted, plain, ok := strings.Cut(p, "-")
		if !ok {
			return "", errUTF7
		}
		raw, err := utf7.DecodeString(shifted)
		if err != nil || len(raw)%2 != 0 {
			return "", errUTF7
		}
		if len(raw) == 0 {
			b.WriteByte('&')
		}
		units := make([]uint16, 0, len(raw)/2)
		for i := 0; i < len(raw); i += 2 {
			units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
		}
		for _, r := range utf16.Decode(units) {
			if r == utf8.RuneError || r < ' ' {
				return "", errUTF7
			}
			b.WriteRune(r)
		}
		b.WriteString(plain)
	}
	return b.String(), nil
}
