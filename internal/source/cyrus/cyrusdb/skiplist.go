package cyrusdb

import (
	"encoding/binary"
)

// Record types of skiplist, and its header: magic, version, minor version,
// highest level, current level, live records, start of the log, time of the
// last recovery.
const (
	skiplistHeader  = 48
	skiplistInOrder = 1
	skiplistAdd     = 2
	skiplistDelete  = 4
	skiplistCommit  = 255
	skiplistDummy   = 257
)

// skiplist replays the file: records before the log are live, those in it
// count from their commit on.
func skiplist(raw []byte) ([]Record, error) {
	if len(raw) < skiplistHeader {
		return nil, damaged("it ends within its header")
	}
	be := binary.BigEndian
	if v := be.Uint32(raw[20:]); v != 1 {
		return nil, unsupported("skiplist of another version")
	}
	log := be.Uint32(raw[40:])
	live := map[uint32]Record{} // by offset
	type step struct {
		at   uint32
		add  *Record
		gone uint32
	}
	var pending []step
	var why error
	at := uint64(skiplistHeader)
	size := uint64(len(raw))
replay:
	for at+4 <= size {
		start := uint32(at)
		kind := be.Uint32(raw[at:])
		switch kind {
		case 0: // left by a crash
			at += 4
		case skiplistCommit:
			at += 4
			for _, s := range pending {
				if s.add != nil {
					live[s.at] = *s.add
				} else {
					delete(live, s.gone)
				}
			}
			pending = pending[:0]
		case skiplistDelete:
			if at+8 > size {
				why = damaged("it is cut off at %d", at)
				break replay
			}
			pending = append(pending, step{at: start, gone: be.Uint32(raw[at+4:])})
			at += 8
		case skiplistDummy, skiplistInOrder, skiplistAdd:
			r, n, ok := skiplistAt(raw[at:])
			if !ok {
				why = damaged("the record at %d cannot be read; what follows it is lost", at)
				break replay
			}
			at += n
			switch {
			case kind == skiplistDummy:
			case start < log:
				live[start] = r
			default:
				pending = append(pending, step{at: start, add: &r})
			}
		default:
			why = damaged("there is no record at %d; what follows is lost", at)
			break replay
		}
	}
	records := make([]Record, 0, len(live))
	for _, r := range live {
		records = append(records, r)
	}
	// The header's count is not kept up to date between checkpoints.
	return records, why
}

// skiplistAt reads a record with key, value and pointers, and its length.
func skiplistAt(raw []byte) (r Record, n uint64, ok bool) {
	size, n := uint64(len(raw)), uint64(4)
	field := func() []byte {
		if n+4 > size {
			return nil
		}
		l := uint64(binary.BigEndian.Uint32(raw[n:]))
		n += 4
		if l > size || n+l > size {
			return nil
		}
		b := raw[n : n+l : n+l]
		n += (l + 3) / 4 * 4
		return b
	}
	if r.Key = field(); r.Key == nil {
		return r, 0, false
	}
	if r.Value = field(); r.Value == nil {
		return r, 0, false
	}
	for n+4 <= size {
		p := binary.BigEndian.Uint32(raw[n:])
		n += 4
		if p == 0xffffffff {
			return r, n, true
		}
	}
	return r, 0, false
}
