package stored

// Buffers is memory that one reader uses again for every message, instead of
// asking for it thousands of times a second. The zero value is ready; one
// goroutine uses it.
type Buffers struct{ raw, text, crlf []byte }

// mostKept is the largest buffer that is kept for the next message.
const mostKept = 256 << 10

// grow returns n octets, of what is kept if that is enough.
func grow(kept *[]byte, n int) []byte {
	if cap(*kept) < n || cap(*kept) > mostKept && n <= mostKept {
		*kept = make([]byte, n, n+n/4)
	}
	*kept = (*kept)[:n]
	return *kept
}
