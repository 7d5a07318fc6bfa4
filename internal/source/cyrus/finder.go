package cyrus

import (
	"io"
	"os"
)

// fate is what an index tells of a message.
type fate int

const (
	unknown fate = iota // the index cannot be read there
	present
	gone
)

// finder looks for single messages in an index. Records ascend by UID, and
// messages are mostly asked for in that order.
type finder struct {
	file   *os.File
	header indexHeader
	next   int64 // the record behind the one found last
	pause  func(int)
}

// finder opens the index of a mailbox as it is now. Without one, nothing is
// known.
func (st *Store) finder(p place) *finder {
	x := &finder{pause: st.src.opts.Pause}
	f, err := p.openMeta("cyrus.index")
	if err != nil {
		return x
	}
	if x.header, err = readIndexHeader(f, x.pause); err != nil {
		f.Close()
		return x
	}
	x.file = f
	return x
}

func (x *finder) close() {
	if x.file != nil {
		x.file.Close()
	}
}

// find looks for a message; its record is valid unless it is unknown.
func (x *finder) find(uid uint64) (record, fate) {
	if x.file == nil {
		return record{}, unknown
	}
	low, high := int64(0), int64(x.header.records)
	for at := x.next; low < high; at = (low + high) / 2 {
		if at < low || at >= high {
			at = (low + high) / 2
		}
		r, ok := x.at(at)
		switch {
		case !ok:
			return record{}, unknown
		case uint64(r.uid) == uid:
			x.next = at + 1
			if r.live() {
				return r, present
			}
			return r, gone
		case uint64(r.uid) < uid:
			low = at + 1
		default:
			high = at
		}
	}
	return record{}, gone
}

func (x *finder) at(n int64) (record, bool) {
	raw := make([]byte, x.header.record)
	offset := x.header.layout.header + n*x.header.record
	if _, err := x.file.ReadAt(raw, offset); err != nil && err != io.EOF {
		return record{}, false
	}
	s := scan{file: x.file, header: x.header, pause: x.pause}
	r, err := s.again(raw, offset)
	return r, err == nil
}
