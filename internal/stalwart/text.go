package stalwart

import "encoding/binary"

// appendJSON writes valid UTF-8 as a JSON string with the fewest escapes
// (RFC 8259 §7).
func appendJSON(out, raw []byte) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i := 0; i < len(raw); i++ {
		for i+8 <= len(raw) && plain(binary.LittleEndian.Uint64(raw[i:])) {
			i += 8
		}
		if i == len(raw) {
			break
		}
		c := raw[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, raw[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\r':
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

// plain reports that none of eight octets needs an escape. It looks at all of
// them at once, by the borrow that a subtraction takes from the high bit of an
// octet; it may err, but only towards false.
func plain(w uint64) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := w^(ones*'"'), w^(ones*'\\')
	return ((w-ones*' ')&^w|(quote-ones)&^quote|(backslash-ones)&^backslash)&high == 0
}
