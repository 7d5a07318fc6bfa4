package extsort

import (
	"errors"
	"os"
	"sort"
)

// block is how many records a File reads at a time.
const block = 128

// Writer writes a File.
type Writer struct {
	out    *output
	f      *File
	before uint64
}

// Create begins a File in dir, as New has it.
func Create(dir string) (*Writer, error) {
	out, err := create(dir)
	if err != nil {
		return nil, err
	}
	return &Writer{out: out, f: &File{in: input{file: out.file}, now: -1}}, nil
}

// Put appends a record. Its key must not be below that of the one before.
func (w *Writer) Put(key uint64, record []byte) error {
	if w.f.n%block == 0 {
		w.f.keys = append(w.f.keys, key)
		w.f.at = append(w.f.at, w.out.at)
		w.before = key
	}
	w.f.n++
	number := key - w.before
	w.before = key
	return w.out.put(number, record)
}

// Done gives what was written.
func (w *Writer) Done() (*File, error) {
	if err := w.out.flush(); err != nil {
		w.Close()
		return nil, err
	}
	w.f.at = append(w.f.at, w.out.at)
	f := w.f
	w.f, w.out = nil, nil
	return f, nil
}

// Close gives up what is not done.
func (w *Writer) Close() error {
	if w.out == nil {
		return nil
	}
	err := w.out.file.Close()
	w.out = nil
	return err
}

// File holds records in ascending order of their keys. It keeps an eighth of an
// octet of each in memory, and the block that was read last. It is for one
// goroutine; errors are as a Sorter's.
type File struct {
	in   input
	n    int
	keys []uint64 // of the first record of each block
	at   []int64  // where each block is, and where the last one ends
	// The block in memory.
	now     int
	nowKeys []uint64
	nowAt   [][]byte
}

// Len is the number of records.
func (f *File) Len() int { return f.n }

// At is the i-th record, valid until the next call.
func (f *File) At(i int) (key uint64, record []byte, err error) {
	if err := f.load(i / block); err != nil {
		return 0, nil, err
	}
	return f.nowKeys[i%block], f.nowAt[i%block], nil
}

// Search is the number of the first record with at least this key; Len, if there
// is none.
func (f *File) Search(key uint64) (int, error) {
	b := sort.Search(len(f.keys), func(b int) bool { return f.keys[b] >= key }) - 1
	if b < 0 {
		return 0, nil // the first of all, or none
	}
	if err := f.load(b); err != nil {
		return 0, err
	}
	return b*block + sort.Search(len(f.nowKeys), func(i int) bool { return f.nowKeys[i] >= key }), nil
}

func (f *File) load(b int) error {
	if b == f.now {
		return nil
	}
	f.now, f.nowKeys, f.nowAt = -1, f.nowKeys[:0], f.nowAt[:0]
	size := int(f.at[b+1] - f.at[b])
	if len(f.in.buf) < size {
		f.in.buf = make([]byte, max(size, page/16))
	}
	f.in.at, f.in.end, f.in.left = f.at[b], f.at[b+1], nil
	key := f.keys[b]
	for {
		number, record, ok, err := f.in.next()
		if err != nil {
			return err
		}
		if !ok {
			f.now = b
			return nil
		}
		key += number
		f.nowKeys, f.nowAt = append(f.nowKeys, key), append(f.nowAt, record)
	}
}

// Close gives the disk back. Unlike all else it may be called while another
// goroutine reads, whose reads fail then, and more than once.
func (f *File) Close() error {
	if err := f.in.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
