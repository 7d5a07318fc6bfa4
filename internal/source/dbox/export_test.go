package dbox

import (
	"math"

	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
)

// InFile makes a source leave the records of all indexes in their files, as it
// does with those of large mailboxes, and look at so many at a time; 0: the usual
// number.
func InFile(s *Source, window int) *Source {
	s.shape = dovecotindex.Shape{InMemory: -1, Window: window}
	return s
}

// InMemory makes a source read all indexes into memory.
func InMemory(s *Source) *Source {
	s.shape = dovecotindex.Shape{InMemory: math.MaxInt}
	return s
}

// CloseMap closes the file of the map in use, so that it cannot be read on.
func CloseMap(st source.Store) { st.(*Store).places.x.Close() }
