package cyrus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// layout is how a version of cyrus.index is laid out (imap/mailbox.h of each
// release; imap/index_file.c has them in one table).
type layout struct {
	header, record int64
	checksums      bool // CRC-32 at the end of header and records
}

// layouts by version. 11 was never public; 20 counts nanoseconds.
var layouts = map[uint32]layout{
	6: {76, 60, false}, 7: {76, 72, false}, 8: {92, 80, false}, 9: {96, 80, false}, 10: {96, 88, false},
	12: {128, 96, true}, 13: {128, 104, true}, 14: {160, 104, true}, 15: {160, 104, true},
	16: {160, 112, true}, 17: {160, 112, true}, 18: {160, 112, true}, 19: {160, 112, true},
	20: {192, 144, true},
}

// indexHeader is what the header of cyrus.index tells.
type indexHeader struct {
	layout
	version, generation   uint32
	records               uint32 // in the file, expunged ones included
	exists                uint32
	lastUID, validity     uint32
	octets                uint64
	modseq, deletedModseq uint64 // 0 before version 8 and 12
	sharedSeen            bool   // \Seen is one for everybody
}

var (
	errIndex = errors.New("cyrus.index is damaged")
	// errTorn may be a write that is under way.
	errTorn = fmt.Errorf("%w: a checksum is wrong", errIndex)
)

// largestHeader is enough for every version.
const largestHeader = 192

// parseIndexHeader reads the beginning of a file.
func parseIndexHeader(raw []byte) (h indexHeader, err error) {
	be := binary.BigEndian
	if len(raw) < 76 {
		return h, fmt.Errorf("%w: it has only %d octets", errIndex, len(raw))
	}
	h.generation, h.version = be.Uint32(raw), be.Uint32(raw[8:])
	l, known := layouts[h.version]
	if !known {
		return h, &model.Fault{Class: model.ClassAccount, Code: "format", Err: fmt.Errorf("cyrus.index is of version %d, which is not known", h.version),
			Remedy: "read this account over IMAP"}
	}
	h.layout = l
	if start, size := int64(be.Uint32(raw[12:])), int64(be.Uint32(raw[16:])); start != l.header || size != l.record {
		return h, fmt.Errorf("%w: version %d with a header of %d and records of %d octets", errIndex, h.version, start, size)
	}
	if int64(len(raw)) < l.header {
		return h, fmt.Errorf("%w: it ends within its header", errIndex)
	}
	if l.checksums && crc32.ChecksumIEEE(raw[:l.header-4]) != be.Uint32(raw[l.header-4:]) {
		return h, errTorn
	}
	h.records = be.Uint32(raw[20:])
	h.octets = be.Uint64(raw[32:])
	h.lastUID, h.validity, h.exists = be.Uint32(raw[28:]), be.Uint32(raw[44:]), h.records
	options, modseq, deleted, exists := 60, 68, 76, 84
	switch {
	case h.version >= 20:
		h.lastUID, h.validity = be.Uint32(raw[88:]), be.Uint32(raw[92:])
		fallthrough
	case h.version == 19:
		options, modseq, deleted, exists = 64, 72, 80, 60
	}
	if h.version >= 8 {
		h.modseq = be.Uint64(raw[modseq:])
	}
	if h.version >= 12 {
		h.deletedModseq, h.exists = be.Uint64(raw[deleted:]), be.Uint32(raw[exists:])
	}
	h.sharedSeen = be.Uint32(raw[options:])&(1<<2) != 0
	return h, nil
}

// Bits of a record's flags beside the system flags.
const (
	bitArchived = 1 << 29
	bitUnlinked = 1 << 30
	bitExpunged = 1 << 31
)

// record is one message of an index.
type record struct {
	uid      uint32
	received time.Time
	size     int64
	flags    uint32 // system flags and the bits above
	user     [4]uint32
	guid     [20]byte // SHA-1 of the file; zero before version 10
	modseq   uint64
}

// live reports that the message exists for IMAP.
func (r record) live() bool { return r.flags&(bitUnlinked|bitExpunged) == 0 }

