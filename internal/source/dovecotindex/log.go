package dovecotindex

import (
	"encoding/binary"
)

// Offsets in struct mail_transaction_log_header (mail-transaction-log.h), 40
// octets.
const (
	logHeaderSize = 40
	majorLog      = 1
	atLogIndexID  = 4
	atFileSeq     = 8
	atPrevSeq     = 12
	atPrevOffset  = 16
	atModSeq      = 24
	atLogCompat   = 32
)

// Types of transactions, the low 28 bits as a whole: those of expunges carry
// a guard that overlaps others (enum mail_transaction_type).
const (
	typeAppend       = 0x2
	typeExpunge      = 0xCD91
	typeExpungeGUID  = 0xED90
	typeFlags        = 0x4
	typeHeader       = 0x20
	typeIntro        = 0x40
	typeReset        = 0x80
	typeExtHeader    = 0x100
	typeExtRecord    = 0x200
	typeKeyword      = 0x400
	typeKeywordReset = 0x800
	typeIncrement    = 0x1000
	typeModSeq       = 0x8000
	typeExtHeader32  = 0x10000
	typeRemoved      = 0x20000
	typeRestored     = 0x40000
	typeBoundary     = 0x80000
	typeAttribute    = 0x100000

	typeMask = 0x0fffffff
	external = 0x10000000 // done, rather than asked for
)

// logFile is one transaction log.
type logFile struct {
	raw                               []byte
	order                             binary.ByteOrder
	indexID, seq, prevSeq, prevOffset uint32
	start                             int // of the first transaction
	minor                             byte
	modseq                            uint64 // before the first transaction
}

func parseLog(raw []byte) (*logFile, error) {
	if len(raw) < logHeaderSize-8 {
		return nil, damaged("%d octets are no header of a log", len(raw))
	}
	if raw[0] != majorLog {
		return nil, damaged("the log's version is %d, not %d", raw[0], majorLog)
	}
	l := &logFile{raw: raw, order: binary.LittleEndian, minor: raw[1]}
	// A header from before 2.1 tells nothing of the order. The size of a
	// big-endian one looks large here.
	if l.order.Uint16(raw[2:]) > atLogCompat && len(raw) > atLogCompat {
		l.order = order(raw[atLogCompat])
	}
	l.start = int(l.order.Uint16(raw[2:]))
	if l.start < 24 || l.start > len(raw) {
		return nil, damaged("the log's header has %d octets", l.start)
	}
	l.indexID, l.seq = l.order.Uint32(raw[atLogIndexID:]), l.order.Uint32(raw[atFileSeq:])
	l.prevSeq, l.prevOffset = l.order.Uint32(raw[atPrevSeq:]), l.order.Uint32(raw[atPrevOffset:])
	if l.start >= atLogCompat {
		l.modseq = l.order.Uint64(raw[atModSeq:])
	}
	if l.indexID == 0 {
		return nil, damaged("the server has marked the log as damaged")
	}
	return l, nil
}

// transaction is one record of a log.
type transaction struct {
	kind     uint32
	external bool
	data     []byte
}

// next returns the transaction at an offset and the offset behind it. ok is
// false at the end, which may be one that is being written or was never
// written to its end.
func (l *logFile) next(at int) (t transaction, end int, ok bool) {
	if len(l.raw)-at < 8 {
		return t, at, false
	}
	n := unfoldSize(l.raw[at:])
	if n < 8 || n > len(l.raw)-at {
		return t, at, false
	}
	kind := l.order.Uint32(l.raw[at+4:])
	t = transaction{kind: kind & typeMask, external: kind&external != 0, data: l.raw[at+8 : at+n]}
	if t.kind == typeBoundary && len(t.data) >= 4 {
		// Its transactions count together or not at all.
		if span := l.order.Uint32(t.data); int64(span) > int64(len(l.raw)-at) || !l.whole(at+n, at+int(span)) {
			return t, at, false
		}
	}
	return t, at + n, true
}

// whole reports whether all transactions from at to end have been written.
func (l *logFile) whole(at, end int) bool {
	for at < end {
		if len(l.raw)-at < 8 {
			return false
		}
		n := unfoldSize(l.raw[at:])
		if n < 8 || n > end-at {
			return false
		}
		at += n
	}
	return at == end
}

// unfoldSize reads the size of a transaction: 28 bits, big-endian, a bit set
// in each octet once it is written (mail_index_offset_to_uint32).
func unfoldSize(b []byte) int {
	n := 0
	for _, c := range b[:4] {
		if c&0x80 == 0 {
			return 0
		}
		n = n<<7 | int(c&0x7f)
	}
	return n << 2
}

// countModSeq returns the modification sequence after a transaction
// (mail_transaction_update_modseq). Counting begins when the extension is
// introduced.
func (l *logFile) countModSeq(now uint64, t transaction) uint64 {
	if now == 0 {
		if t.kind == typeIntro && len(t.data) >= introSize {
			name := int(l.order.Uint16(t.data[18:]))
			if name <= len(t.data)-introSize && string(t.data[introSize:introSize+name]) == modseqName {
				return 1
			}
		}
		return now
	}
	switch t.kind {
	case typeExpunge, typeExpungeGUID:
		if t.external {
			now++
		}
	case typeAppend, typeKeyword, typeKeywordReset, typeAttribute:
		now++
	case typeFlags:
		for d := t.data; len(d) >= 12; d = d[12:] {
			if d[8]|d[9] != 0 && (d[8]|d[9])&^(Answered|Flagged|Deleted|Seen|Draft) != d[8]|d[9] || d[10] != 0 || l.minor < 2 {
				return now + 1
			}
		}
	case typeModSeq:
		for d := t.data; len(d) >= 12; d = d[12:] {
			now = max(now, uint64(l.order.Uint32(d[8:]))<<32|uint64(l.order.Uint32(d[4:])))
		}
	}
	return now
}
