package imap

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
)

// The library fetches only the attributes it knows, and a message's identity
// is not among them: X-GUID of Dovecot, EMAILID of RFC 8474. guidConn lets
// one pass in the dress of another: while asking, ENVELOPE, which mailhaul
// never fetches, is written as the attribute, and in a response the attribute
// is shown as an envelope with the identity for its subject. Literals pass
// untouched.
type guidConn struct {
	net.Conn
	attribute string
	asking    atomic.Bool
	in        *bufio.Reader
	ready     []byte // of the line in hand, not yet read
	literal   int64  // octets that pass as they are
	rest      bool   // in the middle of a line too long to be looked at
}

const (
	attributeGUID    = "X-GUID"
	attributeEmailID = "EMAILID"
)

func newGUIDConn(c net.Conn) *guidConn {
	return &guidConn{Conn: c, attribute: attributeGUID, in: bufio.NewReaderSize(c, 64<<10)}
}

// Write implements net.Conn.
func (c *guidConn) Write(p []byte) (int, error) {
	if !c.asking.Load() {
		return c.Conn.Write(p)
	}
	if _, err := c.Conn.Write(bytes.ReplaceAll(p, []byte("ENVELOPE"), []byte(c.attribute))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Read implements net.Conn.
func (c *guidConn) Read(p []byte) (int, error) {
	if len(c.ready) > 0 {
		n := copy(p, c.ready)
		c.ready = c.ready[n:]
		return n, nil
	}
	if c.literal > 0 {
		n, err := c.in.Read(p[:min(int64(len(p)), c.literal)])
		c.literal -= int64(n)
		return n, err
	}
	line, err := c.in.ReadSlice('\n')
	if len(line) == 0 {
		return 0, err
	}
	if err == nil {
		if !c.rest {
			c.ready = c.dress(line)
		} else {
			c.ready = line
		}
		c.literal, c.rest = literalAfter(line), false
	} else {
		// Longer than the buffer, or cut off: as it is.
		c.ready, c.rest = line, errors.Is(err, bufio.ErrBufferFull)
	}
	return c.Read(p)
}

// dress shows the attribute of a FETCH response as an envelope.
func (c *guidConn) dress(line []byte) []byte {
	name := []byte(c.attribute + " ")
	at := bytes.Index(line, name)
	if at <= 0 || line[at-1] != ' ' && line[at-1] != '(' || !bytes.HasPrefix(line, []byte("* ")) || !bytes.Contains(line[:at], []byte(" FETCH (")) {
		return line
	}
	value, after := line[at+len(name):], 0
	if len(value) == 0 || value[0] == '{' {
		return line
	}
	quoted := value[0] == '"'
	for after = 0; after < len(value); after++ {
		switch ch := value[after]; {
		case quoted && ch == '\\':
			after++
			continue
		case quoted && ch == '"' && after > 0:
			after++
		case !quoted && (ch == ' ' || ch == '\r') || !quoted && ch == ')' && value[0] != '(':
		case !quoted && ch == ')':
			after++
		default:
			continue
		}
		break
	}
	after = min(after, len(value))
	id := strings.Trim(string(value[:after]), `()`)
	if !quoted {
		id = `"` + id + `"`
	}
	out := make([]byte, 0, len(line)+64)
	out = append(out, line[:at]...)
	out = append(out, "ENVELOPE (NIL "+id+" NIL NIL NIL NIL NIL NIL NIL NIL)"...)
	return append(out, value[after:]...)
}

// literalAfter is the size of the literal that a line announces, or 0.
func literalAfter(line []byte) int64 {
	s := strings.TrimRight(string(line[max(0, len(line)-24):]), "\r\n")
	open := strings.LastIndexByte(s, '{')
	if open < 0 || !strings.HasSuffix(s, "}") {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(s[open+1:len(s)-1], "+"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
