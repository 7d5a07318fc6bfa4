package stored

import (
	"bytes"
	"io"
)

// bareLFs counts the LF without a CR before it.
func bareLFs(raw []byte) int {
	bare := bytes.Count(raw, []byte{'\n'})
	if bytes.IndexByte(raw, '\r') >= 0 {
		bare -= bytes.Count(raw, []byte("\r\n"))
	}
	return bare
}

// appendCRLF appends raw with a CR before every LF that has none, as Dovecot does
// when it shows a message; a CR alone stays.
func appendCRLF(out, raw []byte) []byte {
	for {
		j := bytes.IndexByte(raw, '\n')
		if j < 0 {
			return append(out, raw...)
		}
		out = append(out, raw[:j]...)
		if j == 0 || raw[j-1] != '\r' {
			out = append(out, '\r')
		}
		out = append(out, '\n')
		raw = raw[j+1:]
	}
}

// crlfReader is CRLF for what does not fit into memory.
type crlfReader struct {
	r    io.Reader
	in   []byte
	have []byte // of in, not yet read
	last byte
	lf   bool // an LF is due whose CR has been given
	err  error
}

func newCRLF(r io.Reader) io.Reader { return &crlfReader{r: r, in: make([]byte, 64<<10)} }

func (c *crlfReader) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	for n == 0 {
		if len(c.have) == 0 && !c.lf {
			if c.err != nil {
				return 0, c.err
			}
			var m int
			m, c.err = c.r.Read(c.in)
			c.have = c.in[:m]
			continue
		}
		n = c.fill(p)
	}
	return n, nil
}

func (c *crlfReader) fill(p []byte) (n int) {
	for n < len(p) {
		if c.lf {
			p[n], c.last, c.lf = '\n', '\n', false
			n++
			continue
		}
		if len(c.have) == 0 {
			return n
		}
		j := bytes.IndexByte(c.have, '\n')
		if j != 0 {
			upTo := len(c.have)
			if j > 0 {
				upTo = j
			}
			m := copy(p[n:], c.have[:upTo])
			c.last = c.have[m-1]
			c.have = c.have[m:]
			n += m
			continue
		}
		c.have = c.have[1:]
		if c.last == '\r' {
			p[n], c.last = '\n', '\n'
		} else {
			p[n], c.lf = '\r', true
		}
		n++
	}
	return n
}