// parseRecord reads one record of the layout.
func parseRecord(raw []byte, h indexHeader) (r record, err error) {
	be := binary.BigEndian
	if int64(len(raw)) < h.record {
		return r, fmt.Errorf("%w: it ends within a record", errIndex)
	}
	if h.checksums && crc32.ChecksumIEEE(raw[:h.record-4]) != be.Uint32(raw[h.record-4:]) {
		return r, errTorn
	}
	r.uid = be.Uint32(raw)
	at := func(o int) [4]uint32 {
		return [4]uint32{be.Uint32(raw[o:]), be.Uint32(raw[o+4:]), be.Uint32(raw[o+8:]), be.Uint32(raw[o+12:])}
	}
	if h.version >= 20 {
		r.received = time.Unix(0, int64(be.Uint64(raw[8:]))).UTC().Truncate(time.Second)
		r.size, r.flags, r.user = int64(be.Uint64(raw[24:])), be.Uint32(raw[36:]), at(40)
		copy(r.guid[:], raw[60:80])
		r.modseq = be.Uint64(raw[80:])
		return r, nil
	}
	r.received = time.Unix(int64(be.Uint32(raw[4:])), 0).UTC()
	r.size, r.flags, r.user = int64(be.Uint32(raw[12:])), be.Uint32(raw[32:]), at(36)
	switch {
	case h.version >= 10:
		copy(r.guid[:], raw[60:80])
		r.modseq = be.Uint64(raw[80:])
	case h.version >= 8:
		r.modseq = be.Uint64(raw[72:])
	}
	return r, nil
}

// system are the system flags without \Seen, which may be kept elsewhere.
func (r record) system() (f model.SystemFlags) {
	for bit, flag := range [...]model.SystemFlags{model.Answered, model.Flagged, model.Deleted, model.Draft, model.Seen} {
		if r.flags&(1<<bit) != 0 {
			f |= flag
		}
	}
	return f
}

// keywords are the names of the user flags. A flag without a name is none.
func (r record) keywords(names []string) []string {
	var out []string
	for i, n := range names {
		if n != "" && i < maxFlags && r.user[i/32]&(1<<(i%32)) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// identity is the EMAILID that Cyrus would tell over IMAP.
func (r record) identity() string {
	if r.guid == [20]byte{} {
		return ""
	}
	return fmt.Sprintf("M%x", r.guid[:12])
}

// scan is a walk over an index that may be written to meanwhile. Records are
// changed in place, each with its checksum, and new ones are added behind the
// last; to remove some the server writes a new file. So what is seen of each
// record is true, and what changes during the walk has a higher mod-sequence
// than the header read before it.
type scan struct {
	file   io.ReaderAt
	header indexHeader
	pause  func(attempt int) // before a torn record is read again
	bad    int               // records that stay unreadable
	live   uint32
	last   uint32
}

const (
	// chunk is how many records are read at once.
	chunk = 1024
	// tornReads is how often a record is read until its checksum fits.
	tornReads = 6
)

// readIndexHeader reads a header until its checksum fits.
func readIndexHeader(f io.ReaderAt, pause func(attempt int)) (h indexHeader, err error) {
	raw := make([]byte, largestHeader)
	for n := 1; ; n++ {
		k, rerr := f.ReadAt(raw, 0)
		if rerr != nil && !errors.Is(rerr, io.EOF) {
			return h, rerr
		}
		h, err = parseIndexHeader(raw[:k])
		if !errors.Is(err, errTorn) || n == tornReads {
			return h, err
		}
		pause(n)
	}
}

// run gives every record to fn, expunged ones too, in the order of UIDs, until
// fn returns false. Records that cannot be read are counted.
func (s *scan) run(fn func(record) bool) error {
	size := s.header.record
	buf := make([]byte, chunk*size)
	for n := uint32(0); n < s.header.records; n += chunk {
		want := int64(min(chunk, s.header.records-n)) * size
		at := s.header.layout.header + int64(n)*size
		k, err := s.file.ReadAt(buf[:want], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		for o := int64(0); o < want; o += size {
			var r record
			err := errIndex
			if o+size <= int64(k) {
				r, err = s.again(buf[o:o+size], at+o)
			}
			// UIDs ascend; one that does not is no message's.
			if err != nil || r.uid <= s.last {
				s.bad++
				continue
			}
			s.last = r.uid
			if r.live() {
				s.live++
			}
			if !fn(r) {
				return nil
			}
		}
		if int64(k) < want {
			// Cut off: what the header tells of more is lost.
			s.bad += int(s.header.records - n - uint32(want/size))
			return nil
		}
	}
	return nil
}

// again parses a record, and reads it again while its checksum is wrong.
func (s *scan) again(raw []byte, at int64) (record, error) {
	for n := 1; ; n++ {
		r, err := parseRecord(raw, s.header)
		if !errors.Is(err, errTorn) || n == tornReads {
			return r, err
		}
		s.pause(n)
		if _, err := s.file.ReadAt(raw, at); err != nil {
			return r, err
		}
	}
}
