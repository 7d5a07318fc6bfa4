package cyrusdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// Record is a key with its value.
type Record struct{ Key, Value []byte }

// ErrDamaged is in the chain of the error that comes with the readable
// records of a damaged file.
var ErrDamaged = errors.New("the database is damaged")

// errUnderWay: a writer is, or has died, in a transaction.
var errUnderWay = fmt.Errorf("%w: a transaction is under way or was cut short; what was committed before was read", ErrDamaged)

const (
	// attempts is how often a file that changes is read before it counts as
	// damaged. Torn reads are below 3 in 100 under constant writing.
	attempts = 10
	pause    = 8 * time.Millisecond
	// maxSize bounds a file that is read into memory. A list of a million
	// mailboxes takes about 300 MiB.
	maxSize = 4 << 30
)

// Read returns the records of a file, sorted by key (octets). A missing or
// empty file is an empty database. A format that cannot be read is a Fault
// with code "format" that tells how to convert it. The error of a damaged
// file wraps ErrDamaged and comes with what could be read.
func Read(path string) ([]Record, error) {
	var last []byte
	for n := 1; ; n++ {
		raw, err := load(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		records, err := Parse(raw)
		if err == nil || !errors.Is(err, ErrDamaged) {
			return records, name(path, err)
		}
		// The same octets twice: nobody is writing, it is as it is; unless a
		// writer waits for its disk.
		if n == attempts || !errors.Is(err, errUnderWay) && last != nil && bytes.Equal(last, raw) {
			return records, name(path, err)
		}
		last = raw
		time.Sleep(time.Duration(n) * pause)
	}
}

func name(path string, err error) error {
	if f, ok := errors.AsType[*model.Fault](err); ok {
		g := *f
		g.Err = fmt.Errorf("%s: %w", path, f.Err)
		return &g
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func load(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, unsupported("zeroskip")
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", path)
	case info.Size() > maxSize:
		return nil, model.Faultf(model.ClassFatal, "format", "%s has %d octets: too large to be read at once", path, info.Size())
	}
	raw := make([]byte, 0, info.Size()+512)
	b := bytes.NewBuffer(raw)
	_, err = io.Copy(b, io.LimitReader(f, maxSize))
	return b.Bytes(), err
}

const (
	magicTwoskip  = "\xa1\x02\x8b\x0dtwoskip file\x00\x00\x00\x00"
	magicSkiplist = "\xa1\x02\x8b\x0dskiplist file\x00\x00\x00"
	magicTwom     = "\xa1\x02\x8b\x0dtwomfile\x00\x00\x00\x00"
	magicSQLite   = "SQLite format 3\x00"
)

// Parse reads a file's octets. Its errors are those of Read; the records
// share memory with raw.
func Parse(raw []byte) ([]Record, error) {
	var records []Record
	var err error
	switch {
	case len(raw) == 0:
		return nil, nil
	case bytes.HasPrefix(raw, []byte(magicTwoskip)):
		records, err = twoskip(raw)
	case bytes.HasPrefix(raw, []byte(magicSkiplist)):
		records, err = skiplist(raw)
	case bytes.HasPrefix(raw, []byte(magicTwom)):
		return nil, unsupported("twom")
	case bytes.HasPrefix(raw, []byte(magicSQLite)):
		return nil, unsupported("sql")
	case berkeley(raw):
		return nil, unsupported("berkeley")
	default:
		records, err = flat(raw)
	}
	slices.SortStableFunc(records, func(a, b Record) int { return bytes.Compare(a.Key, b.Key) })
	return slices.CompactFunc(records, func(a, b Record) bool { return bytes.Equal(a.Key, b.Key) }), err
}

// unsupported tells how the administrator makes a file of it that can be read.
func unsupported(engine string) error {
	return &model.Fault{Class: model.ClassFatal, Code: "format", Err: fmt.Errorf("the database is of type %s, which is not read from disk", engine),
		Remedy: "convert a copy on the old server: cvt_cyrusdb FILE " + engine + " NEW flat; or read over IMAP"}
}

// berkeley recognises the hash and btree files of Berkeley DB by their magic
// at octet 12, in either order.
func berkeley(raw []byte) bool {
	if len(raw) < 16 {
		return false
	}
	for _, o := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
		if m := o.Uint32(raw[12:]); m == 0x053162 || m == 0x061561 {
			return true
		}
	}
	return false
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

// Lookup finds a key in sorted records.
func Lookup(records []Record, key []byte) ([]byte, bool) {
	i, ok := slices.BinarySearchFunc(records, key, func(r Record, k []byte) int { return bytes.Compare(r.Key, k) })
	if !ok {
		return nil, false
	}
	return records[i].Value, true
}
