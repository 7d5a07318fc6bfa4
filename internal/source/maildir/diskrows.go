package maildir

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/extsort"
)

// diskRows are the messages of a mailbox whose listing is on disk. What lists say
// of base names is sorted as the listing is, by their hashes; both are walked side
// by side, and what comes of it is sorted by UID: nothing is looked for at random.
type diskRows struct {
	files *listing
	dir   string
	// notes are what lists say, by hash: the length of a base name, itself as the
	// listing writes it, ofUID or ofLabels, and what is noted.
	notes *extsort.Sorter
	// rows are the messages by UID: the file as the listing has it, its size and
	// GUID, and its labels if there are any.
	rows     *extsort.File
	numbered int // have a UID of their own
	labels   words
	byGUID   *extsort.File // places in rows, by hash of the identity
	note     []byte
}

const (
	ofUID    = 'u'
	ofLabels = 'l'
)

func newDiskRows(files *listing) *diskRows {
	return &diskRows{files: files, dir: files.limit.dir, notes: extsort.New(files.limit.dir)}
}

// begin begins a note of a base name.
func (x *diskRows) begin(base []byte, kind byte) (hash uint64) {
	hash, key := x.files.keyFor(base)
	x.note = append(binary.AppendUvarint(x.note[:0], uint64(len(key))), key...)
	x.note = append(x.note, kind)
	return hash
}

func (x *diskRows) enlist(base []byte, e uidEntry) error {
	hash := x.begin(base, ofUID)
	x.note = binary.AppendUvarint(x.note, uint64(e.uid))
	x.note = appendListed(x.note, e.size, e.guid)
	return x.notes.Add(hash, x.note)
}

// appendListed writes what a list of UIDs says: the size and one, or 0; 0 for no
// GUID, 1 and the octets of one of Dovecot's own, or else its length and one, and
// itself.
func appendListed(out []byte, size int64, guid []byte) []byte {
	if size < 0 || size >= noSize {
		size = -1
	}
	out = binary.AppendUvarint(out, uint64(size+1))
	if len(guid) == 0 {
		return append(out, 0)
	}
	if own, ok := dovecotGUID(guid); ok {
		return append(append(out, 1), own[:]...)
	}
	return append(binary.AppendUvarint(out, uint64(len(guid))+1), guid...)
}

// cutListed reads what appendListed has written.
func cutListed(in []byte) (size int64, guid string, rest []byte) {
	n, k := binary.Uvarint(in)
	size, in = int64(n)-1, in[k:]
	n, k = binary.Uvarint(in)
	switch in = in[k:]; n {
	case 0:
		return size, "", in
	case 1:
		return size, hex.EncodeToString(in[:16]), in[16:]
	}
	return size, string(in[:n-1]), in[n-1:]
}

func (x *diskRows) label(base []byte, keywords []string) error {
	hash := x.begin(base, ofLabels)
	if len(keywords) > 0 {
		x.note = x.labels.append(x.note, []byte(strings.Join(keywords, "\x00")), true)
	}
	return x.notes.Add(hash, x.note)
}

// finish implements rows as memoryRows does.
func (x *diskRows) finish() (err error) {
	listed, loose := extsort.New(x.dir), extsort.New(x.dir)
	defer func() {
		if cerr := errors.Join(listed.Close(), loose.Close()); err == nil {
			err = cerr
		}
	}()
	j := joiner{files: x.files, listed: listed, loose: loose}
	if err := x.notes.Each(j.note); err != nil {
		return err
	}
	if err := j.rest(); err != nil {
		return err
	}
	if err := errors.Join(x.notes.Close(), x.files.sorted.Close()); err != nil {
		return err
	}
	w, err := extsort.Create(x.dir)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := x.writeListed(w, listed, loose); err != nil {
		return err
	}
	if err := x.writeLoose(w, loose); err != nil {
		return err
	}
	x.rows, err = w.Done()
	return err
}

// writeListed writes the messages with a UID of their own. A damaged list may name
// a UID twice: the first name keeps it.
func (x *diskRows) writeListed(w *extsort.Writer, listed, loose *extsort.Sorter) error {
	var uid uint64 // 0: none is held
	var held []byte
	put := func() error {
		if uid == 0 {
			return nil
		}
		x.numbered++
		return w.Put(uid, held)
	}
	err := listed.Each(func(u uint64, row []byte) error {
		if u != uid {
			err := put()
			uid, held = u, append(held[:0], row...)
			return err
		}
		other := row
		if x.files.read(row).name < x.files.read(held).name {
			held, other = bytes.Clone(row), held
		}
		return loose.Add(provisional(x.files.read(other).base()), other)
	})
	if err != nil {
		return err
	}
	return put()
}

// writeLoose writes the others.
func (x *diskRows) writeLoose(w *extsort.Writer, loose *extsort.Sorter) error {
	type row struct {
		name   string
		record []byte
	}
	var key, last uint64
	var same []row // with this key
	put := func() error {
		slices.SortFunc(same, func(a, b row) int { return cmp.Compare(a.name, b.name) })
		for _, r := range same {
			last = max(key, last+1)
			if err := w.Put(last, r.record); err != nil {
				return err
			}
		}
		same = same[:0]
		return nil
	}
	err := loose.Each(func(k uint64, record []byte) error {
		if k != key {
			if err := put(); err != nil {
				return err
			}
			key = k
		}
		same = append(same, row{x.files.read(record).name, bytes.Clone(record)})
		return nil
	})
	if err != nil {
		return err
	}
	return put()
}

