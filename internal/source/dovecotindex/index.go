package dovecotindex

import (
	"encoding/binary"
	"iter"
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

// Index is the state of one index with its logs replayed. It does not change. It may
// be used concurrently unless its records are in a file (Shape): then by one
// goroutine at a time.
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

	rows     *rows  // all records, or those behind the large ones
	large    *large // the records in a file; nil: there are none
	length   int
	pending  int
	users    int // see Hold
	exts     []*Extension
	keywords []string
	spans    []span   // in the order of the logs
	logs     []extent // that were read, each the successor of the one before
}

// Empty is the index of a mailbox that never had a message.
func Empty() *Index {
	return &Index{NextUID: 1, Order: binary.LittleEndian, rows: &rows{}, users: 1}
}

// Hold adds one more use of the index, which Close ends.
func (x *Index) Hold() { x.users++ }

// Close ends one use. With the last the file is closed that the records are in, if
// they are in one.
func (x *Index) Close() {
	if x.users--; x.users == 0 && x.large != nil {
		x.large.file.close()
	}
}

// Len is the number of records.
func (x *Index) Len() int { return x.length }

// Pending is how many of the records are Pending.
func (x *Index) Pending() int { return x.pending }

// All are the records in ascending order of UID. An error ends them; it is ErrFile.
func (x *Index) All() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if x.large != nil {
			for w := range x.large.firsts {
				r, err := x.large.window(w)
				if err != nil {
					yield(Record{}, err)
					return
				}
				if !r.all(yield) {
					return
				}
			}
		}
		x.rows.all(yield)
	}
}

// Find returns the record with a UID. An error is ErrFile.
func (x *Index) Find(uid uint32) (r Record, ok bool, err error) {
	in := x.rows
	if x.large != nil && uid <= x.large.last {
		if in, err = x.large.around(uid); err != nil {
			return r, false, err
		}
	}
	i, ok := in.find(uid)
	if !ok {
		return r, false, nil
	}
	return in.at(i), true, nil
}

// Last is the record with the highest UID. An error is ErrFile.
func (x *Index) Last() (r Record, ok bool, err error) {
	in := x.rows
	for w := x.large.windows() - 1; in.len() == 0 && w >= 0; w-- {
		if in, err = x.large.window(w); err != nil {
			return r, false, err
		}
	}
	if n := in.len(); n > 0 {
		return in.at(n - 1), true, nil
	}
	return r, false, nil
}

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

// keyword finds a keyword whatever its case.
func (x *Index) keyword(name string) int {
	return slices.IndexFunc(x.keywords, func(k string) bool { return strings.EqualFold(k, name) })
}
