package dbox

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
)

// mailbox is what the index says of one mailbox. It is kept for one mailbox at a
// time.
type mailbox struct {
	name string // on disk
	x    *dovecotindex.Index
	guid string   // 32 hexadecimal digits, or empty
	dirs []string // in which its messages are
	// stamp changes with the files of the index.
	stamp string
	// absent: the mailbox has no index, as one that never had a message.
	absent bool
	// lost is why the index could not be read, of a mailbox that was rebuilt
	// from its messages; uncertain is how many of them nothing assigns to it.
	lost      error
	uncertain int
}

// mailbox reads the index of a mailbox. One that has none has never had a
// message, unless there are any.
func (p place) mailbox(name string) (*mailbox, error) {
	path := filepath.Join(p.indexIn(name), "dovecot.index")
	m := &mailbox{name: name, stamp: dovecotindex.Stamp(path)}
	var err error
	m.x, err = dovecotindex.Read(p.open, path, p.shape)
	if errors.Is(err, fs.ErrNotExist) {
		empty, eerr := p.empty(name)
		if eerr != nil {
			return nil, eerr
		}
		if !empty {
			return nil, noIndex("the mailbox has messages and no index in %s: nothing tells their flags", p.indexIn(name))
		}
		m.x, m.absent, err = dovecotindex.Empty(), true, nil
	}
	if errors.Is(err, dovecotindex.ErrDamaged) {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "damagedIndex", Err: err,
			Remedy: "let Dovecot repair it: doveadm force-resync; or read the account over IMAP"}
	}
	if err != nil {
		return nil, err
	}
	if m.x.Removed {
		m.x.Close()
		return nil, fs.ErrNotExist
	}
	for _, e := range []string{"mdbox-hdr", "dbox-hdr"} {
		// The map's UIDVALIDITY, or a count of rebuilds; then the GUID.
		if h := m.x.Extension(e); h != nil && len(h.Header) >= 20 && !allZero(h.Header[4:20]) {
			m.guid = hex.EncodeToString(h.Header[4:20])
		}
	}
	return m, nil
}

// noIndex is the Fault for messages without the index that should tell of them.
func noIndex(format string, args ...any) error {
	return &model.Fault{Class: model.ClassAccount, Code: "noIndex", Err: fmt.Errorf(format, args...),
		Remedy: "correct INDEX= in the location; or, if there are none, carry the messages without flags: source.dbox.rebuild; or let Dovecot rebuild them: doveadm force-resync"}
}

// empty reports that a mailbox exists and has no messages outside of its index.
// With mdbox nobody can tell.
func (p place) empty(name string) (bool, error) {
	names, err := p.dirs().Names(p.messagesIn(name))
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(names, isMessage), nil
}

// isMessage reports whether a file holds a message of an sdbox: "u.17".
func isMessage(name string) bool {
	if len(name) < 3 || name[:2] != "u." {
		return false
	}
	_, err := strconv.ParseUint(name[2:], 10, 32)
	return err == nil
}

// cursorForm holds the index's identity, UIDVALIDITY, and place in its log.
const cursorForm = "d1:%x.%x.%x.%x.%x"

// cursor stands for the present state; what was rebuilt has none.
func (m *mailbox) cursor() string {
	if m.lost != nil {
		return ""
	}
	return fmt.Sprintf(cursorForm, m.x.ID, m.x.UIDValidity, m.x.LogSeq, m.x.LogEnd, m.x.LogSum())
}

// changedSince tells which messages are new or have changed since a cursor, if
// the logs reach back there.
func (m *mailbox) changedSince(cursor string) (changed func(uid uint32) bool, ok bool) {
	var id, validity, seq, sum uint32
	var end int
	if _, err := fmt.Sscanf(cursor, cursorForm, &id, &validity, &seq, &end, &sum); err != nil || id != m.x.ID || validity != m.x.UIDValidity {
		return nil, false
	}
	return m.x.ChangedSince(seq, end, sum)
}

// survivors are UIDs as ranges.
type survivors []model.UIDRange

// add takes in one that is above all others.
func (s *survivors) add(uid uint32) {
	if n := len(*s); n > 0 && (*s)[n-1].Last+1 == uint64(uid) {
		(*s)[n-1].Last++
		return
	}
	*s = append(*s, model.UIDRange{First: uint64(uid), Last: uint64(uid)})
}

// count is the number of messages.
func (m *mailbox) count() int64 { return int64(m.x.Len() - m.x.Pending()) }

// octets is the size of all messages if the index knows it, else -1.
func (m *mailbox) octets() (int64, error) {
	e := m.x.Extension("hdr-vsize")
	if e == nil || len(e.Header) < 16 {
		return -1, nil
	}
	last, ok, err := m.x.Last()
	if !ok || m.x.Order.Uint32(e.Header[8:]) != last.UID || int(m.x.Order.Uint32(e.Header[12:])) != m.x.Len() {
		return -1, err
	}
	return int64(m.x.Order.Uint64(e.Header)), nil
}

// flags of a record.
func (m *mailbox) flags(r dovecotindex.Record) model.Flags {
	f := model.Flags{Keywords: m.x.Keywords(r)}
	for _, b := range [...]struct {
		bit  uint8
		flag model.SystemFlags
	}{{dovecotindex.Seen, model.Seen}, {dovecotindex.Answered, model.Answered}, {dovecotindex.Flagged, model.Flagged},
		{dovecotindex.Draft, model.Draft}, {dovecotindex.Deleted, model.Deleted}} {
		if r.Flags&b.bit != 0 {
			f.System |= b.flag
		}
	}
	return f
}

// number is a 32-bit number in what an mdbox keeps of a record; 0 if there is none.
func (m *mailbox) number(r dovecotindex.Record, at int) uint32 {
	e := m.x.Extension("mdbox")
	if e == nil || e.Size < at+4 {
		return 0
	}
	return m.x.Order.Uint32(e.Row(r)[at:])
}

// current reports that the files of the index have not changed since it was
// read.
func (m *mailbox) current(p place) bool {
	return m.stamp == dovecotindex.Stamp(filepath.Join(p.indexIn(m.name), "dovecot.index"))
}