func (x *diskRows) len() int { return x.rows.Len() }

func (x *diskRows) listed() int { return x.numbered }

func (x *diskRows) uid(i int) (uint64, error) {
	uid, _, err := x.rows.At(i)
	return uid, err
}

func (x *diskRows) message(i int) (message, error) {
	uid, row, err := x.rows.At(i)
	if err != nil {
		return message{}, err
	}
	m := message{file: x.files.read(row), uid: uid}
	m.size, m.guid, row = cutListed(x.files.after(row))
	if m.size < 0 {
		m.size = sizeIn(m.base(), 'W')
	}
	if len(row) > 0 {
		text, _, _ := x.labels.cut(row)
		m.labels = strings.Split(string(text), "\x00")
	}
	return m, nil
}

func (x *diskRows) from(uid uint64) (int, error) { return x.rows.Search(uid) }

func (x *diskRows) identified(guid string) (message, bool, error) {
	if x.byGUID == nil {
		if err := x.sortByGUID(); err != nil {
			return message{}, false, err
		}
	}
	hash := maphash.String(tableSeed, guid)
	i, err := x.byGUID.Search(hash)
	for ; err == nil && i < x.byGUID.Len(); i++ {
		h, place, err := x.byGUID.At(i)
		if err != nil || h != hash {
			return message{}, false, err
		}
		n, _ := binary.Uvarint(place)
		if m, err := x.message(int(n)); err != nil || m.identity() == guid {
			return m, err == nil, err
		}
	}
	return message{}, false, err
}

func (x *diskRows) sortByGUID() error {
	s := extsort.New(x.dir)
	defer s.Close()
	for i := range x.len() {
		m, err := x.message(i)
		if err != nil {
			return err
		}
		x.note = binary.AppendUvarint(x.note[:0], uint64(i))
		if err := s.Add(maphash.String(tableSeed, m.identity()), x.note); err != nil {
			return err
		}
	}
	w, err := extsort.Create(x.dir)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := s.Each(w.Put); err != nil {
		return err
	}
	x.byGUID, err = w.Done()
	return err
}

func (x *diskRows) close() error {
	errs := []error{x.notes.Close()}
	for _, f := range []*extsort.File{x.rows, x.byGUID} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// joiner brings files and what lists say of them together. Messages with a UID go
// to listed, the others to loose, by their provisional one.
type joiner struct {
	files         *listing
	listed, loose *extsort.Sorter
	next          int // of files
	hash          uint64
	same          []noted // with this hash
	row           []byte
}

// noted is what lists say of one base name; the latest counts.
type noted struct{ key, uid, labels []byte }

// note takes what the lists say, by hash.
func (j *joiner) note(hash uint64, record []byte) error {
	if hash != j.hash {
		if err := j.through(j.hash); err != nil {
			return err
		}
		j.hash, j.same = hash, j.same[:0]
	}
	size, k := binary.Uvarint(record)
	key, kind, text := record[k:k+int(size)], record[k+int(size)], record[k+int(size)+1:]
	i := slices.IndexFunc(j.same, func(n noted) bool { return bytes.Equal(n.key, key) })
	if i < 0 {
		i = len(j.same)
		if i == cap(j.same) {
			j.same = append(j.same, noted{})
		}
		j.same = j.same[:i+1]
		n := &j.same[i]
		n.key, n.uid, n.labels = append(n.key[:0], key...), n.uid[:0], n.labels[:0]
	}
	n := &j.same[i]
	if kind == ofUID {
		n.uid = append(n.uid[:0], text...)
	} else {
		n.labels = append(n.labels[:0], text...)
	}
	return nil
}

// rest is for after the last note.
func (j *joiner) rest() error {
	if err := j.through(j.hash); err != nil {
		return err
	}
	j.same = j.same[:0]
	return j.through(math.MaxUint64)
}

// through takes the files up to this hash, which the notes in same are of.
func (j *joiner) through(hash uint64) error {
	for ; j.next < j.files.sorted.Len(); j.next++ {
		h, record, err := j.files.sorted.At(j.next)
		if err != nil {
			return err
		}
		if h > hash {
			return nil
		}
		var of noted
		if h == hash {
			key := j.files.keyIn(record)
			if i := slices.IndexFunc(j.same, func(n noted) bool { return bytes.Equal(n.key, key) }); i >= 0 {
				of = j.same[i]
			}
		}
		if err := j.add(record, of); err != nil {
			return err
		}
	}
	return nil
}

func (j *joiner) add(record []byte, of noted) error {
	j.row = append(j.row[:0], record...)
	if len(of.uid) == 0 {
		j.row = append(appendListed(j.row, -1, nil), of.labels...)
		return j.loose.Add(provisional(j.files.read(record).base()), j.row)
	}
	uid, k := binary.Uvarint(of.uid)
	j.row = append(append(j.row, of.uid[k:]...), of.labels...)
	return j.listed.Add(uid, j.row)
}
