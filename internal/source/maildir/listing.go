package maildir

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"strings"
)

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

// listing is the files of a mailbox, by base name. Mailboxes have millions of
// messages: the names lie end to end, in pieces, and numbers lead to them.
type listing struct {
	pieces [][]byte // 'c' or 'n' for the directory, the name, NUL
	at     []uint32 // where each file is: piece and octet
	table  table
}

// pieceBits is how many bits of a place count the octets of a piece.
const pieceBits = 20

// add takes a file in. One with the base name of an earlier one replaces it:
// it was renamed while the directories were read.
func (l *listing) add(f file) error {
	at, err := l.append(f)
	if err != nil {
		return err
	}
	base := f.base()
	if i, ok := l.find(base); ok {
		l.at[i] = at
		return nil
	}
	l.at = append(l.at, at)
	l.table.add(base, len(l.at)-1, func(i int) string { return l.file(i).base() })
	return nil
}

func (l *listing) append(f file) (uint32, error) {
	last := len(l.pieces) - 1
	if need := len(f.name) + 2; last < 0 || len(l.pieces[last])+need > cap(l.pieces[last]) {
		if last++; last >= 1<<(32-pieceBits) {
			return 0, fmt.Errorf("more file names than %d MiB", last)
		}
		size := 1 << pieceBits
		if last == 0 {
			size = 4 << 10 // most mailboxes are small
		}
		l.pieces = append(l.pieces, make([]byte, 0, max(size, need)))
	}
	p := l.pieces[last]
	at := uint32(last)<<pieceBits | uint32(len(p))
	kind := byte('c')
	if f.new {
		kind = 'n'
	}
	l.pieces[last] = append(append(append(p, kind), f.name...), 0)
	return at, nil
}

// file returns the i-th file.
func (l *listing) file(i int) file {
	record := l.pieces[l.at[i]>>pieceBits][l.at[i]&(1<<pieceBits-1):]
	return file{name: string(record[1:bytes.IndexByte(record, 0)]), new: record[0] == 'n'}
}

// find returns the number of the file with this base name.
func (l *listing) find(base string) (int, bool) {
	return l.table.find(base, func(i int) bool {
		name := l.pieces[l.at[i]>>pieceBits][l.at[i]&(1<<pieceBits-1)+1:]
		// The rest of the name begins with what a base name does not hold.
		return bytes.HasPrefix(name, []byte(base)) && l.file(i).base() == base
	})
}

// table finds numbers by keys that are kept elsewhere: four octets for each of
// its places, of which two thirds are taken at most.
type table struct {
	places []uint32 // number + 1; 0: free
	taken  int
}

var tableSeed = maphash.MakeSeed()

// add enters a number. keyOf gives the key of any number, to enter it anew when
// the table grows.
func (t *table) add(key string, i int, keyOf func(i int) string) {
	if 3*(t.taken+1) > 2*len(t.places) {
		old := t.places
		t.places = make([]uint32, max(2*len(old), 64))
		for _, n := range old {
			if n > 0 {
				t.enter(keyOf(int(n-1)), n)
			}
		}
	}
	t.taken++
	t.enter(key, uint32(i+1))
}

func (t *table) enter(key string, n uint32) {
	mask := uint64(len(t.places) - 1)
	for h := maphash.String(tableSeed, key) & mask; ; h = (h + 1) & mask {
		if t.places[h] == 0 {
			t.places[h] = n
			return
		}
	}
}

// find returns the first number with this key for which is says that it is it.
func (t *table) find(key string, is func(i int) bool) (int, bool) {
	if len(t.places) == 0 {
		return 0, false
	}
	mask := uint64(len(t.places) - 1)
	for h := maphash.String(tableSeed, key) & mask; t.places[h] > 0; h = (h + 1) & mask {
		if i := int(t.places[h] - 1); is(i) {
			return i, true
		}
	}
	return 0, false
}

// hidden reports a name that is no message's.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }
