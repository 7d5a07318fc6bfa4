package dovecotindex

import (
	"bytes"
)

const (
	modseqName = "modseq"
	introSize  = 20
	byName     = 0xffffffff
	noShrink   = 1
)

// replay applies the transactions of a log from an offset on and returns
// where the log ends.
func (s *state) replay(l *logFile, from int) (end int, err error) {
	if l.order != s.Order {
		return from, damaged("the log has another byte order than the index")
	}
	modseq := l.modseq
	at := l.start
	for {
		t, next, ok := l.next(at)
		if !ok {
			break
		}
		modseq = l.countModSeq(modseq, t)
		s.HighestModSeq = max(s.HighestModSeq, modseq)
		s.note(l, next, t)
		if at >= from {
			if err := s.apply(t); err != nil {
				return at, err
			}
		} else if next > from {
			return at, damaged("the index continues within a transaction of its log")
		}
		at = next
	}
	if from > at {
		return at, damaged("the index continues at %d of a log that ends at %d", from, at)
	}
	return at, nil
}

// apply carries one transaction out.
func (s *state) apply(t transaction) error {
	d := t.data
	u32 := func(at int) uint32 { return s.Order.Uint32(d[at:]) }
	switch t.kind {
	case typeAppend:
		for ; len(d) >= 8; d = d[8:] {
			if err := s.append(u32(0), d[4]); err != nil {
				return err
			}
		}
	case typeExpunge:
		for ; len(d) >= 8; d = d[8:] {
			s.expunge(u32(0), u32(4), t.external)
		}
	case typeExpungeGUID:
		for ; len(d) >= 20; d = d[20:] {
			s.expunge(u32(0), u32(0), t.external)
		}
	case typeFlags:
		for ; len(d) >= 12; d = d[12:] {
			s.edit(edit{kind: editFlags, add: d[8], remove: d[9], first: u32(0), last: u32(4)})
			if (d[8]|d[9])&(Answered|Flagged|Deleted|Seen|Draft) != 0 || d[10] != 0 {
				s.touched(u32(0), u32(4))
			}
		}
	case typeHeader:
		return s.header(d)
	case typeIntro:
		return s.intros(d)
	case typeReset:
		if len(d) >= 4 && s.current != nil {
			s.reset(u32(0), len(d) >= 8 && d[4] != 0)
		}
	case typeExtHeader, typeExtHeader32:
		return s.extHeader(d, t.kind == typeExtHeader32)
	case typeExtRecord:
		return s.extRecords(d)
	case typeIncrement:
		for ; len(d) >= 8; d = d[8:] {
			s.increment(u32(0), int32(u32(4)))
		}
	case typeKeyword:
		return s.keywordUpdate(d)
	case typeKeywordReset:
		e := s.Extension(keywordsName)
		for ; e != nil && len(d) >= 8; d = d[8:] {
			s.edit(e.edit(editClear, 0).from(u32(0), u32(4)))
			s.touched(u32(0), u32(4))
		}
	case typeModSeq:
		s.modseqUpdate(d)
	case typeRemoved:
		s.Removed = s.Removed || t.external
	case typeRestored:
		s.Removed = false
	case typeBoundary, typeAttribute:
	default:
		return damaged("the log has a transaction of unknown type %#x", t.kind)
	}
	return nil
}

func (s *state) append(uid uint32, flags uint8) error {
	if next := s.Order.Uint32(s.head[atNextUID:]); uid < next || uid == 0 || uid == byName {
		return damaged("UID %d is added, but the next is %d", uid, next)
	}
	if last, ok := s.lastUID(); ok && uid <= last {
		return damaged("UID %d is added after %d", uid, last)
	}
	if err := s.fits(s.rows.len()+1, 0); err != nil {
		return err
	}
	s.Order.PutUint32(s.head[atNextUID:], uid+1)
	s.rows.append(uid, flags)
	s.touched(uid, uid)
	return nil
}

// expunge takes records out; before the server has done it, it is a request.
func (s *state) expunge(first, last uint32, done bool) {
	e := edit{kind: editAsk, first: first, last: last}
	if done {
		e.kind = editExpunge
	}
	s.edit(e)
}

// header carries out updates of the base header. None lowers the next UID.
func (s *state) header(d []byte) error {
	next := s.Order.Uint32(s.head[atNextUID:])
	for len(d) >= 4 {
		at, n := int(s.Order.Uint16(d)), int(s.Order.Uint16(d[2:]))
		if 4+n > len(d) || at+n > len(s.head) {
			return damaged("a header update of %d octets at %d", n, at)
		}
		copy(s.head[at:], d[4:4+n])
		d = d[min(len(d), align(4+n, 4)):]
	}
	if s.Order.Uint32(s.head[atNextUID:]) < next {
		s.Order.PutUint32(s.head[atNextUID:], next)
	}
	return nil
}

// touched gives records the present modification sequence, once the server
// counts for each record.
func (s *state) touched(first, last uint32) {
	if e := s.Extension(modseqName); e != nil && e.Size >= 8 {
		s.edit(e.edit(editRaise, s.HighestModSeq).from(first, last))
	}
}

// startModSeq gives what was there when the server began to count for each
// record the sequence that it had then.
func (s *state) startModSeq(e *Extension) {
	if len(e.Header) >= 8 && e.Size >= 8 {
		s.edit(e.edit(editStart, s.Order.Uint64(e.Header)).all())
	}
}

// modseqUpdate sets sequences that came from elsewhere, by dsync.
func (s *state) modseqUpdate(d []byte) {
	e := s.Extension(modseqName)
	for ; e != nil && e.Size >= 8 && len(d) >= 12; d = d[12:] {
		n := uint64(s.Order.Uint32(d[8:]))<<32 | uint64(s.Order.Uint32(d[4:]))
		s.edit(e.edit(editModSeq, n).of(s.Order.Uint32(d)))
	}
}

// keywordUpdate adds a keyword to records, or takes it away. A keyword that
// is new becomes known, and the first one of all makes the extension: there
// is no introduction of it in the log.
func (s *state) keywordUpdate(d []byte) error {
	if len(d) < 4 {
		return damaged("a keyword update of %d octets", len(d))
	}
	remove, n := d[0] == 1, int(s.Order.Uint16(d[2:]))
	at := align(4+n, 4)
	if n == 0 || at > len(d) {
		return damaged("a keyword update with a name of %d octets", n)
	}
	name := string(bytes.TrimRight(d[4:4+n], "\x00"))
	e := s.Extension(keywordsName)
	if e == nil {
		e = s.introduced(keywordsName)
	}
	k := s.keyword(name)
	if k < 0 {
		if name == "" || len(s.keywords) >= maxExtensions*8 {
			return damaged("too many keywords")
		}
		k = len(s.keywords)
		s.keywords = append(s.keywords, name)
	}
	if need := k/8 + 1; e.Size < need {
		if err := s.resize(e, align(need, 4)); err != nil {
			return err
		}
	}
	set := e.edit(editBit, uint64(k))
	if remove {
		set.kind = editNoBit
	}
	for d = d[at:]; len(d) >= 8; d = d[8:] {
		first, last := s.Order.Uint32(d), s.Order.Uint32(d[4:])
		s.edit(set.from(first, last))
		s.touched(first, last)
	}
	return nil
}
