package dovecotindex

import (
	"encoding/binary"
	"slices"
	"sort"
)

// rows are records in memory, in order of UID: all of an index, those that its
// logs have added, or a window of one that stays on disk.
type rows struct {
	uids    []uint32
	flags   []uint8
	pending []bool   // an expunge was asked for and is not done yet
	gone    []bool   // expunged, to be taken out at the end
	lost    int      // how many are gone
	columns []column // by number of the extension
}

// column is the data that an extension has of each record.
type column struct {
	size int // of each, in octets
	data []byte
}

func (c *column) row(i int) []byte { return c.data[i*c.size : (i+1)*c.size : (i+1)*c.size] }

// newRows has room for n records with data of these sizes.
func newRows(n int, sizes []int) *rows {
	r := &rows{uids: make([]uint32, n), flags: make([]uint8, n), pending: make([]bool, n), gone: make([]bool, n), columns: make([]column, len(sizes))}
	for k, size := range sizes {
		r.columns[k] = column{size, make([]byte, n*size)}
	}
	return r
}

func (r *rows) len() int { return len(r.uids) }

func (r *rows) find(uid uint32) (int, bool) { return slices.BinarySearch(r.uids, uid) }

// span are the records with UIDs from first to last.
func (r *rows) span(first, last uint32) (from, to int) {
	from, _ = slices.BinarySearch(r.uids, first)
	to = from + sort.Search(len(r.uids)-from, func(i int) bool { return r.uids[from+i] > last })
	return from, to
}

// record reads one as it is in an index: UID, flags, and data at offsets.
func (r *rows) record(i int, raw []byte, offsets []int, order binary.ByteOrder) {
	r.uids[i], r.flags[i] = order.Uint32(raw), raw[4]
	for k := range r.columns {
		copy(r.columns[k].row(i), raw[offsets[k]:])
	}
}

func (r *rows) append(uid uint32, flags uint8) {
	r.uids, r.flags = append(r.uids, uid), append(r.flags, flags)
	r.pending, r.gone = append(r.pending, false), append(r.gone, false)
	for k := range r.columns {
		c := &r.columns[k]
		c.data = append(c.data, make([]byte, c.size)...)
	}
}

// resize changes how much data an extension has of each record. A new one is the
// next.
func (r *rows) resize(k, size int) {
	if k == len(r.columns) {
		r.columns = append(r.columns, column{})
	}
	was := r.columns[k]
	if was.size == size {
		return
	}
	now := column{size, make([]byte, size*len(r.uids))}
	if was.size > 0 {
		for i := range r.uids {
			copy(now.row(i), was.row(i))
		}
	}
	r.columns[k] = now
}

// expunge takes records out; before the server has done it, it is a request.
func (r *rows) expunge(from, to int, done bool) {
	for i := from; i < to; i++ {
		r.pending[i] = true
		if done && !r.gone[i] {
			r.gone[i] = true
			r.lost++
		}
	}
}

// compact takes out what is gone.
func (r *rows) compact() {
	gone := r.gone
	r.gone = nil
	if r.lost == 0 {
		return
	}
	n := 0
	for i, gone := range gone {
		if gone {
			continue
		}
		if n != i {
			r.uids[n], r.flags[n], r.pending[n] = r.uids[i], r.flags[i], r.pending[i]
			for k := range r.columns {
				copy(r.columns[k].row(n), r.columns[k].row(i))
			}
		}
		n++
	}
	r.uids, r.flags, r.pending = r.uids[:n], r.flags[:n], r.pending[:n]
	for k := range r.columns {
		r.columns[k].data = r.columns[k].data[:n*r.columns[k].size]
	}
}
