package maildir

import (
	"cmp"
	"encoding/hex"
	"errors"
	"hash/fnv"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// index is what a mailbox's directories and dovecot-uidlist say together.
// Besides the file's name it takes about 10 octets a message, and is kept for
// one mailbox at a time.
type index struct {
	dir      string
	validity uint32
	files    *listing // in ascending order of UID
	// uids are those of the first files; the rest have provisional ones.
	uids        []uint32
	provisional []uint64
	// What the list of UIDs says beyond the names, if it says anything: by
	// number of the file; none is noSize and zero. Dovecot's own GUIDs are 32
	// hex digits, others are in odd.
	sizes  []uint32
	guids  [][16]byte
	odd    map[int]string
	names  [letters]string
	labels map[string][]string // Courier's keywords, by base name
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
func (x *index) len() int { return len(x.uids) + len(x.provisional) }

// uid is the UID of the i-th message.
func (x *index) uid(i int) uint64 {
	if i < len(x.uids) {
		return uint64(x.uids[i])
	}
	return x.provisional[i-len(x.uids)]
}

// message is the i-th one, in ascending order of UID.
func (x *index) message(i int) message {
	m := message{file: x.files.file(i), uid: x.uid(i), size: -1}
	if x.guids != nil && x.guids[i] != [16]byte{} {
		m.guid = hex.EncodeToString(x.guids[i][:])
	} else if len(x.odd) > 0 {
		m.guid = x.odd[i]
	}
	if x.sizes != nil && x.sizes[i] != noSize {
		m.size = int64(x.sizes[i])
	} else {
		m.size = sizeIn(m.base(), 'W')
	}
	return m
}

// from is the number of the first message with at least this UID.
func (x *index) from(uid uint64) int {
	if uid <= math.MaxUint32 {
		i, _ := slices.BinarySearch(x.uids, uint32(uid))
		return i
	}
	i, _ := slices.BinarySearch(x.provisional, uid)
	return len(x.uids) + i
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
	b := newBuilder(files)
	x := &index{dir: dir}
	control := at.controlDir(dir)
	f, err := at.open(filepath.Join(control, "dovecot-uidlist"))
	if err == nil {
		var list uidlist
		list, _, err = parseUIDList(f, b.listed)
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
	b.finish(x)
	return x, nil
}

// builder puts files in order of UID.
type builder struct {
	files *listing
	uids  []uint32 // by number of the file; 0: none
	sizes []uint32
	guids [][16]byte
	odd   map[int]string
}

func newBuilder(files *listing) *builder {
	return &builder{files: files, uids: make([]uint32, len(files.at))}
}

// listed takes over what a list of UIDs says of a file. Of two entries for one
// the later counts.
func (b *builder) listed(base string, e uidEntry) {
	i, ok := b.files.find(base)
	if !ok {
		return
	}
	b.uids[i] = e.uid
	if b.sizes == nil && e.size >= 0 {
		b.sizes = make([]uint32, len(b.uids))
		for j := range b.sizes {
			b.sizes[j] = noSize
		}
	}
	if b.sizes != nil {
		b.sizes[i] = noSize
		if e.size >= 0 && e.size < noSize {
			b.sizes[i] = uint32(e.size)
		}
	}
	if b.guids != nil {
		b.guids[i] = [16]byte{}
		delete(b.odd, i)
	}
	if e.guid == "" {
		return
	}
	if b.guids == nil {
		b.guids, b.odd = make([][16]byte, len(b.uids)), map[int]string{}
	}
	var guid [16]byte
	if n, err := hex.Decode(guid[:], []byte(e.guid[:min(len(e.guid), 32)])); n != 16 || err != nil || guid == [16]byte{} || hex.EncodeToString(guid[:]) != e.guid {
		b.odd[i] = strings.Clone(e.guid)
		return
	}
	b.guids[i] = guid
}

// unnumbered is a file without a UID of its own.
type unnumbered struct {
	uid  uint64 // provisional
	name string
	i    int
}

// finish gives a provisional UID to every message without one of its own and
// puts all in order.
func (b *builder) finish(x *index) {
	var without []unnumbered
	order := make([]uint64, 0, len(b.uids)) // UID and number
	for i, uid := range b.uids {
		if uid > 0 {
			order = append(order, uint64(uid)<<32|uint64(i))
			continue
		}
		without = append(without, b.unnumbered(i))
	}
	slices.Sort(order)
	// A damaged list may name a UID twice: the first name keeps it.
	for i := 1; i < len(order); i++ {
		if order[i]>>32 != order[i-1]>>32 {
			continue
		}
		last, this := int(uint32(order[i-1])), int(uint32(order[i]))
		if b.files.file(this).name < b.files.file(last).name {
			last, this = this, last
		}
		without = append(without, b.unnumbered(this))
		order[i] = order[i]>>32<<32 | uint64(last)
		order[i-1] = 0
	}
	order = slices.DeleteFunc(order, func(o uint64) bool { return o == 0 })
	slices.SortFunc(without, func(a, b unnumbered) int { return cmp.Or(cmp.Compare(a.uid, b.uid), cmp.Compare(a.name, b.name)) })
	x.uids = b.uids[:0]
	numbers := make([]uint32, 0, len(b.uids))
	for _, o := range order {
		numbers = append(numbers, uint32(o))
	}
	for _, o := range order {
		x.uids = append(x.uids, uint32(o>>32))
	}
	for i, u := range without {
		if i > 0 {
			u.uid = max(u.uid, x.provisional[i-1]+1)
		}
		x.provisional = append(x.provisional, u.uid)
		numbers = append(numbers, uint32(u.i))
	}
	x.sizes, x.guids = inOrder(b.sizes, numbers), inOrder(b.guids, numbers)
	if len(b.odd) > 0 {
		x.odd = make(map[int]string, len(b.odd))
		for to, from := range numbers {
			if guid, ok := b.odd[int(from)]; ok {
				x.odd[to] = guid
			}
		}
	}
	x.files = &listing{pieces: b.files.pieces, at: inOrder(b.files.at, numbers)}
}

func (b *builder) unnumbered(i int) unnumbered {
	f := b.files.file(i)
	return unnumbered{provisional(f.base()), f.name, i}
}

// inOrder returns list, if there is one, in the order of numbers.
func inOrder[T any](list []T, numbers []uint32) []T {
	if list == nil {
		return nil
	}
	out := make([]T, len(numbers))
	for to, from := range numbers {
		out[to] = list[from]
	}
	return out
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
	i, ok := 0, false
	if uid < model.ProvisionalUID {
		i, ok = slices.BinarySearch(x.uids, uint32(min(uid, math.MaxUint32)))
		ok = ok && uid <= math.MaxUint32
	} else {
		i, ok = slices.BinarySearch(x.provisional, uid)
		i += len(x.uids)
	}
	if ok {
		if m := x.message(i); guid == "" || m.identity() == guid {
			return m, true
		}
	}
	if guid == "" {
		return message{}, false
	}
	if x.byGUID == nil {
		x.byGUID = &table{}
		for i := range x.len() {
			m := x.message(i)
			x.byGUID.add(m.identity(), i, func(i int) string { m := x.message(i); return m.identity() })
		}
	}
	if i, ok = x.byGUID.find(guid, func(i int) bool { m := x.message(i); return m.identity() == guid }); ok {
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
