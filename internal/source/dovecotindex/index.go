package dovecotindex

import (
	"encoding/binary"
	"slices"
	"strings"
)

// Flags of a record, enum mail_flags of Dovecot's mail-types.h and
// mail-index.h.
const (
	Answered uint8 = 0x01
	Flagged  uint8 = 0x02
	Deleted  uint8 = 0x04
	Seen     uint8 = 0x08
	Draft    uint8 = 0x10
	// Backend is the storage's own: with sdbox the message is in alternate
	// storage.
	Backend uint8 = 0x40
	// Dirty: the index is newer than what the storage says of the flags.
	Dirty uint8 = 0x80
)

// Index is the state of one index with its logs replayed. It does not change
// and may be used concurrently.
type Index struct {
	// ID is common to an index and its logs (indexid).
	ID uint32
	// UIDValidity and NextUID are as in IMAP; UIDs from FirstRecentUID on are
	// \Recent.
	UIDValidity, NextUID, FirstRecentUID uint32
	// Order is that of the integers in extensions: little-endian unless the
	// host of the server is not.
	Order binary.ByteOrder
	// HighestModSeq is that of RFC 7162, or 0 where the server does not count.
	HighestModSeq uint64
	// LogSeq and LogEnd name the log and the offset in it up to which the state
	// is true. With ID they change whenever anything else does.
	LogSeq uint32
	LogEnd int
	// Removed: the mailbox was deleted, only the files are still there.
	Removed bool

	uids     []uint32 // ascending
	flags    []uint8
	pending  []bool // an expunge was asked for and is not done yet
	exts     []*Extension
	keywords []string
	spans    []span   // in the order of the logs
	logs     []extent // that were read, each the successor of the one before
}

// Extension is what the index keeps for one purpose.
type Extension struct {
	Name    string
	ResetID uint32
	// Header is the extension's own data for the whole index.
	Header []byte
	// Size is that of each record's data in octets; 0: there is none.
	Size int

	rows []byte
}

// Row is the data of record i. It must not be changed.
func (e *Extension) Row(i int) []byte {
	return e.rows[i*e.Size : (i+1)*e.Size : (i+1)*e.Size]
}

// Empty is the index of a mailbox that never had a message.
func Empty() *Index { return &Index{NextUID: 1, Order: binary.LittleEndian} }

// Len is the number of records.
func (x *Index) Len() int { return len(x.uids) }

// UID of record i. They ascend.
func (x *Index) UID(i int) uint32 { return x.uids[i] }

// Flags of record i.
func (x *Index) Flags(i int) uint8 { return x.flags[i] }

// Pending reports that a client has expunged record i and the server has not
// carried it out yet: IMAP still shows the message to who had it selected.
func (x *Index) Pending(i int) bool { return x.pending[i] }

// Find returns the record with a UID.
func (x *Index) Find(uid uint32) (i int, ok bool) { return slices.BinarySearch(x.uids, uid) }

// Extension returns the extension of that name, or nil.
func (x *Index) Extension(name string) *Extension {
	for _, e := range x.exts {
		if e.Name == name {
			return e
		}
	}
	return nil
}

const keywordsName = "keywords"

// Keywords of record i, sorted, in the spelling that came first.
func (x *Index) Keywords(i int) []string {
	e := x.Extension(keywordsName)
	if e == nil {
		return nil
	}
	var out []string
	for n, b := range e.Row(i) {
		for bit := 0; b != 0; bit, b = bit+1, b>>1 {
			if k := n*8 + bit; b&1 != 0 && k < len(x.keywords) {
				out = append(out, x.keywords[k])
			}
		}
	}
	slices.Sort(out)
	return out
}

// ModSeq of record i (RFC 7162), or 0 where the server does not count.
// Records from before it began to count all have the same.
func (x *Index) ModSeq(i int) uint64 {
	e := x.Extension(modseqName)
	if e == nil || e.Size < 8 {
		return x.HighestModSeq
	}
	if n := x.Order.Uint64(e.Row(i)); n != 0 {
		return n
	}
	return x.HighestModSeq
}

// keyword finds a keyword whatever its case.
func (x *Index) keyword(name string) int {
	return slices.IndexFunc(x.keywords, func(k string) bool { return strings.EqualFold(k, name) })
}
