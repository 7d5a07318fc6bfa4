package sample

import (
	"bytes"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"strings"
)

// large is a message that is never held in memory: a header, so many lines of
// base64, and an end.
type large struct {
	head, tail string // with LF
	lines      int64
	seed       uint64
}

// base64Line is the length of a line of base64 without its end (RFC 2045
// §6.8); it holds base64Raw octets.
const base64Line, base64Raw = 76, 57

// newLarge makes a message of at most size octets, counted with CRLF, and at
// least 100 less if size allows for the header.
func newLarge(head, tail string, size int64, seed uint64) *large {
	l := &large{head: head, tail: tail, seed: seed}
	l.lines = max(0, (size-l.size(2))/(base64Line+2))
	return l
}

// size is the number of octets with line ends of that many.
func (l *large) size(end int) int64 {
	text := l.head + l.tail
	breaks := int64(strings.Count(text, "\n"))
	return int64(len(text)) + breaks*int64(end-1) + l.lines*int64(base64Line+end)
}

func (l *large) open(end string) io.Reader {
	fix := func(s string) string { return strings.ReplaceAll(s, "\n", end) }
	return io.MultiReader(
		strings.NewReader(fix(l.head)),
		&base64Lines{left: l.lines, end: end, r: rand.New(rand.NewPCG(l.seed, 1))},
		strings.NewReader(fix(l.tail)),
	)
}

// base64Lines reads as that many lines of base64.
type base64Lines struct {
	r    *rand.Rand
	left int64
	end  string
	buf  bytes.Buffer
}

func (b *base64Lines) Read(p []byte) (int, error) {
	if b.buf.Len() == 0 {
		n := min(b.left, 512)
		if n == 0 {
			return 0, io.EOF
		}
		b.left -= n
		b.buf.Reset()
		writeBase64(&b.buf, octets(b.r, int(n)*base64Raw), b.end)
	}
	return b.buf.Read(p)
}

// writeBase64 writes raw in lines.
func writeBase64(w *bytes.Buffer, raw []byte, end string) {
	line := make([]byte, base64Line)
	for len(raw) > 0 {
		n := min(len(raw), base64Raw)
		out := line[:base64.StdEncoding.EncodedLen(n)]
		base64.StdEncoding.Encode(out, raw[:n])
		w.Write(out)
		w.WriteString(end)
		raw = raw[n:]
	}
}

// octets draws n octets.
func octets(r *rand.Rand, n int) []byte {
	b := make([]byte, (n+7)/8*8)
	for i := 0; i < len(b); i += 8 {
		v := r.Uint64()
		for j := range 8 {
			b[i+j] = byte(v >> (8 * j))
		}
	}
	return b[:n]
}
