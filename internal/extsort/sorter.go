package extsort

import (
	"cmp"
	"slices"
)

// room is how many octets of records a Sorter holds in memory; each record takes
// 16 octets besides.
const room = 4 << 20

// Sorter gives records back in ascending order of their keys, those of one key in
// the order in which they came. It is for one goroutine. An error is one of the
// disk and stays: it is a model.Fault with code "spool".
type Sorter struct {
	dir     string
	room    int
	records []byte
	entries []entry
	out     *output
	runs    []int64 // where each ends in out
	err     error
}

// entry is where a record is in memory.
type entry struct {
	key      uint64
	at, size uint32
}

// New returns a Sorter that keeps in dir what it does not keep in memory; empty
// means the system's directory for temporary files. Nothing is written before
// that is necessary.
func New(dir string) *Sorter { return &Sorter{dir: dir, room: room} }

// Add takes in a record of less than 4 GiB; it is copied.
func (s *Sorter) Add(key uint64, record []byte) error {
	if s.err != nil {
		return s.err
	}
	if len(s.entries) > 0 && (len(s.records)+len(record) > s.room || len(s.entries) >= s.room/8) {
		if s.err = s.spill(); s.err != nil {
			return s.err
		}
	}
	s.entries = append(s.entries, entry{key, uint32(len(s.records)), uint32(len(record))})
	s.records = append(s.records, record...)
	return nil
}

// sort puts what is in memory in order.
func (s *Sorter) sort() {
	slices.SortFunc(s.entries, func(a, b entry) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Compare(a.size, b.size) // an empty record is where the next one is
	})
}

// spill writes what is in memory as one run.
func (s *Sorter) spill() (err error) {
	if s.out == nil {
		if s.out, err = create(s.dir); err != nil {
			return err
		}
	}
	s.sort()
	before := uint64(0)
	for _, e := range s.entries {
		if err := s.out.put(e.key-before, s.records[e.at:e.at+e.size]); err != nil {
			return err
		}
		before = e.key
	}
	s.runs = append(s.runs, s.out.at)
	s.entries, s.records = s.entries[:0], s.records[:0]
	return nil
}

// Each calls fn for every record, in order. A record is valid during the call; an
// error of fn ends it. Nothing can be added afterwards.
func (s *Sorter) Each(fn func(key uint64, record []byte) error) error {
	if s.err != nil {
		return s.err
	}
	if s.out == nil {
		s.sort()
		for _, e := range s.entries {
			if err := fn(e.key, s.records[e.at:e.at+e.size]); err != nil {
				return err
			}
		}
		return nil
	}
	if len(s.entries) > 0 {
		if s.err = s.spill(); s.err != nil {
			return s.err
		}
	}
	s.entries, s.records = nil, nil
	if s.err = s.out.flush(); s.err != nil {
		return s.err
	}
	return s.merge(fn)
}

// Close gives memory and disk back.
func (s *Sorter) Close() error {
	s.entries, s.records, s.runs = nil, nil, nil
	if s.out == nil {
		return nil
	}
	err := s.out.file.Close()
	s.out = nil
	return err
}
