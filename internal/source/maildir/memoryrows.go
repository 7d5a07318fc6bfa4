package maildir

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"hash/maphash"
	"math"
	"slices"
	"sort"
)

// memoryRows keeps some 30 octets a message.
type memoryRows struct {
	files *listing
	// By number of the file: the UID, 0 where the list of UIDs has none, and what
	// the list says beyond the names, if it says anything: none is noSize and
	// zero. Dovecot's own GUIDs are 32 hex digits, others are in odd.
	uids  []uint32
	sizes []uint32
	guids [][16]byte
	odd   map[int]string
	// order are the numbers in ascending order of UID; the last have the
	// provisional ones.
	order       []uint32
	provisional []uint64
	labels      map[string][]string // by base name
	byGUID      *table
}

const noSize = math.MaxUint32

func newMemoryRows(files *listing) *memoryRows {
	n := len(files.at)
	return &memoryRows{files: files, uids: make([]uint32, n), order: make([]uint32, 0, n)}
}

func (x *memoryRows) enlist(base []byte, e uidEntry) error {
	i, ok := x.files.find(base)
	if !ok {
		return nil
	}
	if x.uids[i] == 0 {
		x.order = append(x.order, uint32(i))
	}
	x.uids[i] = e.uid
	if x.sizes == nil && e.size >= 0 {
		x.sizes = make([]uint32, len(x.uids))
		for j := range x.sizes {
			x.sizes[j] = noSize
		}
	}
	if x.sizes != nil {
		x.sizes[i] = noSize
		if e.size >= 0 && e.size < noSize {
			x.sizes[i] = uint32(e.size)
		}
	}
	if x.guids != nil {
		x.guids[i] = [16]byte{}
		delete(x.odd, i)
	}
	if len(e.guid) == 0 {
		return nil
	}
	if x.guids == nil {
		x.guids, x.odd = make([][16]byte, len(x.uids)), map[int]string{}
	}
	guid, ok := dovecotGUID(e.guid)
	if !ok {
		x.odd[i] = string(e.guid)
		return nil
	}
	x.guids[i] = guid
	return nil
}

// dovecotGUID reads a GUID as Dovecot writes its own: 32 digits in lower case.
func dovecotGUID(text []byte) (guid [16]byte, ok bool) {
	if len(text) != 2*len(guid) || bytes.ContainsAny(text, "ABCDEF") {
		return guid, false
	}
	_, err := hex.Decode(guid[:], text)
	return guid, err == nil && guid != [16]byte{}
}

func (x *memoryRows) label(base []byte, keywords []string) error {
	if _, ok := x.files.find(base); !ok {
		return nil
	}
	if x.labels == nil {
		x.labels = map[string][]string{}
	}
	x.labels[string(base)] = keywords
	return nil
}

// finish gives a provisional UID to every message without one of its own and
// puts all in order.
func (x *memoryRows) finish() error {
	x.files.table = table{}
	byUID := func(a, b uint32) int { return cmp.Compare(x.uids[a], x.uids[b]) }
	// Servers write the list in order.
	if !slices.IsSortedFunc(x.order, byUID) {
		slices.SortFunc(x.order, byUID)
	}
	// A damaged list may name a UID twice: the first name keeps it.
	kept := x.order[:0]
	for _, n := range x.order {
		last := len(kept) - 1
		if last < 0 || x.uids[kept[last]] != x.uids[n] {
			kept = append(kept, n)
			continue
		}
		if x.files.file(int(n)).name < x.files.file(int(kept[last])).name {
			n, kept[last] = kept[last], n
		}
		x.uids[n] = 0
	}
	x.order = kept
	if len(kept) < len(x.uids) {
		x.number()
	}
	return nil
}

// number gives provisional UIDs.
func (x *memoryRows) number() {
	type unnumbered struct {
		uid uint64
		n   uint32
	}
	without := make([]unnumbered, 0, len(x.uids)-len(x.order))
	for n, uid := range x.uids {
		if uid == 0 {
			without = append(without, unnumbered{provisional(x.files.file(n).base()), uint32(n)})
		}
	}
	slices.SortFunc(without, func(a, b unnumbered) int {
		if c := cmp.Compare(a.uid, b.uid); c != 0 || a.n == b.n {
			return c
		}
		return cmp.Compare(x.files.file(int(a.n)).name, x.files.file(int(b.n)).name)
	})
	x.provisional = make([]uint64, len(without))
	for i, u := range without {
		if i > 0 {
			u.uid = max(u.uid, x.provisional[i-1]+1)
		}
		x.provisional[i] = u.uid
		x.order = append(x.order, u.n)
	}
}

func (x *memoryRows) len() int { return len(x.order) }

func (x *memoryRows) listed() int { return len(x.order) - len(x.provisional) }

func (x *memoryRows) uid(i int) (uint64, error) { return x.uidOf(i), nil }

func (x *memoryRows) uidOf(i int) uint64 {
	if n := x.listed(); i >= n {
		return x.provisional[i-n]
	}
	return uint64(x.uids[x.order[i]])
}

func (x *memoryRows) message(i int) (message, error) { return x.messageOf(i), nil }

func (x *memoryRows) messageOf(i int) message {
	n := int(x.order[i])
	m := message{file: x.files.file(n), uid: x.uidOf(i), size: -1}
	if x.guids != nil && x.guids[n] != [16]byte{} {
		m.guid = hex.EncodeToString(x.guids[n][:])
	} else if len(x.odd) > 0 {
		m.guid = x.odd[n]
	}
	if x.sizes != nil && x.sizes[n] != noSize {
		m.size = int64(x.sizes[n])
	} else {
		m.size = sizeIn(m.base(), 'W')
	}
	if len(x.labels) > 0 {
		m.labels = x.labels[m.base()]
	}
	return m
}

func (x *memoryRows) from(uid uint64) (int, error) {
	return sort.Search(x.len(), func(i int) bool { return x.uidOf(i) >= uid }), nil
}

func (x *memoryRows) identified(guid string) (message, bool, error) {
	if x.byGUID == nil {
		hashOf := func(i int) uint64 { m := x.messageOf(i); return maphash.String(tableSeed, m.identity()) }
		x.byGUID = &table{}
		for i := range x.len() {
			x.byGUID.add(hashOf(i), i, hashOf)
		}
	}
	is := func(i int) bool { m := x.messageOf(i); return m.identity() == guid }
	if i, ok := x.byGUID.find(maphash.String(tableSeed, guid), is); ok {
		return x.messageOf(i), true, nil
	}
	return message{}, false, nil
}

func (x *memoryRows) close() error { return nil }
