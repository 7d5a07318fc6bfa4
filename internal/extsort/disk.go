package extsort

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"mailhaul.org/mailhaul/internal/model"
)

// What is written is a number and a record: uvarint, length as uvarint, octets.
// The number is by how much the key is above that of the record before.

// page is how much is written at a time; a run is read in pieces of a quarter.
const page = 128 << 10

// fault is an error of the disk. What the system said is text alone: that a
// directory for temporary files does not exist must not be taken for a mailbox
// that does not.
func fault(err error) error {
	return model.SpoolFault(errors.New(err.Error()))
}

// output is a file without a name that is being written.
type output struct {
	file *os.File
	buf  []byte
	at   int64 // octets so far, of the file and of buf
}

func create(dir string) (*output, error) {
	f, err := os.CreateTemp(dir, "sort-*")
	if err != nil {
		return nil, fault(err)
	}
	// Without a name it goes when it is closed, whatever happens.
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fault(err)
	}
	return &output{file: f, buf: make([]byte, 0, page)}, nil
}

func (o *output) put(number uint64, record []byte) error {
	if len(o.buf)+len(record)+2*binary.MaxVarintLen64 > cap(o.buf) {
		if err := o.flush(); err != nil {
			return err
		}
	}
	before := len(o.buf)
	o.buf = binary.AppendUvarint(o.buf, number)
	o.buf = binary.AppendUvarint(o.buf, uint64(len(record)))
	o.buf = append(o.buf, record...)
	o.at += int64(len(o.buf) - before)
	return nil
}

func (o *output) flush() error {
	if _, err := o.file.Write(o.buf); err != nil {
		return fault(err)
	}
	o.buf = o.buf[:0]
	return nil
}

var errCut = errors.New("a temporary file is not what was written")

// cut takes a number and a record off what was written; ok is false where not
// all of them is there.
func cut(in []byte) (number uint64, record, rest []byte, ok bool) {
	number, n := binary.Uvarint(in)
	if n <= 0 {
		return 0, nil, nil, false
	}
	size, k := binary.Uvarint(in[n:])
	if k <= 0 || uint64(len(in)-n-k) < size {
		return 0, nil, nil, false
	}
	in = in[n+k:]
	return number, in[:size], in[size:], true
}

// input is a part of a file that is read from its beginning.
type input struct {
	file    *os.File
	at, end int64
	buf     []byte
	left    []byte // of buf
}

// next is valid until the next one; ok is false at the end.
func (i *input) next() (number uint64, record []byte, ok bool, err error) {
	for {
		var rest []byte
		if number, record, rest, ok = cut(i.left); ok {
			i.left = rest
			return number, record, true, nil
		}
		if i.at == i.end {
			if len(i.left) > 0 {
				err = fault(errCut)
			}
			return 0, nil, false, err
		}
		if err = i.fill(); err != nil {
			return 0, nil, false, err
		}
	}
}

// fill reads on behind what is left.
func (i *input) fill() error {
	if i.buf == nil {
		i.buf = make([]byte, page/4)
	}
	if len(i.left) == len(i.buf) { // a record larger than the buffer
		i.buf = append(make([]byte, 0, 2*len(i.buf)), i.left...)
		i.buf = i.buf[:cap(i.buf)]
	} else {
		copy(i.buf, i.left)
	}
	had := len(i.left)
	n := int(min(int64(len(i.buf)-had), i.end-i.at))
	if _, err := i.file.ReadAt(i.buf[had:had+n], i.at); err != nil {
		if errors.Is(err, io.EOF) {
			err = errCut
		}
		return fault(err)
	}
	i.at += int64(n)
	i.left = i.buf[:had+n]
	return nil
}
