package maildir

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// The file names of a mailbox differ in their numbers, as a rule, and in little
// else: "1700000000.M3141P592.host,S=65,W=67:2,S". A coder keeps the text around
// the numbers (the shape) and what follows the base name (the tail) once, and
// writes a name as the number of its tail, that of its shape and the numbers in
// it, some 20 octets. Any name can be written; an unusual one takes its length.
//
// A base name is always written in the same way, and how it is written is never
// the beginning of how another one is: what is written can be compared and hashed.
type coder struct {
	shapes, tails  words
	shape, numbers []byte // of the name being written
}

// mostWords bounds the shapes, and the tails, that are kept.
const mostWords = 4096

// words are texts by number, from 1.
type words struct {
	texts  [][]byte
	number map[string]uint64
	last   uint64 // the number asked for last
}

// of returns the number of a text. A new one is kept if keep is set and it is not
// one too many; 0 means that it is not kept.
func (w *words) of(text []byte, keep bool) uint64 {
	if w.last > 0 && bytes.Equal(w.texts[w.last-1], text) {
		return w.last
	}
	n := w.number[string(text)]
	if n == 0 {
		if !keep || len(w.texts) >= mostWords {
			return 0
		}
		if w.number == nil {
			w.number = map[string]uint64{}
		}
		w.texts = append(w.texts, bytes.Clone(text))
		n = uint64(len(w.texts))
		w.number[string(text)] = n
	}
	w.last = n
	return n
}

// append writes a text: its number, or 0 and the text itself.
func (w *words) append(out, text []byte, keep bool) []byte {
	if n := w.of(text, keep); n > 0 {
		return binary.AppendUvarint(out, n)
	}
	return w.literal(out, text)
}

// literal writes a text that is not kept.
func (w *words) literal(out, text []byte) []byte {
	return append(binary.AppendUvarint(append(out, 0), uint64(len(text))), text...)
}

// cut reads a text off the beginning of what was written.
func (w *words) cut(in []byte) (text, rest []byte, kept bool) {
	n, k := binary.Uvarint(in)
	if in = in[k:]; n > 0 {
		return w.texts[n-1], in, true
	}
	n, k = binary.Uvarint(in)
	in = in[k:]
	return in[:n], in[n:], false
}

// The kinds of numbers that a shape has NUL and one of these for.
const (
	decimal = 'd'
	lower   = 'x' // hexadecimal
	upper   = 'X'
)

// appendBase writes a base name. Without keep no shape is added: a name that was
// written before is written as it was then.
func (c *coder) appendBase(out, base []byte, keep bool) []byte {
	c.shape, c.numbers = c.shape[:0], c.numbers[:0]
	if bytes.IndexByte(base, 0) >= 0 {
		return c.shapes.literal(out, base) // no file's
	}
	for i := 0; i < len(base); {
		// Postfix and Courier write inodes in hexadecimal behind an I.
		if ch := base[i]; !digit(ch) && (i == 0 || base[i-1] != 'I' || kindOf(ch) == 0) {
			c.shape = append(c.shape, ch)
			i++
			continue
		}
		end := i
		for end < len(base) && digit(base[end]) {
			end++
		}
		kind := byte(decimal)
		if end < len(base) && kindOf(base[end]) != 0 {
			kind = kindOf(base[end])
			for end < len(base) && (digit(base[end]) || kindOf(base[end]) == kind) {
				end++
			}
		}
		for i < end {
			i = c.appendNumber(base, i, end, kind)
		}
	}
	n := c.shapes.of(c.shape, keep)
	if n == 0 {
		return c.shapes.literal(out, base)
	}
	return append(binary.AppendUvarint(out, n), c.numbers...)
}

// appendNumber takes a number out of base[i:end], at most as much as fits, and
// returns where it ends. Zeros in front of it belong to the shape.
func (c *coder) appendNumber(base []byte, i, end int, kind byte) int {
	for base[i] == '0' && i+1 < end {
		c.shape = append(c.shape, '0')
		i++
	}
	most, radix := i+18, uint64(10)
	if kind != decimal {
		most, radix = i+15, 16
	}
	n := uint64(0)
	for ; i < end && i < most; i++ {
		d := base[i] - '0'
		if !digit(base[i]) {
			d = base[i]&0xf + 9
		}
		n = n*radix + uint64(d)
	}
	c.shape = append(c.shape, 0, kind)
	c.numbers = binary.AppendUvarint(c.numbers, n)
	return i
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// kindOf is the kind of numbers in which a letter is a digit, or 0.
func kindOf(c byte) byte {
	switch {
	case 'a' <= c && c <= 'f':
		return lower
	case 'A' <= c && c <= 'F':
		return upper
	}
	return 0
}

// readBase appends the base name that in begins with.
func (c *coder) readBase(out, in []byte) []byte {
	shape, in, kept := c.shapes.cut(in)
	if !kept {
		return append(out, shape...)
	}
	for {
		i := bytes.IndexByte(shape, 0)
		if i < 0 {
			return append(out, shape...)
		}
		out = append(out, shape[:i]...)
		kind := shape[i+1]
		shape = shape[i+2:]
		n, k := binary.Uvarint(in)
		in = in[k:]
		if kind == decimal {
			out = strconv.AppendUint(out, n, 10)
			continue
		}
		from := len(out)
		out = strconv.AppendUint(out, n, 16)
		if kind == upper {
			copy(out[from:], bytes.ToUpper(out[from:]))
		}
	}
}

// written is the part of in that a base name takes.
func (c *coder) written(in []byte) []byte {
	shape, rest, kept := c.shapes.cut(in)
	if kept {
		for range bytes.Count(shape, []byte{0}) {
			_, k := binary.Uvarint(rest)
			rest = rest[k:]
		}
	}
	return in[:len(in)-len(rest)]
}
