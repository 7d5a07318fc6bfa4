package imap

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/emersion/go-imap/v2"
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
	lsub      atomic.Bool // a list of subscriptions is being asked for
	acl       atomic.Bool // a Courier's access control list is being asked for
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
	out := p
	switch {
	case c.asking.Load():
		out = bytes.ReplaceAll(p, []byte("ENVELOPE"), []byte(c.attribute))
	case c.lsub.Load():
		out = bytes.Replace(p, []byte("LIST (SUBSCRIBED)"), []byte("LSUB"), 1)
	case c.acl.Load():
		out = bytes.Replace(p, []byte("GETACL "), []byte(courierGetACL), 1)
	}
	if _, err := c.Conn.Write(out); err != nil {
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
	if rest, ok := bytes.CutPrefix(line, []byte("* LSUB ")); ok {
		return append([]byte("* LIST "), rest...)
	}
	if c.acl.Load() {
		return dressACL(line)
	}
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

// subscribed lists the names of a pattern that the user has subscribed to. The library
// knows only LIST (SUBSCRIBED), which takes RFC 5258; without that the command
// is LSUB (RFC 3501 §6.3.9), in the dress of the other.
func (s *session) subscribed(pattern string) ([]*imap.ListData, error) {
	s.guid.lsub.Store(!s.caps.Has(imap.CapListExtended))
	cmd := s.List("", pattern, &imap.ListOptions{SelectSubscribed: true})
	s.guid.lsub.Store(false)
	list, err := cmd.Collect()
	// \Noselect: only something below is subscribed to.
	return slices.DeleteFunc(list, unselectable), err
}

// guids reports whether messages may be asked for their identity.
func (s *Source) guids() bool { return !s.noGUIDs.Load() && !s.courier.Load() }

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
