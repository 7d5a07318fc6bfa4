package dovecotindex

import (
	"encoding/binary"
	"math"
)

// edit is what a log does to records that are there already. What it needs to
// know of the index is in it, so that it can be carried out on some records at
// a time, and later.
type edit struct {
	first, last uint32 // UIDs
	kind        editKind
	add, remove uint8  // flags
	extension   int32  // its number
	n           uint64 // see the kinds
	data        []byte
}

type editKind uint8

const (
	editFlags     editKind = iota // add and remove
	editAsk                       // for an expunge
	editExpunge                   // done
	editResize                    // data of n octets for each record; of all
	editClear                     // the data
	editSet                       // data
	editIncrement                 // a number, by n
	editRaise                     // a number to n, where it is lower
	editModSeq                    // a number to n, where it is not higher
	editStart                     // a number that is zero, at n
	editBit                       // number n is set
	editNoBit
)

// from makes an edit one of the records with UIDs from first to last.
func (e edit) from(first, last uint32) edit {
	e.first, e.last = first, last
	return e
}

func (e edit) of(uid uint32) edit { return e.from(uid, uid) }

func (e edit) all() edit { return e.from(0, math.MaxUint32) }

// carryOut does it to those of the records that it is of.
func (r *rows) carryOut(e *edit, order binary.ByteOrder) {
	if e.kind == editResize {
		r.resize(int(e.extension), int(e.n))
		return
	}
	from, to := r.span(e.first, e.last)
	if from == to {
		return
	}
	switch e.kind {
	case editFlags:
		for i := from; i < to; i++ {
			r.flags[i] = r.flags[i]&^e.remove | e.add
		}
	case editAsk, editExpunge:
		r.expunge(from, to, e.kind == editExpunge)
	default:
		r.columns[e.extension].carryOut(e, from, to, order)
	}
}

// carryOut does what is of an extension's data.
func (c *column) carryOut(e *edit, from, to int, order binary.ByteOrder) {
	if e.kind == editClear {
		clear(c.data[from*c.size : to*c.size])
		return
	}
	for i := from; i < to; i++ {
		row := c.row(i)
		switch e.kind {
		case editSet:
			copy(row, e.data)
		case editIncrement:
			increment(row, e.n, order)
		case editRaise:
			if order.Uint64(row) < e.n {
				order.PutUint64(row, e.n)
			}
		case editModSeq:
			if order.Uint64(row) <= e.n {
				order.PutUint64(row, e.n)
			}
		case editStart:
			if order.Uint64(row) == 0 {
				order.PutUint64(row, e.n)
			}
		case editBit:
			row[e.n/8] |= 1 << (e.n % 8)
		case editNoBit:
			row[e.n/8] &^= 1 << (e.n % 8)
		}
	}
}

// increment changes a number of any size.
func increment(row []byte, by uint64, order binary.ByteOrder) {
	switch len(row) {
	case 1:
		row[0] += byte(by)
	case 2:
		order.PutUint16(row, order.Uint16(row)+uint16(by))
	case 4:
		order.PutUint32(row, order.Uint32(row)+uint32(by))
	case 8:
		order.PutUint64(row, order.Uint64(row)+by)
	}
}
