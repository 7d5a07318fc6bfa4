package maildir

import (
	"errors"
	"hash/fnv"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// index is what a mailbox's directories and its list of UIDs say together. It is
// kept for one mailbox at a time.
type index struct {
	dir      string
	validity uint32
	files    *listing
	rows
	names   [letters]string
	courier bool
	// more are the keywords that file names cannot carry, by UID.
	more map[uint64][]string
	// moved is where the files were when one of them was not found.
	moved *listing
	err   error // of enlist
	users int   // what is on disk is given back when nobody uses it any more
}

// rows are the messages of a mailbox, in ascending order of UID; the last have
// provisional ones. First enlist and label say what servers know of the files, then
// finish puts them in order.
type rows interface {
	// enlist takes over what a list of UIDs says of a file. Of two entries for one
	// the later counts.
	enlist(base []byte, e uidEntry) error
	// label does so for the keywords that Courier keeps apart from names.
	label(base []byte, keywords []string) error
	finish() error
	len() int
	// listed is the number of messages with a UID of their own, the first ones.
	listed() int
	uid(i int) (uint64, error)
	message(i int) (message, error)
	// from is the number of the first message with at least this UID.
	from(uid uint64) (int, error)
	// identified finds a message by its identity.
	identified(guid string) (message, bool, error)
	close() error
}

// message is one file with what the list of UIDs says of it.
type message struct {
	file
	uid  uint64
	guid string // empty: the base name
	size int64  // with CRLF as the server noted it, or -1
	// labels are Courier's keywords.
	labels []string
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
	read := readDovecot
	if at.courier(dir) {
		read = readCourier
	}
	files, err := scan(at, dir, now)
	if err != nil {
		return nil, err
	}
	x := newIndex(dir, files)
	if err := read(x, at); err != nil {
		x.close()
		return nil, err
	}
	return x, nil
}

func newIndex(dir string, files *listing) *index {
	if files.onDisk() {
		return &index{dir: dir, files: files, rows: newDiskRows(files)}
	}
	return &index{dir: dir, files: files, rows: newMemoryRows(files)}
}

// note takes an entry of a list of UIDs.
func (x *index) note(base []byte, e uidEntry) {
	if x.err == nil {
		x.err = x.enlist(base, e)
	}
}

// release ends one use.
func (x *index) release() error {
	if x.users--; x.users > 0 {
		return nil
	}
	return x.close()
}

// close gives back what is on disk.
func (x *index) close() error {
	if x.moved != nil {
		x.moved.close()
	}
	return errors.Join(x.files.close(), x.rows.close())
}

// readUIDs reads a list of UIDs, if there is one. Of a damaged one counts what can
// be read.
func (x *index) readUIDs(at place, path string) error {
	f, err := at.open(path)
	if err == nil {
		var list uidlist
		list, _, err = parseUIDList(f, x.note)
		f.Close()
		x.validity = list.validity
	}
	if x.err != nil {
		return x.err
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errUIDList) {
		return err
	}
	return nil
}

// readDovecot reads Dovecot's lists of UIDs and keywords.
func readDovecot(x *index, at place) error {
	control := at.controlDir(x.dir)
	if err := x.readUIDs(at, filepath.Join(control, "dovecot-uidlist")); err != nil {
		return err
	}
	f, err := at.open(filepath.Join(control, "dovecot-keywords"))
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
		return err
	}
	return x.finish()
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
func (x *index) find(uid uint64, guid string) (message, bool, error) {
	i, err := x.from(uid)
	if err != nil {
		return message{}, false, err
	}
	if i < x.len() {
		m, err := x.message(i)
		if err != nil || m.uid == uid && (guid == "" || m.identity() == guid) {
			return m, err == nil, err
		}
	}
	if guid == "" {
		return message{}, false, nil
	}
	return x.identified(guid)
}

// flags are the system flags and keywords of a message.
func (x *index) flags(m *message) model.Flags {
	f := parseName(m.name)
	if x.courier {
		return model.Flags{System: f.system, Keywords: m.labels}
	}
	keywords := keywordsOf(f.letters, &x.names)
	if more := x.more[m.uid]; len(more) > 0 {
		keywords = append(keywords, more...)
		slices.Sort(keywords)
	}
	return model.Flags{System: f.system, Keywords: keywords}
}
