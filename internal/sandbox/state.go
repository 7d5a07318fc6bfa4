package sandbox

import (
	"encoding/binary"
	"strings"
)

// state is a JMAP state string (RFC 8620 §5.2) taken apart: "n" for no change
// yet, "s…" for an exact change, "r…" for a place inside a long list of
// changes.
type state struct {
	kind byte // 'n', 's' or 'r'
	from uint64
	to   uint64 // the change itself for 's'
	sent uint64 // changes told already, for 'r'
}

func exactState(change uint64) state {
	if change == 0 {
		return state{kind: 'n'}
	}
	return state{kind: 's', to: change}
}

func (s state) String() string {
	switch s.kind {
	case 's':
		return "s" + base32Custom.EncodeToString(binary.AppendUvarint(nil, s.to))
	case 'r':
		buf := binary.AppendUvarint(nil, s.from)
		buf = binary.AppendUvarint(buf, s.to-s.from)
		buf = binary.AppendUvarint(buf, s.sent)
		return "r" + base32Custom.EncodeToString(buf)
	}
	return "n"
}

func parseState(text string) (state, bool) {
	if text == "" {
		return state{}, false
	}
	if text[0] == 'n' {
		return state{kind: 'n'}, true
	}
	raw, ok := decodeLoose(text[1:])
	if !ok {
		return state{}, false
	}
	next := func() (uint64, bool) {
		n, size := binary.Uvarint(raw)
		if size <= 0 {
			return 0, false
		}
		raw = raw[size:]
		return n, true
	}
	switch text[0] {
	case 's':
		n, ok := next()
		return exactState(n), ok
	case 'r':
		from, ok1 := next()
		width, ok2 := next()
		sent, ok3 := next()
		if !ok1 || !ok2 || !ok3 || sent == 0 {
			return state{}, false
		}
		return state{kind: 'r', from: from, to: from + width, sent: sent}, true
	}
	return state{}, false
}

// decodeLoose decodes base 32 of any length, dropping a trailing partial
// octet as the server does.
func decodeLoose(s string) ([]byte, bool) {
	var out []byte
	var acc, bits uint
	for i := 0; i < len(s); i++ {
		d := strings.IndexByte(alphabet, s[i])
		if d < 0 {
			return nil, false
		}
		acc = acc<<5 | uint(d)
		bits += 5
		if bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
			acc &= 1<<bits - 1
		}
	}
	return out, true
}
