package dovecotindex

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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

// base is a dovecot.index. The server writes a new one and renames it, so that what
// is open does not change.
type base struct {
	io.ReaderAt
	size  int64
	close func()
}

// part reads octets of it into buf, which may be nil.
func (b *base) part(buf []byte, at, n int64) ([]byte, error) {
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if k, err := b.ReadAt(buf, at); int64(k) < n {
		if errors.Is(err, io.EOF) {
			err = damaged("it ends at %d, within its records", at+int64(k))
		}
		return nil, err
	}
	return buf, nil
}

// parseBase reads dovecot.index, some records at a time.
func parseBase(file *base) (*state, error) {
	if file.size < baseSize {
		return nil, damaged("%d octets are no header", file.size)
	}
	raw, err := file.part(nil, 0, baseSize)
	if err != nil {
		return nil, err
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
	case base < baseSize || int64(base) > header || header > file.size:
		return nil, damaged("headers of %d and %d octets in %d", base, header, file.size)
	case size < 5 || size > maxRecordSize:
		return nil, damaged("records of %d octets", size)
	case count*int64(size) > file.size-header:
		return nil, damaged("%d records of %d octets do not fit into %d", count, size, file.size-header)
	}
	if raw, err = file.part(nil, 0, header); err != nil {
		return nil, err
	}
	s.head = bytes.Clone(raw[:base])
	offsets, err := s.extensions(raw, base, size)
	if err != nil {
		return nil, err
	}
	if err := s.records(file, header, int(count), size, offsets); err != nil {
		return nil, err
	}
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

// chunk is how many records are read at once.
const chunk = 1024

func (s *state) records(file *base, at int64, count, size int, offsets []int) error {
	s.uids, s.flags = make([]uint32, count), make([]uint8, count)
	s.pending, s.gone = make([]bool, count), make([]bool, count)
	for _, e := range s.exts {
		e.rows = make([]byte, count*e.Size)
	}
	var raw []byte
	for from := 0; from < count; from += chunk {
		n := min(chunk, count-from)
		var err error
		if raw, err = file.part(raw, at+int64(from)*int64(size), int64(n)*int64(size)); err != nil {
			return err
		}
		for k, e := range s.exts {
			for i := range n {
				copy(e.rows[(from+i)*e.Size:(from+i+1)*e.Size], raw[i*size+offsets[k]:])
			}
		}
		for i := range n {
			s.uids[from+i], s.flags[from+i] = s.Order.Uint32(raw[i*size:]), raw[i*size+4]
		}
	}
	return nil
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
	gone := s.gone
	s.gone = nil // what is left of s stays with the index
	if s.lost == 0 {
		return x
	}
	n := 0
	for i, gone := range gone {
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
