package maildir

import (
	"cmp"
	"errors"
	"hash/fnv"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// index is what a mailbox's directories and dovecot-uidlist say together.
// It takes about 200 octets a message and is kept for one mailbox at a time.
type index struct {
	dir      string
	validity uint32
	messages []message // in ascending order of UID
	names    [letters]string
	labels   map[string][]string // Courier's keywords, by base name
	// more are the keywords that file names cannot carry, by UID.
	more   map[uint64][]string
	byGUID map[string]int
	// moved is where the files were when one of them was not found.
	moved map[string]file
}

// file is a name in cur, or in new.
type file struct {
	name string
	new  bool
}

func (f file) base() string { return parseName(f.name).base }

func (f file) path(dir string) string {
	if f.new {
		return filepath.Join(dir, "new", f.name)
	}
	return filepath.Join(dir, "cur", f.name)
}

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
	x := &index{dir: dir}
	byBase := x.collect(files)
	control := at.controlDir(dir)
	f, err := at.open(filepath.Join(control, "dovecot-uidlist"))
	if err == nil {
		var list uidlist
		list, _, err = parseUIDList(f, func(base string, e uidEntry) {
			if i, ok := byBase[base]; ok {
				x.messages[i].uid, x.messages[i].guid, x.messages[i].size = uint64(e.uid), strings.Clone(e.guid), e.size
			}
		})
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
	x.number()
	return x, nil
}

// collect makes a message of every file. One that was renamed while the
// directories were read shows twice: the later finding counts.
func (x *index) collect(files []file) (byBase map[string]int) {
	byBase = make(map[string]int, len(files))
	x.messages = make([]message, 0, len(files))
	for _, f := range files {
		base := f.base()
		if i, ok := byBase[base]; ok {
			x.messages[i].file = f
			continue
		}
		byBase[base] = len(x.messages)
		x.messages = append(x.messages, message{file: f, size: -1})
	}
	return byBase
}

// number gives a provisional UID to every message without one of its own and
// puts all in order.
func (x *index) number() {
	order := func(a, b message) int {
		return cmp.Or(cmp.Compare(a.uid, b.uid), cmp.Compare(a.name, b.name))
	}
	for i := range x.messages {
		m := &x.messages[i]
		if m.uid == 0 {
			m.uid = provisional(m.base())
		}
		if m.size < 0 {
			m.size = sizeIn(m.base(), 'W')
		}
	}
	slices.SortFunc(x.messages, order)
	// A damaged list may name a UID twice.
	twice, last := false, uint64(0)
	for i := range x.messages {
		if m := &x.messages[i]; m.uid == last && m.uid < model.ProvisionalUID {
			m.uid, twice = provisional(m.base()), true
		} else {
			last = m.uid
		}
	}
	if twice {
		slices.SortFunc(x.messages, order)
	}
	for i := 1; i < len(x.messages); i++ {
		if x.messages[i].uid <= x.messages[i-1].uid {
			x.messages[i].uid = x.messages[i-1].uid + 1
		}
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
func (x *index) find(uid uint64, guid string) (*message, bool) {
	i, ok := slices.BinarySearchFunc(x.messages, uid, func(m message, uid uint64) int { return cmp.Compare(m.uid, uid) })
	if ok && (guid == "" || x.messages[i].identity() == guid) {
		return &x.messages[i], true
	}
	if guid == "" {
		return nil, false
	}
	if x.byGUID == nil {
		x.byGUID = make(map[string]int, len(x.messages))
		for i := range x.messages {
			x.byGUID[x.messages[i].identity()] = i
		}
	}
	if i, ok = x.byGUID[guid]; ok {
		return &x.messages[i], true
	}
	return nil, false
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
