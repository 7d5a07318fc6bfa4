package model

import (
	"slices"
	"time"
)

// ProvisionalUID is the lowest UID that a source gives to a message which
// has no IMAP UID yet (a Maildir file that no server has listed). Real UIDs
// are 32-bit (RFC 9051 §2.3.1.1). A message may be listed under a
// provisional UID in one run and a real one in the next, with equal GUID.
const ProvisionalUID uint64 = 1 << 40

// ItemRef names one item of a collection.
type ItemRef struct {
	// UID is unique within the collection and its UIDValidity. It fits into
	// a signed 64-bit integer.
	UID uint64
	// GUID is an identity of the content that survives copies, moves and
	// UIDVALIDITY changes (Dovecot X-GUID, RFC 8474 EMAILID). Empty where
	// the source has none. Never derived from anything that may change.
	GUID string
}

// Item is what a source knows of one item without reading it.
type Item struct {
	ItemRef
	Flags Flags
	// Received is the INTERNALDATE, to the second.
	Received time.Time
	// Size in octets as the source claims, or -1. It can be wrong.
	Size int64
}

// SystemFlags is a set of the system flags of RFC 9051 §2.3.2.
type SystemFlags uint8

const (
	Seen SystemFlags = 1 << iota
	Answered
	Flagged
	Draft
	Deleted
)

// Flags are the system flags and keywords of one message.
type Flags struct {
	System SystemFlags
	// Keywords in the source's spelling, sorted, without duplicates. No
	// system flag and no \Recent among them.
	Keywords []string
}

// Equal reports whether f and g hold the same flags and keywords.
func (f Flags) Equal(g Flags) bool {
	return f.System == g.System && slices.Equal(f.Keywords, g.Keywords)
}

// Op says what a Change reports.
type Op uint8

const (
	// OpListing opens a complete listing: Upserts in ascending order of UID
	// follow, and what they do not name is gone. It is the first change of
	// a sequence or does not occur. With UIDs, ascending and disjoint, it is
	// one of these ranges: what lies outside of them has not changed.
	OpListing Op = iota + 1
	// OpUpsert reports an item that exists, with its present state. It may
	// be new, changed, or unchanged.
	OpUpsert
	// OpRemoved reports that the item with this UID is gone.
	OpRemoved
	// OpSurvivors reports all UIDs that still exist, as ascending disjoint
	// ranges; every other UID is gone.
	OpSurvivors
	// OpCheckpoint carries the cursor that stands for all changes so far.
	// Every sequence that ends without error ends with one.
	OpCheckpoint
)

// UIDRange is a range of UIDs, both ends included.
type UIDRange struct{ First, Last uint64 }

// Change is one step of what happened in a collection.
type Change struct {
	Op     Op
	Item   Item       // OpUpsert; for OpRemoved only its UID
	UIDs   []UIDRange // OpSurvivors; OpListing, none for everything
	Cursor string     // OpCheckpoint
}
