package dbox

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
)

// mapping is mdbox's map: it tells where each message is. A message keeps its
// number in the map, and what has that number never changes; only its place
// does, when a purge copies it to another file.
type mapping struct {
	x     *dovecotindex.Index
	e     *dovecotindex.Extension
	stamp string
	// lost is why the map could not be read, of one that was rebuilt from the
	// files of messages; spare is how many of these no readable mailbox has.
	lost  error
	spare int
	// The file that a message was in last.
	file uint32
	name string
}

// readMap reads the map. One that is lost is rebuilt.
func (p place) readMap() (*mapping, error) {
	m := &mapping{stamp: dovecotindex.Stamp(p.mapIndex())}
	var err error
	m.x, err = dovecotindex.Read(p.open, p.mapIndex(), p.shape)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.lost = errors.New("there is none")
	case errors.Is(err, dovecotindex.ErrDamaged):
		m.lost = err
	case err != nil:
		return nil, err
	}
	if m.lost != nil {
		if m.x, m.spare, err = p.rebuildMap(); err != nil {
			return nil, err
		}
	}
	if m.e = m.x.Extension("map"); m.e != nil && m.e.Size < 8 {
		m.e = nil
	}
	return m, nil
}

// find returns the file and the offset of a message by its number in the map.
func (m *mapping) find(uid uint32) (name string, at int64, ok bool, err error) {
	file, offset, ok, err := m.lies(uid)
	if m.name == "" || m.file != file {
		m.file, m.name = file, "m."+strconv.FormatUint(uint64(file), 10)
	}
	return m.name, int64(offset), ok, err
}

func (m *mapping) lies(uid uint32) (file, offset uint32, ok bool, err error) {
	r, ok, err := m.x.Find(uid)
	if !ok || m.e == nil {
		return 0, 0, false, err
	}
	row := m.e.Row(r)
	return m.x.Order.Uint32(row), m.x.Order.Uint32(row[4:]), true, nil
}

// order sorts records of a mailbox by where their messages are on disk.
func (m *mapping) order(box *mailbox, records []dovecotindex.Record) error {
	places := make(map[uint32]uint64, len(records)) // by UID; 0 where there is none
	for _, r := range records {
		file, offset, _, err := m.lies(box.number(r, 0))
		if err != nil {
			return err
		}
		places[r.UID] = uint64(file)<<32 | uint64(offset)
	}
	slices.SortStableFunc(records, func(a, b dovecotindex.Record) int { return cmp.Compare(places[a.UID], places[b.UID]) })
	return nil
}

// belongs reports whether a mailbox numbers its messages by this map. After a
// rebuild of the account the map has another UIDVALIDITY.
func (m *mapping) belongs(box *mailbox) error {
	h := box.x.Extension("mdbox-hdr")
	if h == nil || len(h.Header) < 4 || box.x.Len() == 0 || m.lost != nil {
		return nil
	}
	if v := box.x.Order.Uint32(h.Header); v != 0 && v != m.x.UIDValidity {
		return &model.Fault{Class: model.ClassAccount, Code: "damagedIndex", Err: fmt.Errorf("the mailbox is of another generation (%d) than the account's map (%d)", v, m.x.UIDValidity),
			Remedy: "let Dovecot repair it: doveadm force-resync; or read the account over IMAP"}
	}
	return nil
}

// current reports that the map's files have not changed since it was read.
func (m *mapping) current(p place) bool { return m.stamp == dovecotindex.Stamp(p.mapIndex()) }
