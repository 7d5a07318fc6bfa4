package dovecotindex

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrDamaged is wrapped by all errors about what an index file holds.
var ErrDamaged = errors.New("damaged index")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

// Offsets in struct mail_index_header (mail-index.h), 120 octets.
const (
	baseSize         = 120
	atCompat         = 12
	atIndexID        = 16
	atValidity       = 24
	atNextUID        = 28
	atMessages       = 32
	atFirstRecent    = 48
	atLogSeq         = 60
	atLogHead        = 68
	compatLittle     = 0x01
	majorIndex       = 7
	maxRecordSize    = 64 << 10
	maxExtensions    = 1024
	maxExtensionSize = 16 << 20 // of a header
)

// state is an index that is being put together.
type state struct {
	Index
	head []byte // the base header, as header updates change it
	gone []bool // expunged, to be taken out at the end
	lost int    // how many are gone

	current *Extension // of the last introduction
	ignore  bool       // its updates are of another reset
	rowSize int        // that the introduction named
}

// parseBase reads dovecot.index.
func parseBase(raw []byte) (*state, error) {
	if len(raw) < baseSize {
		return nil, damaged("%d octets are no header", len(raw))
	}
	if raw[0] != majorIndex {
		return nil, damaged("its version is %d, not %d", raw[0], majorIndex)
	}
	s := &state{Index: Index{Order: order(raw[atCompat])}}
	base := int(s.Order.Uint16(raw[2:]))
	header := int64(s.Order.Uint32(raw[4:]))
	size := int(s.Order.Uint32(raw[8:]))
	count := int64(s.Order.Uint32(raw[atMessages:]))
	switch {
	case base < baseSize || int64(base) > header || header > int64(len(raw)):
		return nil, damaged("headers of %d and %d octets in %d", base, header, len(raw))
	case size < 5 || size > maxRecordSize:
		return nil, damaged("records of %d octets", size)
	case count*int64(size) > int64(len(raw))-header:
		return nil, damaged("%d records of %d octets do not fit into %d", count, size, int64(len(raw))-header)
	}
	s.head = bytes.Clone(raw[:base])
	offsets, err := s.extensions(raw[:header], base, size)
	if err != nil {
		return nil, err
	}
	s.records(raw[header:], int(count), size, offsets)
	for i := 1; i < len(s.uids); i++ {
		if s.uids[i] <= s.uids[i-1] {
			return nil, damaged("UID %d follows %d", s.uids[i], s.uids[i-1])
		}
	}
	if e := s.Extension(keywordsName); e != nil {
		return s, s.keywordNames(e)
	}
	return s, nil
}

func order(compat byte) binary.ByteOrder {
	if compat&compatLittle == 0 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// extensions reads the headers behind the base header and returns where each
// extension's data is in a record. Their position in the file is the id that
// the log uses.
func (s *state) extensions(raw []byte, at, recordSize int) (offsets []int, err error) {
	for at = align(at, 8); at < len(raw); {
		if len(raw)-at < 16 {
			return nil, damaged("an extension is cut off")
		}
		h := raw[at:]
		size := int64(s.Order.Uint32(h))
		offset, rows, name := int(s.Order.Uint16(h[8:])), int(s.Order.Uint16(h[10:])), int(s.Order.Uint16(h[14:]))
		data := int64(align(at+16+name, 8))
		if data+size > int64(len(raw)) || size > maxExtensionSize || len(s.exts) >= maxExtensions {
			return nil, damaged("an extension is larger than the header")
		}
		e := &Extension{Name: string(h[16 : 16+name]), ResetID: s.Order.Uint32(h[4:]), Size: rows,
			Header: bytes.Clone(raw[data : data+size])}
		if offset+rows > recordSize {
			return nil, damaged("extension %q has data at %d of %d octets", e.Name, offset, recordSize)
		}
		s.exts, offsets = append(s.exts, e), append(offsets, offset)
		at = align(int(data+size), 8)
	}
	return offsets, nil
}

func (s *state) records(raw []byte, count, size int, offsets []int) {
	s.uids, s.flags = make([]uint32, count), make([]uint8, count)
	s.pending, s.gone = make([]bool, count), make([]bool, count)
	for k, e := range s.exts {
		e.rows = make([]byte, count*e.Size)
		for i := range count {
			copy(e.rows[i*e.Size:(i+1)*e.Size], raw[i*size+offsets[k]:])
		}
	}
	for i := range count {
		s.uids[i], s.flags[i] = s.Order.Uint32(raw[i*size:]), raw[i*size+4]
	}
}

// keywordNames reads the header of the extension "keywords": the count, as
// many pairs of an unused number and the offset of a name, and the names.
func (s *state) keywordNames(e *Extension) error {
	h := e.Header
	if len(h) < 4 {
		return nil
	}
	n := int64(s.Order.Uint32(h))
	names := 4 + 8*n
	if names > int64(len(h)) {
		return damaged("%d keywords in %d octets", n, len(h))
	}
	for i := range int(n) {
		at := names + int64(s.Order.Uint32(h[4+8*i+4:]))
		if at >= int64(len(h)) {
			return damaged("keyword %d has no name", i)
		}
		name, _, ok := bytes.Cut(h[at:], []byte{0})
		if !ok || len(name) == 0 {
			return damaged("keyword %d has no name", i)
		}
		s.keywords = append(s.keywords, string(name))
	}
	return nil
}

func align(n, to int) int { return (n + to - 1) / to * to }

// finish takes out what is expunged.
func (s *state) finish() *Index {
	x := &s.Index
	x.ID, x.UIDValidity = s.Order.Uint32(s.head[atIndexID:]), s.Order.Uint32(s.head[atValidity:])
	x.NextUID, x.FirstRecentUID = s.Order.Uint32(s.head[atNextUID:]), s.Order.Uint32(s.head[atFirstRecent:])
	if s.lost == 0 {
		return x
	}
	n := 0
	for i, gone := range s.gone {
		if gone {
			continue
		}
		if n != i {
			x.uids[n], x.flags[n], x.pending[n] = x.uids[i], x.flags[i], x.pending[i]
			for _, e := range x.exts {
				copy(e.rows[n*e.Size:(n+1)*e.Size], e.rows[i*e.Size:(i+1)*e.Size])
			}
		}
		n++
	}
	x.uids, x.flags, x.pending = x.uids[:n], x.flags[:n], x.pending[:n]
	for _, e := range x.exts {
		e.rows = e.rows[:n*e.Size]
	}
	return x
}
