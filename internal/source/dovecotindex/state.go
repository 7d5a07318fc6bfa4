package dovecotindex

import "slices"

// state is an index that is being put together.
type state struct {
	Index
	head  []byte // the base header, as header updates change it
	edits []edit // of records that stay in the file

	current *Extension // of the last introduction
	ignore  bool       // its updates are of another reset
	rowSize int        // that the introduction named
}

// edit carries out on records in memory what a log does, and notes it for those
// in the file.
func (s *state) edit(e edit) {
	s.rows.carryOut(&e, s.Order)
	if s.large != nil && e.first <= s.large.last {
		s.edits = append(s.edits, e)
	}
}

// lastUID is the highest UID that was ever in the records.
func (s *state) lastUID() (uid uint32, ok bool) {
	if n := s.rows.len(); n > 0 {
		return s.rows.uids[n-1], true
	}
	if s.large != nil {
		return s.large.last, true
	}
	return 0, false
}

// finish takes out what is expunged.
func (s *state) finish() (*Index, error) {
	x := &s.Index
	x.users = 1
	x.ID, x.UIDValidity = s.Order.Uint32(s.head[atIndexID:]), s.Order.Uint32(s.head[atValidity:])
	x.NextUID, x.FirstRecentUID = s.Order.Uint32(s.head[atNextUID:]), s.Order.Uint32(s.head[atFirstRecent:])
	x.rows.compact()
	for _, pending := range x.rows.pending {
		if pending {
			x.pending++
		}
	}
	x.length = x.rows.len()
	if x.large != nil {
		x.large.edits = slices.Clip(s.edits)
		left, pending, err := x.large.finish()
		if err != nil {
			return nil, err
		}
		x.length, x.pending = x.length+left, x.pending+pending
	}
	// What is left of s stays with the index.
	s.head, s.edits, s.current = nil, nil, nil
	return x, nil
}
