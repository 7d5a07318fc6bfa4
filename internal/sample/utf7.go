package sample

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

var utf7Base64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// toUTF7 encodes a name in modified UTF-7 (RFC 3501 §5.1.3).
func toUTF7(name string) string {
	var out strings.Builder
	var shifted []rune
	flush := func() {
		if len(shifted) == 0 {
			return
		}
		var raw []byte
		for _, u := range utf16.Encode(shifted) {
			raw = append(raw, byte(u>>8), byte(u))
		}
		out.WriteString("&" + utf7Base64.EncodeToString(raw) + "-")
		shifted = shifted[:0]
	}
	for _, r := range name {
		switch {
		case r < 0x20 || r > 0x7e:
			shifted = append(shifted, r)
			continue
		case r == '&':
			flush()
			out.WriteString("&-")
			continue
		}
		flush()
		out.WriteRune(r)
	}
	flush()
	return out.String()
}
