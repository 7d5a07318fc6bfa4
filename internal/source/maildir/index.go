package maildir

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
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
	guid     string
	messages []message // in ascending order of UID
	names    [letters]string
	full     bool // all keyword letters are in use
	byGUID   map[string]int
	broken   error // dovecot-uidlist could not be used
}

// message is one file.
type message struct {
	uid  uint64
	name string // in cur, or in new
	guid string // empty: the base name
	size int64  // with CRLF as the server noted it, or -1
	new  bool
}

func (m *message) path(dir string) string {
	if m.new {
		return filepath.Join(dir, "new", m.name)
	}
	return filepath.Join(dir, "cur", m.name)
}

func (m *message) identity() string {
	if m.guid != "" {
		return m.guid
	}
	return parseName(m.name).base
}

// readIndex reads the directories first and the list of UIDs after them: a
// message that arrives in between is left for the next run rather than taken
// for one without UID.
func readIndex(dir string) (*index, error) {
	x := &index{dir: dir}
	var files []message
	for _, sub := range []string{"new", "cur"} {
		// The names alone; nothing is asked of each file.
		d, err := os.Open(filepath.Join(dir, sub))
		if errors.Is(err, fs.ErrNotExist) && sub == "new" {
			continue
		}
		if err != nil {
			return nil, err
		}
		names, err := d.Readdirnames(-1)
		d.Close()
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			if !strings.HasPrefix(n, ".") {
				files = append(files, message{name: n, new: sub == "new", size: -1})
			}
		}
	}
	list, err := x.readUIDList()
	if err != nil {
		return nil, err
	}
	if f, err := openFile(filepath.Join(dir, "dovecot-keywords")); err == nil {
		x.names, x.full, err = parseKeywords(f)
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	x.number(files, list)
	return x, nil
}

func (x *index) readUIDList() (uidlist, error) {
	f, err := openFile(filepath.Join(x.dir, "dovecot-uidlist"))
	if errors.Is(err, fs.ErrNotExist) {
		return uidlist{}, nil
	}
	if err != nil {
		return uidlist{}, err
	}
	defer f.Close()
	list, _, err := parseUIDList(f)
	if err != nil {
		if !errors.Is(err, errUIDList) {
			return uidlist{}, err
		}
		x.broken = err
		return uidlist{}, nil
	}
	x.validity, x.guid = list.validity, list.guid
	return list, nil
}

// number gives every file its UID, once: a message that was renamed while
// the directories were read shows twice, the later finding counts.
func (x *index) number(files []message, list uidlist) {
	byBase := make(map[string]int, len(files))
	x.messages = files[:0]
	for _, m := range files {
		base := parseName(m.name).base
		if i, ok := byBase[base]; ok {
			x.messages[i].name, x.messages[i].new = m.name, m.new
			continue
		}
		if e, ok := list.records[base]; ok {
			m.uid, m.guid, m.size = uint64(e.uid), e.guid, e.size
		} else {
			m.uid = provisional(base)
		}
		if m.size < 0 {
			m.size = sizeIn(base, 'W')
		}
		byBase[base] = len(x.messages)
		x.messages = append(x.messages, m)
	}
	slices.SortFunc(x.messages, func(a, b message) int {
		return cmp.Or(cmp.Compare(a.uid, b.uid), cmp.Compare(a.name, b.name))
	})
	for i := 1; i < len(x.messages); i++ {
		if x.messages[i].uid <= x.messages[i-1].uid {
			x.messages[i].uid = x.messages[i-1].uid + 1
		}
	}
}

// provisional is a UID for a file that no server has listed yet: in the order
// of delivery, and the same in every run.
func provisional(base string) uint64 {
	h := fnv.New32a()
	h.Write([]byte(base))
	return model.ProvisionalUID + uint64(bornAt(base))<<28 + uint64(h.Sum32()>>4)
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
	return model.Flags{System: f.system, Keywords: keywordsOf(f.letters, &x.names)}
}

// settled is how long a directory must have been left alone before its time
// of change can stand for its content: file systems keep times in ticks.
const settled = 2 * time.Second

// fingerprint changes with everything that the index is made of. It is empty
// while the mailbox is changing.
func fingerprint(dir string, now time.Time) string {
	s := "m1"
	for _, name := range []string{"cur", "new", "dovecot-uidlist", "dovecot-keywords"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			s += ":-"
			continue
		}
		if err != nil || now.Sub(info.ModTime()) < settled {
			return ""
		}
		size := info.Size()
		if info.IsDir() {
			size = 0
		}
		s += fmt.Sprintf(":%x.%x", info.ModTime().UnixNano(), size)
	}
	return s
}
