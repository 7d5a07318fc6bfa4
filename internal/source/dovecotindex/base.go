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

// base is a dovecot.index. The server writes a new one and renames it
// (mail_index_recreate in mail-index-write.c), so that what is open does not change.
type base struct {
	io.ReaderAt
	size  int64
	close func()
	// What its header says, once it is parsed.
	order   binary.ByteOrder
	from    int64 // where the records begin
	count   int
	record  int   // octets of each
	offsets []int // of the extensions' data in each, by number
	sizes   []int // of that data
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

// parseBase reads the header of dovecot.index and its records; more of these than
// sh has in memory stay in the file.
func parseBase(file *base, sh Shape) (*state, error) {
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
	file.order, file.from, file.count, file.record = s.Order, header, int(count), size
	if file.offsets, err = s.extensions(raw, base, size); err != nil {
		return nil, err
	}
	for _, e := range s.exts {
		file.sizes = append(file.sizes, e.Size)
	}
	if file.count <= sh.inMemory() {
		s.rows, err = file.whole()
	} else {
		s.rows = newRows(0, file.sizes)
		s.large, err = newLarge(file, sh.window())
	}
	if err != nil {
		return nil, err
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
			Header: bytes.Clone(raw[data : data+size]), number: len(s.exts)}
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

// each calls fn for the records in order, some at a time.
func (b *base) each(at, count int, fn func(i int, raw []byte) error) error {
	var raw []byte
	for from := 0; from < count; from += chunk {
		n := min(chunk, count-from)
		var err error
		if raw, err = b.part(raw, b.from+int64(at+from)*int64(b.record), int64(n)*int64(b.record)); err != nil {
			return err
		}
		for i := range n {
			if err := fn(from+i, raw[i*b.record:(i+1)*b.record]); err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads some records.
func (b *base) read(at, count int) (*rows, error) {
	r := newRows(count, b.sizes)
	return r, b.each(at, count, func(i int, raw []byte) error {
		r.record(i, raw, b.offsets, b.order)
		if i > 0 && r.uids[i] <= r.uids[i-1] {
			return damaged("UID %d follows %d", r.uids[i], r.uids[i-1])
		}
		return nil
	})
}

// whole reads all records.
func (b *base) whole() (*rows, error) { return b.read(0, b.count) }

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
