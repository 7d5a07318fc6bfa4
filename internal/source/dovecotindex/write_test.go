package dovecotindex

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// writer writes index files as Dovecot does, in either byte order.
type writer struct {
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
}

var little = writer{binary.LittleEndian}

func (w writer) u32(ns ...uint32) (b []byte) {
	for _, n := range ns {
		b = w.order.AppendUint32(b, n)
	}
	return b
}

func (w writer) compat() byte {
	if w.order.String() == binary.LittleEndian.String() {
		return 1
	}
	return 0
}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func pad(b []byte, to int) []byte { return append(b, make([]byte, align(len(b), to)-len(b))...) }

// log is a transaction log of index 7.
func (w writer) log(seq, prevSeq, prevOffset uint32, transactions ...[]byte) []byte {
	b := make([]byte, logHeaderSize)
	b[0], b[1] = majorLog, 3
	w.order.PutUint16(b[2:], logHeaderSize)
	w.order.PutUint32(b[atLogIndexID:], 7)
	w.order.PutUint32(b[atFileSeq:], seq)
	w.order.PutUint32(b[atPrevSeq:], prevSeq)
	w.order.PutUint32(b[atPrevOffset:], prevOffset)
	b[atLogCompat] = w.compat()
	return join(b, join(transactions...))
}

// transaction is one record of a log.
func (w writer) transaction(kind uint32, data ...[]byte) []byte {
	d := join(data...)
	n := uint32(len(d)+8) / 4
	size := []byte{byte(n>>21) | 0x80, byte(n>>14) | 0x80, byte(n>>7) | 0x80, byte(n) | 0x80}
	return join(size, w.u32(kind), d)
}

// added appends messages; each flags is one.
func (w writer) added(uid uint32, flags ...uint8) []byte {
	var d []byte
	for i, f := range flags {
		d = append(d, join(w.u32(uid+uint32(i)), []byte{f, 0, 0, 0})...)
	}
	return w.transaction(typeAppend, d)
}

func (w writer) flags(first, last uint32, add, remove uint8) []byte {
	return w.transaction(typeFlags, w.u32(first, last), []byte{add, remove, 0, 0})
}

func (w writer) keyword(remove byte, name string, uids ...uint32) []byte {
	d := append([]byte{remove, 0}, w.order.AppendUint16(nil, uint16(len(name)))...)
	return w.transaction(typeKeyword, pad(append(d, name...), 4), w.u32(uids...))
}

func (w writer) intro(id, resetID, header uint32, size, flags uint16, name string) []byte {
	d := w.u32(id, resetID, header)
	for _, n := range []uint16{size, 4, flags, uint16(len(name))} {
		d = w.order.AppendUint16(d, n)
	}
	return w.transaction(typeIntro, pad(append(d, name...), 4))
}

func (w writer) row(uid uint32, data ...byte) []byte {
	return w.transaction(typeExtRecord, w.u32(uid), pad(data, 4))
}

func (w writer) header(kind uint32, at uint16, data []byte) []byte {
	d := w.order.AppendUint16(nil, at)
	d = w.order.AppendUint16(d, uint16(len(data)))
	return w.transaction(kind, pad(append(d, data...), 4))
}

// extension is one of an index, with a row for each record.
type extension struct {
	name   string
	reset  uint32
	header []byte
	rows   [][]byte
}

// record is one of an index.
type record struct {
	uid   uint32
	flags uint8
}

// index is dovecot.index, which continues in log seq at an offset.
func (w writer) index(seq, offset uint32, records []record, extensions ...extension) []byte {
	h := make([]byte, baseSize)
	h[0], h[1], h[atCompat] = majorIndex, 3, w.compat()
	at, offsets := 5, []int{}
	var heads []byte
	for _, e := range extensions {
		size := 0
		if len(e.rows) > 0 {
			size = len(e.rows[0])
		}
		heads = append(heads, w.u32(uint32(len(e.header)), e.reset)...)
		for _, n := range []uint16{uint16(at), uint16(size), 1, uint16(len(e.name))} {
			heads = w.order.AppendUint16(heads, n)
		}
		heads = pad(append(pad(append(heads, e.name...), 8), e.header...), 8)
		offsets, at = append(offsets, at), at+size
	}
	w.order.PutUint16(h[2:], baseSize)
	w.order.PutUint32(h[4:], uint32(baseSize+len(heads)))
	w.order.PutUint32(h[8:], uint32(at))
	w.order.PutUint32(h[atIndexID:], 7)
	w.order.PutUint32(h[atValidity:], 1234)
	next := uint32(1)
	var body []byte
	for i, r := range records {
		b := make([]byte, at)
		w.order.PutUint32(b, r.uid)
		b[4] = r.flags
		for k, e := range extensions {
			if len(e.rows) > 0 {
				copy(b[offsets[k]:], e.rows[i])
			}
		}
		body, next = append(body, b...), r.uid+1
	}
	w.order.PutUint32(h[atNextUID:], next)
	w.order.PutUint32(h[atMessages:], uint32(len(records)))
	w.order.PutUint32(h[atLogSeq:], seq)
	w.order.PutUint32(h[atLogHead:], offset)
	return join(h, heads, body)
}

// write puts files of one index into a folder: "", ".log", ".log.2", ".backup".
func write(t testing.TB, files map[string][]byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "dovecot.index")
	for suffix, raw := range files {
		must(t, os.WriteFile(path+suffix, raw, 0o600))
	}
	return path
}
