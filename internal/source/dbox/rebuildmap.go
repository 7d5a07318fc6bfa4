package dbox

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/source/dovecotindex"
)

// messageID is a message's GUID as an mdbox's mailbox has it.
type messageID [16]byte

// idOf is the GUID that stands behind a message: its digits, or the last octets
// of its digest where it has none (mail_generate_guid_128_hash).
func idOf(guid string) (id messageID) {
	if n, err := hex.Decode(id[:], []byte(guid)); err == nil && n == len(id) && len(guid) == 2*n {
		return id
	}
	sum := sha1.Sum([]byte(guid))
	copy(id[:], sum[len(sum)-len(id):])
	return id
}

// lies is where a message of an mdbox is.
type lies struct {
	id       messageID
	file, at uint32
}

// rebuildMap makes a map from the files of messages and from the mailboxes,
// where the map itself is lost: both know a message by its GUID, and the mailbox
// its number in the map. Messages that no readable mailbox has, spare of them,
// get numbers above all others: they were expunged and not purged, or the index
// of their mailbox is lost, too.
func (p place) rebuildMap() (x *dovecotindex.Index, spare int, err error) {
	messages, err := p.scattered()
	if err != nil || len(messages) == 0 {
		return dovecotindex.Empty(), 0, err
	}
	numbers, err := p.numbers()
	if err != nil {
		return nil, 0, err
	}
	type row struct{ number, file, at uint32 }
	var rows []row
	next := uint32(1)
	for _, known := range numbers {
		for _, n := range known {
			next = max(next, n+1)
		}
	}
	for _, m := range messages {
		known := numbers[m.id]
		for _, n := range known {
			rows = append(rows, row{n, m.file, m.at})
		}
		if known == nil && next < math.MaxUint32 {
			rows = append(rows, row{next, m.file, m.at})
			next++
			spare++
		}
	}
	// Of a message that is in two files, as a purge that was broken off leaves
	// it, both copies are the same.
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.number, b.number) })
	rows = slices.CompactFunc(rows, func(a, b row) bool { return a.number == b.number })
	columns := make([][]uint32, 3)
	for _, r := range rows {
		columns[0], columns[1], columns[2] = append(columns[0], r.number), append(columns[1], r.file), append(columns[2], r.at)
	}
	return dovecotindex.Rebuilt(columns[0], "map", columns[1:]...), spare, nil
}

// numbers are those that readable mailboxes have for messages. A message that
// was copied has one for all, unless a rebuild by Dovecot was broken off.
func (p place) numbers() (map[messageID][]uint32, error) {
	folders, err := p.tree()
	if err != nil {
		return nil, err
	}
	out := map[messageID][]uint32{}
	for _, f := range folders {
		if f.Container {
			continue
		}
		m, err := p.mailbox(f.Name)
		if errors.Is(err, fs.ErrPermission) {
			return nil, err
		}
		if err != nil {
			continue // it is told where the mailbox is listed
		}
		err = m.numbers(out)
		m.x.Close()
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// numbers adds those that one mailbox has.
func (m *mailbox) numbers(to map[messageID][]uint32) error {
	e := m.x.Extension("guid")
	if e == nil || e.Size != len(messageID{}) {
		return nil
	}
	for r, err := range m.x.All() {
		if err != nil {
			return err
		}
		id, n := messageID(e.Row(r)), m.number(r, 0)
		if n != 0 && !slices.Contains(to[id], n) {
			to[id] = append(to[id], n)
		}
	}
	return nil
}

// scattered are the messages in an mdbox's files, by file and place.
func (p place) scattered() ([]lies, error) {
	var out []lies
	open := newFiles(p)
	defer open.Close()
	seen := map[uint32]bool{}
	for _, root := range []string{p.root, p.alt} {
		if root == "" {
			continue
		}
		dir := filepath.Join(root, storageDir)
		names, err := p.dirs().Names(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		from := len(out)
		for _, name := range names {
			n, err := strconv.ParseUint(strings.TrimPrefix(name, "m."), 10, 32)
			if err != nil || !strings.HasPrefix(name, "m.") || seen[uint32(n)] {
				continue
			}
			seen[uint32(n)] = true
			f, release, err := open.get(dir, name, true)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged) {
				continue // purged meanwhile; or no file of messages, and what mailboxes have of it is named
			}
			if err != nil {
				return nil, err
			}
			err = f.scan(func(at int64, guid string) {
				if at <= math.MaxUint32 {
					out = append(out, lies{idOf(guid), uint32(n), uint32(at)})
				}
			})
			release()
			if err != nil {
				return nil, err
			}
		}
		slices.SortStableFunc(out[from:], func(a, b lies) int { return cmp.Compare(a.file, b.file) })
	}
	return out, nil
}
