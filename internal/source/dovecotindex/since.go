package dovecotindex

import (
	"cmp"
	"hash/crc32"
	"slices"
)

// span are records that a transaction has added or changed flags of.
type span struct {
	seq         uint32 // the log
	end         int    // behind the transaction
	first, last uint32 // UIDs
}

// extent is a log as far as it was read.
type extent struct {
	seq uint32
	raw []byte
}

// LogSum is a checksum of the log LogSeq up to LogEnd: of a store that was
// restored and went another way since, the numbers alone could be the same.
func (x *Index) LogSum() uint32 {
	if len(x.logs) == 0 {
		return 0
	}
	return crc32.ChecksumIEEE(x.logs[len(x.logs)-1].raw)
}

// ChangedSince tells which records were added or had flags or keywords
// changed since the state at LogSeq, LogEnd and LogSum of an earlier look, for
// as long as the logs reach back there; ok is false when they do not. What was
// expunged is not told.
func (x *Index) ChangedSince(seq uint32, end int, sum uint32) (changed func(uid uint32) bool, ok bool) {
	i := slices.IndexFunc(x.logs, func(l extent) bool { return l.seq == seq })
	if i < 0 || end < 0 || end > len(x.logs[i].raw) || crc32.ChecksumIEEE(x.logs[i].raw[:end]) != sum {
		return nil, false
	}
	var spans []span
	for _, s := range x.spans {
		if s.seq > seq || s.seq == seq && s.end > end {
			spans = append(spans, s)
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	// Where spans overlap, the furthest end so far counts.
	for i := 1; i < len(spans); i++ {
		spans[i].last = max(spans[i].last, spans[i-1].last)
	}
	return func(uid uint32) bool {
		i, found := slices.BinarySearchFunc(spans, uid, func(s span, uid uint32) int { return cmp.Compare(s.first, uid) })
		if !found {
			i--
		}
		return found || i >= 0 && spans[i].last >= uid
	}, true
}

// note remembers whom a transaction concerns.
func (s *state) note(l *logFile, end int, t transaction) {
	d, mark := t.data, func(first, last uint32) {
		s.spans = append(s.spans, span{l.seq, end, first, last})
	}
	switch t.kind {
	case typeAppend:
		for ; len(d) >= 8; d = d[8:] {
			uid := l.order.Uint32(d)
			if n := len(s.spans); n > 0 && s.spans[n-1].end == end && s.spans[n-1].seq == l.seq && s.spans[n-1].last+1 == uid {
				s.spans[n-1].last = uid
				continue
			}
			mark(uid, uid)
		}
	case typeFlags:
		for ; len(d) >= 12; d = d[12:] {
			if (d[8]|d[9])&(Answered|Flagged|Deleted|Seen|Draft) != 0 {
				mark(l.order.Uint32(d), l.order.Uint32(d[4:]))
			}
		}
	case typeKeyword:
		if len(d) < 4 {
			return
		}
		d = d[min(len(d), align(4+int(l.order.Uint16(d[2:])), 4)):]
		fallthrough
	case typeKeywordReset:
		for ; len(d) >= 8; d = d[8:] {
			mark(l.order.Uint32(d), l.order.Uint32(d[4:]))
		}
	}
}

// scan notes what an older log tells, without carrying it out: the index knows
// already. It must end where the next one says.
func (s *state) scan(l *logFile, upTo int) {
	spans := len(s.spans)
	at := l.start
	for at < upTo {
		t, next, ok := l.next(at)
		if !ok {
			break
		}
		s.note(l, next, t)
		at = next
	}
	if at != upTo {
		s.spans = s.spans[:spans]
		return
	}
	s.logs = append(s.logs, extent{l.seq, l.raw[:at]})
}
