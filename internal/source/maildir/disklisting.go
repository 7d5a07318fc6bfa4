package maildir

import (
	"bytes"
	"errors"

	"mailhaul.org/mailhaul/internal/extsort"
)

// inMemory is how many files of one mailbox are kept in memory.
const inMemory = 400_000

// limit says what happens to mailboxes with more files. The zero limit is none.
type limit struct {
	files int
	dir   string // takes what is on disk, as extsort.New has it
}

func (l limit) passed(files int) bool { return l.files > 0 && files > l.files }

// A listing on disk has a record for each file as one in memory has it; names that
// are listed again while the directories change are more, until it is sealed.

func (l *listing) onDisk() bool { return l.sorter != nil || l.sorted != nil }

// toDisk moves what is in memory to the disk.
func (l *listing) toDisk() error {
	l.sorter = extsort.New(l.limit.dir)
	for i := range l.at {
		record := l.recordOf(i)
		record = record[:len(record)-len(l.after(record))]
		if err := l.sorter.Add(l.hashOf(i), record); err != nil {
			return err
		}
	}
	l.pieces, l.at, l.table = nil, nil, table{}
	return nil
}

// seal completes a listing: the latest file of each base name stays.
func (l *listing) seal() error {
	if l.sorter == nil {
		return nil
	}
	w, err := extsort.Create(l.limit.dir)
	if err != nil {
		return err
	}
	defer w.Close()
	hash, same := uint64(0), [][]byte(nil) // records with this hash
	put := func() error {
		for _, record := range same {
			if err := w.Put(hash, record); err != nil {
				return err
			}
		}
		same = same[:0]
		return nil
	}
	err = l.sorter.Each(func(h uint64, record []byte) error {
		if h != hash {
			if err := put(); err != nil {
				return err
			}
			hash = h
		}
		for i := range same {
			if bytes.Equal(l.keyIn(same[i]), l.keyIn(record)) {
				same[i] = append(same[i][:0], record...)
				return nil
			}
		}
		same = appendCopy(same, record)
		return nil
	})
	if err == nil {
		err = put()
	}
	if err == nil {
		l.sorted, err = w.Done()
	}
	if cerr := l.sorter.Close(); err == nil {
		err = cerr
	}
	l.sorter = nil
	return err
}

// appendCopy appends a copy of one to some; what was cut off some before is used
// again.
func appendCopy(some [][]byte, one []byte) [][]byte {
	n := len(some)
	if n == cap(some) {
		return append(some, bytes.Clone(one))
	}
	some = some[:n+1]
	some[n] = append(some[n][:0], one...)
	return some
}

// keyIn is the base name in a record, as it was written.
func (l *listing) keyIn(record []byte) []byte {
	_, key, _ := l.coder.tails.cut(record)
	return l.coder.written(key)
}

// after is what follows a file's record.
func (l *listing) after(record []byte) []byte {
	_, key, _ := l.coder.tails.cut(record)
	return key[len(l.coder.written(key)):]
}

func (l *listing) lookupOnDisk(base []byte) (file, bool, error) {
	hash, key := l.keyFor(base)
	i, err := l.sorted.Search(hash)
	for ; err == nil && i < l.sorted.Len(); i++ {
		h, record, rerr := l.sorted.At(i)
		if rerr != nil || h != hash {
			return file{}, false, rerr
		}
		if bytes.Equal(l.keyIn(record), key) {
			return l.read(record), true, nil
		}
	}
	return file{}, false, err
}

// close gives back what is on disk.
func (l *listing) close() error {
	var errs []error
	if l.sorter != nil {
		errs = append(errs, l.sorter.Close())
	}
	if l.sorted != nil {
		errs = append(errs, l.sorted.Close())
	}
	return errors.Join(errs...)
}
