package stalwart

import (
	"encoding/binary"
	"math/bits"
)

// appendJSON writes valid UTF-8 as a JSON string with the fewest escapes
// (RFC 8259 §7).
func appendJSON(out, raw []byte) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i := plainUntil(raw, 0); i < len(raw); i = plainUntil(raw, start) {
		out = append(out, raw[start:i]...)
		start = i + 1
		switch c := raw[i]; c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\r':
			if start < len(raw) && raw[start] == '\n' { // the end of every line
				out = append(out, '\\', 'r', '\\', 'n')
				start++
				continue
			}
			out = append(out, '\\', 'r')
		case '\n':
			out = append(out, '\\', 'n')
		case '\t':
			out = append(out, '\\', 't')
		default:
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	out = append(out, raw[start:]...)
	return append(out, '"')
}

// plainUntil returns where the first octet from i on is that needs an escape,
// or the length.
func plainUntil(raw []byte, i int) int {
	for ; i+8 <= len(raw); i += 8 {
		if m := special(binary.LittleEndian.Uint64(raw[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(raw); i++ {
		if c := raw[i]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// special marks those of eight octets that need an escape, by their high bit.
// It looks at all of them at once, by the borrow that a subtraction takes from
// the high bit of an octet. The borrow may go on to octets above, so that only
// the lowest mark is certain.
func special(w uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := w^(ones*'"'), w^(ones*'\\')
	return ((w-ones*' ')&^w | (quote-ones)&^quote | (backslash-ones)&^backslash) & high
}
