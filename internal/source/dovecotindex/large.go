package dovecotindex

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"

	"mailhaul.org/mailhaul/internal/model"
)

// Shape says how much of an index is in memory. The zero Shape is the usual one.
type Shape struct {
	// InMemory is how many records of dovecot.index are read into memory; of one
	// with more they stay in the file, and only what its logs have added or changed
	// is in memory. 0 means 100,000; below 0: none.
	InMemory int
	// Window is how many of the others are looked at at a time. 0 means 256.
	Window int
}

func (s Shape) inMemory() int { return cmp.Or(s.InMemory, 100_000) }
func (s Shape) window() int   { return cmp.Or(s.Window, 256) }

// large are records that stay in the file. A window of them is read when it is
// asked for, and what the logs do is done to these then.
type large struct {
	file   *base
	size   int      // of a window, in records
	firsts []uint32 // the first UID of each window
	last   uint32   // the last UID of all
	edits  []edit
	// wide are the edits that concern more than one window, narrow those of one:
	// their numbers, ascending.
	wide   []int
	narrow map[int][]int
	// The window that was asked for last.
	now  int
	rows *rows
}

// newLarge looks through the records once: it has to know where their UIDs are, and
// that they ascend.
func newLarge(file *base, size int) (*large, error) {
	l := &large{file: file, size: size, now: -1, firsts: make([]uint32, 0, (file.count+size-1)/size)}
	err := file.each(0, file.count, func(i int, raw []byte) error {
		uid := file.order.Uint32(raw)
		if i > 0 && uid <= l.last {
			return damaged("UID %d follows %d", uid, l.last)
		}
		if l.last = uid; i%size == 0 {
			l.firsts = append(l.firsts, uid)
		}
		return nil
	})
	return l, err
}

// windows is how many there are.
func (l *large) windows() int {
	if l == nil {
		return 0
	}
	return len(l.firsts)
}

// at is the window in which a UID would be; -1: it would be in front of the first.
func (l *large) at(uid uint32) int {
	return sort.Search(len(l.firsts), func(w int) bool { return l.firsts[w] > uid }) - 1
}

// finish sorts the edits by window, and counts what they leave.
func (l *large) finish() (left, pending int, err error) {
	l.narrow = map[int][]int{}
	var gone, asked []edit
	for n, e := range l.edits {
		switch e.kind {
		case editExpunge:
			gone = append(gone, e)
			fallthrough
		case editAsk:
			asked = append(asked, e)
		}
		switch from, to := max(0, l.at(e.first)), l.at(e.last); {
		case from < to:
			l.wide = append(l.wide, n)
		case from == to:
			l.narrow[to] = append(l.narrow[to], n)
		}
	}
	lost, err := l.count(gone)
	if err != nil {
		return 0, 0, err
	}
	all, err := l.count(asked)
	return l.file.count - lost, all - lost, err
}

// count is how many records in the file some edits are of.
func (l *large) count(edits []edit) (n int, err error) {
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.first, b.first) })
	var in *rows
	at := -1
	// below is how many records have lower UIDs.
	below := func(uid uint32) (int, error) {
		w := l.at(uid)
		if w < 0 {
			return 0, nil
		}
		if w != at {
			var err error
			if in, err = l.read(w); err != nil {
				return 0, err
			}
			at = w
		}
		i, _ := in.find(uid)
		return w*l.size + i, nil
	}
	next := uint64(0) // the UID behind those that are counted
	for _, e := range edits {
		first, end := max(next, uint64(e.first)), min(uint64(e.last), uint64(l.last))+1
		if first >= end {
			continue
		}
		next = end
		from, err := below(uint32(first))
		if err != nil {
			return 0, err
		}
		to := l.file.count
		if end <= uint64(l.last) {
			if to, err = below(uint32(end)); err != nil {
				return 0, err
			}
		}
		n += to - from
	}
	return n, nil
}

// read reads a window as it is in the file.
func (l *large) read(w int) (*rows, error) {
	at := w * l.size
	r, err := l.file.read(at, min(l.size, l.file.count-at))
	if err == nil && r.uids[0] != l.firsts[w] {
		err = damaged("UID %d is where %d was", r.uids[0], l.firsts[w])
	}
	if err != nil {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "index", Err: fmt.Errorf("%w: %w", ErrFile, err), Remedy: "run again"}
	}
	return r, nil
}

// ErrFile is wrapped by errors of reading records that were left in their file. Over
// NFS it is gone when another host has renamed a new one over it.
var ErrFile = errors.New("the index cannot be read on")

// window reads a window with what the logs have done to it.
func (l *large) window(w int) (*rows, error) {
	if l.now == w {
		return l.rows, nil
	}
	r, err := l.read(w)
	if err != nil {
		return nil, err
	}
	for wide, narrow := l.wide, l.narrow[w]; len(wide)+len(narrow) > 0; {
		var n int
		if len(narrow) == 0 || len(wide) > 0 && wide[0] < narrow[0] {
			n, wide = wide[0], wide[1:]
		} else {
			n, narrow = narrow[0], narrow[1:]
		}
		r.carryOut(&l.edits[n], l.file.order)
	}
	r.compact()
	l.now, l.rows = w, r
	return r, nil
}

// around is the window in which a UID would be.
func (l *large) around(uid uint32) (*rows, error) {
	w := l.at(uid)
	if w < 0 {
		return &rows{}, nil
	}
	return l.window(w)
}
