package translate

import "time"

// Repair returns the octets to put before a message that the destination
// refuses because it holds no header field at all or only unknown ones: one
// Date field with the received date, so that everything the source held is
// kept behind it. A body without header gets the empty line it lacks.
func Repair(start []byte, received time.Time) []byte {
	head := []byte("Date: " + received.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700") + "\r\n")
	if !startsWithField(start) {
		head = append(head, "\r\n"...)
	}
	return head
}

// startsWithField reports whether the message begins with a header field
// (RFC 5322 §2.2: printable US-ASCII except colon, then a colon) or with
// the empty line that ends an empty header.
func startsWithField(b []byte) bool {
	if len(b) >= 1 && (b[0] == '\n' || b[0] == '\r') {
		return true
	}
	for i, c := range b {
		switch {
		case c == ':':
			return i > 0
		case c <= ' ' || c >= 0x7f:
			return false
		}
	}
	return false
}
