package maildir

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"path/filepath"

	"mailhaul.org/mailhaul/internal/extsort"
)

// file is a name in cur, or in new.
type file struct {
	name string
	new  bool
}

func (f file) base() string { return f.name[:baseLen(f.name)] }

func (f file) path(dir string) string {
	if f.new {
		return filepath.Join(dir, "new", f.name)
	}
	return filepath.Join(dir, "cur", f.name)
}

// listing is the files of a mailbox, by base name. The names lie end to end, as a
// coder writes them, in pieces, and numbers lead to them. From inMemory files on
// they lie on disk, in order of the hashes of their base names.
type listing struct {
	coder  coder
	pieces [][]byte // for each file: its tail, its base name
	at     []uint32 // where each file is: piece and octet
	table  table
	limit  limit
	sorter *extsort.Sorter // of a listing on disk, until it is complete
	sorted *extsort.File   // and then
	// What is being written and looked for, and a name as it is.
	record, key, name []byte
}

// pieceBits is how many bits of a place count the octets of a piece.
const pieceBits = 20

// Tails begin with the directory.
const (
	inCur = 'c'
	inNew = 'n'
)

// add takes a file in. One with the base name of an earlier one replaces it:
// it was renamed while the directories were read.
func (l *listing) add(name []byte, isNew bool) error {
	n := baseLen(name)
	l.name = append(append(l.name[:0], inCur), name[n:]...)
	if isNew {
		l.name[0] = inNew
	}
	l.record = l.coder.tails.append(l.record[:0], l.name, true)
	k := len(l.record)
	l.record = l.coder.appendBase(l.record, name[:n], true)
	hash := maphash.Bytes(tableSeed, l.record[k:])
	if l.sorter != nil {
		return l.sorter.Add(hash, l.record)
	}
	at, err := l.append(l.record)
	if err != nil {
		return err
	}
	if i, ok := l.findKey(hash, l.record[k:]); ok {
		l.at[i] = at
		return nil
	}
	l.at = append(l.at, at)
	l.table.add(hash, len(l.at)-1, l.hashOf)
	if l.limit.passed(len(l.at)) {
		return l.toDisk()
	}
	return nil
}

func (l *listing) hashOf(i int) uint64 {
	return maphash.Bytes(tableSeed, l.coder.written(l.keyOf(i)))
}

func (l *listing) append(record []byte) (uint32, error) {
	last := len(l.pieces) - 1
	if last < 0 || len(l.pieces[last])+len(record) > cap(l.pieces[last]) {
		if last++; last >= 1<<(32-pieceBits) {
			return 0, fmt.Errorf("more file names than %d MiB", last)
		}
		size := 1 << pieceBits
		if last == 0 {
			size = 4 << 10 // most mailboxes are small
		}
		l.pieces = append(l.pieces, make([]byte, 0, max(size, len(record))))
	}
	at := uint32(last)<<pieceBits | uint32(len(l.pieces[last]))
	l.pieces[last] = append(l.pieces[last], record...)
	return at, nil
}

// recordOf is what was written of the i-th file, and what follows it.
func (l *listing) recordOf(i int) []byte {
	return l.pieces[l.at[i]>>pieceBits][l.at[i]&(1<<pieceBits-1):]
}

// keyOf is the base name of the i-th file as it was written, and what follows it.
func (l *listing) keyOf(i int) []byte {
	_, key, _ := l.coder.tails.cut(l.recordOf(i))
	return key
}

// file returns the i-th file of a listing in memory.
func (l *listing) file(i int) file { return l.read(l.recordOf(i)) }

// read is the file that a record is of.
func (l *listing) read(record []byte) file {
	tail, key, _ := l.coder.tails.cut(record)
	l.name = append(l.coder.readBase(l.name[:0], key), tail[1:]...)
	return file{name: string(l.name), new: tail[0] == inNew}
}

// find returns the number of the file with this base name in a listing in memory.
func (l *listing) find(base []byte) (int, bool) {
	return l.findKey(l.keyFor(base))
}

// keyFor is how a base name is written, valid until the next one, and its hash.
func (l *listing) keyFor(base []byte) (hash uint64, key []byte) {
	l.key = l.coder.appendBase(l.key[:0], base, false)
	return maphash.Bytes(tableSeed, l.key), l.key
}

// lookup returns the file with this base name.
func (l *listing) lookup(base []byte) (file, bool, error) {
	if l.onDisk() {
		return l.lookupOnDisk(base)
	}
	i, ok := l.find(base)
	if !ok {
		return file{}, false, nil
	}
	return l.file(i), true, nil
}

func (l *listing) findKey(hash uint64, key []byte) (int, bool) {
	return l.table.find(hash, func(i int) bool { return bytes.HasPrefix(l.keyOf(i), key) })
}

// table finds numbers by the hashes of keys that are kept elsewhere: four octets
// for each of its places, of which two thirds are taken at most.
type table struct {
	places []uint32 // number + 1; 0: free
	taken  int
}

var tableSeed = maphash.MakeSeed()

// add enters a number. hashOf gives the hash of any number, to enter it anew when
// the table grows.
func (t *table) add(hash uint64, i int, hashOf func(i int) uint64) {
	if 3*(t.taken+1) > 2*len(t.places) {
		old := t.places
		t.places = make([]uint32, max(2*len(old), 64))
		for _, n := range old {
			if n > 0 {
				t.enter(hashOf(int(n-1)), n)
			}
		}
	}
	t.taken++
	t.enter(hash, uint32(i+1))
}

func (t *table) enter(hash uint64, n uint32) {
	mask := uint64(len(t.places) - 1)
	for h := hash & mask; ; h = (h + 1) & mask {
		if t.places[h] == 0 {
			t.places[h] = n
			return
		}
	}
}

// find returns the first number with this hash for which is says that it is it.
func (t *table) find(hash uint64, is func(i int) bool) (int, bool) {
	if len(t.places) == 0 {
		return 0, false
	}
	mask := uint64(len(t.places) - 1)
	for h := hash & mask; t.places[h] > 0; h = (h + 1) & mask {
		if i := int(t.places[h] - 1); is(i) {
			return i, true
		}
	}
	return 0, false
}

// hidden reports a name that is no message's.
func hidden(name []byte) bool { return len(name) > 0 && name[0] == '.' }
