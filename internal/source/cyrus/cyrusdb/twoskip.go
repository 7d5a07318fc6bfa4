package cyrusdb

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"mailhaul.org/mailhaul/internal/plural"
)

// The header of twoskip: magic, version, generation, records, size at the
// last repack, current size, flags, checksum.
const (
	twoskipHeader  = 64
	twoskipMax     = 31 // levels
	twoskipDummy   = '='
	twoskipAdd     = '+'
	twoskipDelete  = '-'
	twoskipCommit  = '$'
	twoskipBlank   = " BLANK\x07\xa0"
	twoskipDirty   = 1
	twoskipVersion = 1
)

func were(records []Record) string {
	return plural.Count(len(records), "record") + plural.Of(len(records), " was", " were")
}

// twoskip walks the lowest level of pointers. Deletions name what follows
// them, not what they delete, so a replay from start to end would not do.
func twoskip(raw []byte) ([]Record, error) {
	if len(raw) < twoskipHeader || crc32.ChecksumIEEE(raw[:60]) != binary.BigEndian.Uint32(raw[60:]) {
		records := twoskipScan(raw)
		return records, damaged("the header's checksum is wrong; %s found by searching", were(records))
	}
	if v := binary.BigEndian.Uint32(raw[20:]); v > twoskipVersion {
		return nil, unsupported("twoskip of a newer version")
	}
	count := binary.BigEndian.Uint64(raw[32:])
	end := binary.BigEndian.Uint64(raw[48:])
	dirty := binary.BigEndian.Uint32(raw[56:])&twoskipDirty != 0
	if end > uint64(len(raw)) {
		records := twoskipScan(raw)
		return records, damaged("it is cut off at %d of %d octets; %s found by searching", len(raw), end, were(records))
	}
	var records []Record
	seen := map[uint64]bool{}
	for at := uint64(twoskipHeader); at != 0; {
		r, ok := twoskipAt(raw, at)
		if !ok || seen[at] || len(seen) == 0 && r.kind != twoskipDummy {
			found := twoskipScan(raw)
			return found, damaged("the record at %d cannot be read; %s found by searching, the header tells %d", at, were(found), count)
		}
		seen[at] = true
		switch r.kind {
		case twoskipAdd:
			if !r.whole {
				return append(records, twoskipScan(raw)...), damaged("the record %.60q has a wrong checksum", r.key)
			}
			records = append(records, Record{r.key, r.value})
		case twoskipDummy, twoskipDelete:
		default:
			return append(records, twoskipScan(raw)...), damaged("there is no record at %d", at)
		}
		at = r.next(end)
	}
	// With the dirty flag the header is ahead of the data, or the server has
	// died in a transaction: what is committed is what was walked.
	if uint64(len(records)) != count && !dirty {
		return records, damaged("%s instead of %d", plural.Count(len(records), "record"), count)
	}
	if uint64(len(records)) != count {
		return records, errUnderWay
	}
	return records, nil
}

type twoskipRecord struct {
	kind       byte
	pointers   []uint64
	key, value []byte
	whole      bool   // key and value have the right checksum
	size       uint64 // of the whole record
}

// next is the offset of the next record on the lowest level: level 0 has two
// pointers, written in turn, and the younger one below the end counts.
func (r twoskipRecord) next(end uint64) uint64 {
	if r.kind == twoskipDelete {
		return r.pointers[0]
	}
	var to uint64
	for _, p := range r.pointers[:min(2, len(r.pointers))] {
		if p < end {
			to = max(to, p)
		}
	}
	return to
}

// twoskipAt reads the record at an offset; ok tells that its head is right.
func twoskipAt(raw []byte, at uint64) (r twoskipRecord, ok bool) {
	size := uint64(len(raw))
	if at%8 != 0 || at < twoskipHeader || at > size || size-at < 8 {
		return r, false
	}
	head := raw[at:]
	r.kind = head[0]
	level := uint64(head[1])
	key, value := uint64(binary.BigEndian.Uint16(head[2:])), uint64(binary.BigEndian.Uint32(head[4:]))
	n := uint64(8)
	long := func() uint64 {
		if uint64(len(head)) < n+8 {
			return size + 1
		}
		n += 8
		return binary.BigEndian.Uint64(head[n-8:])
	}
	if key == 0xffff {
		key = long()
	}
	if value == 0xffffffff {
		value = long()
	}
	// A record of level 1 has two pointers on the lowest level, so there are
	// as many as levels and one more.
	pointers := level + 1
	switch r.kind {
	case twoskipAdd, twoskipDummy, twoskipDelete, twoskipCommit:
	default:
		return r, false
	}
	if level > twoskipMax || key > size || value > size || uint64(len(head)) < n+8*pointers+8 {
		return r, false
	}
	for range pointers {
		r.pointers = append(r.pointers, binary.BigEndian.Uint64(head[n:]))
		n += 8
	}
	if crc32.ChecksumIEEE(head[:n]) != binary.BigEndian.Uint32(head[n:]) {
		return r, false
	}
	tail := binary.BigEndian.Uint32(head[n+4:])
	n += 8
	data := (key + value + 7) / 8 * 8
	r.size = n + data
	if uint64(len(head)) < r.size {
		return r, false
	}
	body := head[n:r.size]
	r.key, r.value = body[:key:key], body[key:key+value:key+value]
	r.whole = crc32.ChecksumIEEE(body) == tail
	return r, true
}

// twoskipScan looks for whole records from start to end, for a file whose
// pointers cannot be followed. What was deleted may be among them: nothing
// tells. The last record of a key comes first.
func twoskipScan(raw []byte) []Record {
	var records []Record
	for at := uint64(twoskipHeader); at+8 <= uint64(len(raw)); {
		if bytes.HasPrefix(raw[at:], []byte(twoskipBlank)) {
			at += 8
			continue
		}
		r, ok := twoskipAt(raw, at)
		if !ok {
			at += 8
			continue
		}
		if r.kind == twoskipAdd && r.whole {
			records = append(records, Record{r.key, r.value})
		}
		at += r.size
	}
	for i, j := 0, len(records)-1; i < j; i, j = i+1, j-1 {
		records[i], records[j] = records[j], records[i]
	}
	return records
}
