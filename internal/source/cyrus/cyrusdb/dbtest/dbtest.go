package dbtest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// Pair is a key and its value.
type Pair struct{ Key, Value string }

// Flat writes lines of key, TAB and value.
func Flat(pairs ...Pair) []byte {
	var b bytes.Buffer
	escape := func(s string) {
		for i := range len(s) {
			switch c := s[i]; c {
			case 0, '\t', '\r', '\n':
				b.Write([]byte{0xff, c | 0x80})
			case 0xff:
				b.Write([]byte{0xff, 0xff})
			default:
				b.WriteByte(c)
			}
		}
	}
	for _, p := range pairs {
		escape(p.Key)
		b.WriteByte('\t')
		escape(p.Value)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Twoskip is a database that is written to as the server does: what is added
// later comes last, and pointers lead to it.
type Twoskip struct {
	raw     []byte
	offsets map[string]int // of live records
	// Dirty is the flag of a transaction under way.
	Dirty bool
}

const (
	twoskipHeader = 64
	align         = 8
)

// NewTwoskip returns an empty database.
func NewTwoskip() *Twoskip {
	t := &Twoskip{offsets: map[string]int{}}
	t.raw = make([]byte, twoskipHeader)
	t.record('=', 31, "", "", make([]uint64, 32))
	return t
}

// record adds one at the end.
func (t *Twoskip) record(kind byte, level int, key, value string, pointers []uint64) int {
	at := len(t.raw)
	b := []byte{kind, byte(level)}
	if len(key) < 0xffff {
		b = binary.BigEndian.AppendUint16(b, uint16(len(key)))
	} else {
		b = binary.BigEndian.AppendUint16(b, 0xffff)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
	if len(key) >= 0xffff {
		b = binary.BigEndian.AppendUint64(b, uint64(len(key)))
	}
	for _, p := range pointers {
		b = binary.BigEndian.AppendUint64(b, p)
	}
	body := []byte(key + value)
	for len(body)%align != 0 {
		body = append(body, 0)
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
	t.raw = append(append(t.raw, b...), body...)
	return at
}

// point makes one of the two lowest pointers of a record lead elsewhere.
func (t *Twoskip) point(record, n, to int) {
	head := t.raw[record:]
	size := 8
	if binary.BigEndian.Uint16(head[2:]) == 0xffff {
		size += 8
	}
	binary.BigEndian.PutUint64(head[size+8*n:], uint64(to))
	end := size + 8*(int(head[1])+1)
	binary.BigEndian.PutUint32(head[end:], crc32.ChecksumIEEE(head[:end]))
}

// around finds the live records before and behind a key, 0 where there is
// none behind.
func (t *Twoskip) around(key string) (before, behind int) {
	before = twoskipHeader
	keys := make([]string, 0, len(t.offsets))
	for k := range t.offsets {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if k < key {
			before = t.offsets[k]
		}
		if k > key {
			return before, t.offsets[k]
		}
	}
	return before, 0
}

// lead makes the pointer of before that is not in use lead to a new record.
func (t *Twoskip) lead(before, to int) {
	head := t.raw[before:]
	size := 8
	if binary.BigEndian.Uint16(head[2:]) == 0xffff {
		size += 8
	}
	zero, one := binary.BigEndian.Uint64(head[size:]), binary.BigEndian.Uint64(head[size+8:])
	n := 0
	if zero > one {
		n = 1
	}
	t.point(before, n, to)
}

// Put adds or replaces.
func (t *Twoskip) Put(key, value string) *Twoskip {
	before, behind := t.around(key)
	level := 1 + len(t.offsets)%3
	pointers := make([]uint64, level+1)
	pointers[0] = uint64(behind)
	at := t.record('+', level, key, value, pointers)
	t.lead(before, at)
	t.offsets[key] = at
	t.record('$', 0, "", "", make([]uint64, 1))
	return t
}

// Delete removes a key.
func (t *Twoskip) Delete(key string) *Twoskip {
	before, behind := t.around(key)
	at := t.record('-', 0, "", "", []uint64{uint64(behind)})
	t.lead(before, at)
	delete(t.offsets, key)
	t.record('$', 0, "", "", make([]uint64, 1))
	return t
}

// Bytes is the file, with uncommitted octets behind its end.
func (t *Twoskip) Bytes(uncommitted ...byte) []byte {
	raw := slices.Clone(t.raw)
	copy(raw, "\xa1\x02\x8b\x0dtwoskip file\x00\x00\x00\x00")
	be := binary.BigEndian
	be.PutUint32(raw[20:], 1)
	be.PutUint64(raw[24:], 1)
	be.PutUint64(raw[32:], uint64(len(t.offsets)))
	be.PutUint64(raw[40:], twoskipHeader)
	be.PutUint64(raw[48:], uint64(len(raw)))
	if t.Dirty {
		be.PutUint32(raw[56:], 1)
	}
	be.PutUint32(raw[60:], crc32.ChecksumIEEE(raw[:60]))
	return append(raw, uncommitted...)
}

// Committed is a twoskip file whose header tells that it ends at size.
func Committed(raw []byte, size int) []byte {
	raw = slices.Clone(raw)
	binary.BigEndian.PutUint64(raw[48:], uint64(size))
	binary.BigEndian.PutUint32(raw[60:], crc32.ChecksumIEEE(raw[:60]))
	return raw
}

// Skiplist is a database whose first records are in order and whose others
// are in the log.
type Skiplist struct {
	raw     []byte
	offsets map[string]int
}

const skiplistHeader = 48

// NewSkiplist returns a database as a checkpoint leaves it.
func NewSkiplist(pairs ...Pair) *Skiplist {
	s := &Skiplist{offsets: map[string]int{}}
	s.raw = make([]byte, skiplistHeader)
	copy(s.raw, "\xa1\x02\x8b\x0dskiplist file\x00\x00\x00")
	s.words(257, 0, 0)
	for range 20 {
		s.words(0)
	}
	s.words(0xffffffff)
	for _, p := range pairs {
		s.add(1, p.Key, p.Value)
	}
	be := binary.BigEndian
	be.PutUint32(s.raw[20:], 1)
	be.PutUint32(s.raw[24:], 2)
	be.PutUint32(s.raw[28:], 20)
	be.PutUint32(s.raw[32:], 1)
	be.PutUint32(s.raw[36:], uint32(len(pairs)))
	be.PutUint32(s.raw[40:], uint32(len(s.raw)))
	return s
}

func (s *Skiplist) words(w ...uint32) {
	for _, n := range w {
		s.raw = binary.BigEndian.AppendUint32(s.raw, n)
	}
}

func (s *Skiplist) add(kind uint32, key, value string) {
	s.offsets[key] = len(s.raw)
	s.words(kind)
	for _, f := range []string{key, value} {
		s.words(uint32(len(f)))
		s.raw = append(s.raw, f...)
		for len(s.raw)%4 != 0 {
			s.raw = append(s.raw, 0)
		}
	}
	s.words(0, 0xffffffff)
}

// Put adds or replaces, in the log.
func (s *Skiplist) Put(key, value string) *Skiplist {
	if at, ok := s.offsets[key]; ok {
		s.words(4, uint32(at))
	}
	s.add(2, key, value)
	return s
}

// Delete removes a key, in the log.
func (s *Skiplist) Delete(key string) *Skiplist {
	s.words(4, uint32(s.offsets[key]))
	delete(s.offsets, key)
	return s
}

// Commit ends a transaction.
func (s *Skiplist) Commit() *Skiplist {
	s.words(255)
	return s
}

// Bytes is the file.
func (s *Skiplist) Bytes() []byte { return slices.Clone(s.raw) }
