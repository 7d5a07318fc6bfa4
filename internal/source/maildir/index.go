package maildir

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"hash/fnv"
	"hash/maphash"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// index is what a mailbox's directories and dovecot-uidlist say together.
// It takes some 30 octets a message, and is kept for one mailbox at a time.
type index struct {
	dir      string
	validity uint32
	files    *listing
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
	names       [letters]string
	labels      map[string][]string // Courier's keywords, by base name
	// more are the keywords that file names cannot carry, by UID.
	more   map[uint64][]string
	byGUID *table
	// moved is where the files were when one of them was not found.
	moved *listing
}

const noSize = math.MaxUint32

// message is one file with what the list of UIDs says of it.
type message struct {
	file
	uid  uint64
	guid string // empty: the base name
	size int64  // with CRLF as the server noted it, or -1
}

func (m *message) identity() string {
	if m.guid != "" {
		return m.guid
	}
	return m.base()
}

// len is the number of messages.
func (x *index) len() int { return len(x.order) }

// listed is the number of messages with a UID of their own, the first ones.
func (x *index) listed() int { return len(x.order) - len(x.provisional) }

// uid is the UID of the i-th message.
func (x *index) uid(i int) uint64 {
	if n := x.listed(); i >= n {
		return x.provisional[i-n]
	}
	return uint64(x.uids[x.order[i]])
}

// message is the i-th one, in ascending order of UID.
func (x *index) message(i int) message {
	n := int(x.order[i])
	m := message{file: x.files.file(n), uid: x.uid(i), size: -1}
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
	return m
}

// from is the number of the first message with at least this UID.
func (x *index) from(uid uint64) int {
	return sort.Search(x.len(), func(i int) bool { return x.uid(i) >= uid })
}

// readIndex reads the directories first and the list of UIDs after them: a
// message that arrives in between is left for the next run rather than taken
// for one without UID. Of a damaged list counts what can be read.
func readIndex(at place, dir string, now time.Time) (*index, error) {
	if at.courier(dir) {
		return readCourier(at, dir, now)
	}
	files, err := scan(at, dir, now)
	if err != nil {
		return nil, err
	}
	x := newIndex(dir, files)
	control := at.controlDir(dir)
	f, err := at.open(filepath.Join(control, "dovecot-uidlist"))
	if err == nil {
		var list uidlist
		list, _, err = parseUIDList(f, x.enlist)
		f.Close()
		x.validity = list.validity
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errUIDList) {
		return nil, err
	}
	f, err = at.open(filepath.Join(control, "dovecot-keywords"))
	if err == nil {
		var full bool
		x.names, full, err = parseKeywords(f)
		f.Close()
		if err == nil && full {
			err = x.readMore(at)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		// Going on would take everybody's keywords away.
		return nil, err
	}
	x.finish()
	return x, nil
}

func newIndex(dir string, files *listing) *index {
	n := len(files.at)
	return &index{dir: dir, files: files, uids: make([]uint32, n), order: make([]uint32, 0, n)}
}

// enlist takes over what a list of UIDs says of a file. Of two entries for one
// the later counts.
func (x *index) enlist(base []byte, e uidEntry) {
	i, ok := x.files.find(base)
	if !ok {
		return
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
		return
	}
	if x.guids == nil {
		x.guids, x.odd = make([][16]byte, len(x.uids)), map[int]string{}
	}
	guid, ok := dovecotGUID(e.guid)
	if !ok {
		x.odd[i] = string(e.guid)
		return
	}
	x.guids[i] = guid
}

// dovecotGUID reads a GUID as Dovecot writes its own: 32 digits in lower case.
func dovecotGUID(text []byte) (guid [16]byte, ok bool) {
	if len(text) != 2*len(guid) || bytes.ContainsAny(text, "ABCDEF") {
		return guid, false
	}
	_, err := hex.Decode(guid[:], text)
	return guid, err == nil && guid != [16]byte{}
}

// finish gives a provisional UID to every message without one of its own and
// puts all in order.
func (x *index) finish() {
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
}

// number gives provisional UIDs.
func (x *index) number() {
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

// provisional is a UID for a file that no server has listed yet: in the order
// of delivery, and the same in every run. A name tells the second of delivery
// (33 bits of the UID) and often the microsecond (20 bits), the rest is a hash.
func provisional(base string) uint64 {
	h := fnv.New32a()
	h.Write([]byte(base))
	low := uint64(h.Sum32() >> 4)
	if us := microsecondOf(base); us >= 0 {
		low = uint64(us)<<8 | low&0xff
	}
	return model.ProvisionalUID + uint64(bornAt(base))<<28 + low
}

// find looks a message up by UID or, failing that, by identity.
func (x *index) find(uid uint64, guid string) (message, bool) {
	if i := x.from(uid); i < x.len() && x.uid(i) == uid {
		if m := x.message(i); guid == "" || m.identity() == guid {
			return m, true
		}
	}
	if guid == "" {
		return message{}, false
	}
	hashOf := func(i int) uint64 { m := x.message(i); return maphash.String(tableSeed, m.identity()) }
	if x.byGUID == nil {
		x.byGUID = &table{}
		for i := range x.len() {
			x.byGUID.add(hashOf(i), i, hashOf)
		}
	}
	is := func(i int) bool { m := x.message(i); return m.identity() == guid }
	if i, ok := x.byGUID.find(maphash.String(tableSeed, guid), is); ok {
		return x.message(i), true
	}
	return message{}, false
}

// flags are the system flags and keywords of a message.
func (x *index) flags(m *message) model.Flags {
	f := parseName(m.name)
	if len(x.labels) > 0 {
		return model.Flags{System: f.system, Keywords: x.labels[f.base]}
	}
	keywords := keywordsOf(f.letters, &x.names)
	if more := x.more[m.uid]; len(more) > 0 {
		keywords = append(keywords, more...)
		slices.Sort(keywords)
	}
	return model.Flags{System: f.system, Keywords: keywords}
}
