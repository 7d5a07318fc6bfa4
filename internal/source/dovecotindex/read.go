package dovecotindex

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Open opens a file for reading; it says which files may be opened at all.
type Open func(path string) (*os.File, error)

// attempts bounds how often an index is read that is rewritten meanwhile: the
// server does so after some hundred changes.
const attempts = 5

// errBase is wrapped where the index itself is damaged.
var errBase = errors.New("the file cannot be read")

// maxFile bounds an index or log, in octets: some hundred for each of ten
// million messages.
const maxFile = 2 << 30

// Read reads the index at path ("…/dovecot.index") with its logs. Without any
// of its files the error is fs.ErrNotExist; what cannot be made sense of is
// ErrDamaged. For an index that is damaged itself its backup serves, or logs
// that reach back to its beginning.
//
// Its Close must be called.
func Read(open Open, path string, sh Shape) (*Index, error) {
	var err error
	for range attempts {
		var x *Index
		x, err = read(open, path, "", sh)
		if err == nil || errors.Is(err, fs.ErrPermission) {
			return x, err
		}
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if errors.Is(err, errBase) {
		if x, berr := read(open, path, ".backup", sh); berr == nil {
			return x, nil
		}
	}
	return nil, err
}

// read reads once: the index first, so that its logs are newer, and the log
// before the older one, which it becomes when the server begins a new one.
func read(open Open, path, suffix string, sh Shape) (x *Index, err error) {
	index, err := openBase(open, path+suffix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	missing := err
	if index != nil {
		defer func() {
			if x == nil || x.large == nil {
				index.close()
			}
		}()
	}
	var logs []*logFile
	var bad error
	for _, suffix := range []string{".log", ".log.2"} {
		raw, err := slurp(open, path+suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		l, err := parseLog(raw)
		if err != nil {
			bad = fmt.Errorf("%s%s: %w", path, suffix, err)
			continue
		}
		logs = append(logs, l)
	}
	if missing != nil && len(logs) == 0 {
		return nil, cmp.Or(bad, missing)
	}
	x, err = assemble(index, logs, sh)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, bad))
	}
	return x, nil
}

// openBase opens an index that is not too large to be one.
func openBase(open Open, path string) (*base, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > maxFile {
		err = damaged("%s has %d octets", path, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &base{ReaderAt: f, size: info.Size(), close: func() { f.Close() }}, nil
}

func slurp(open Open, path string) ([]byte, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, damaged("%s has %d octets", path, info.Size())
	}
	// With room to spare: it may have grown.
	raw := make([]byte, 0, info.Size()+4096)
	for {
		n, err := f.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		if errors.Is(err, io.EOF) || err == nil && len(raw) == cap(raw) {
			return raw, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// assemble puts an index and its logs together; base may be nil.
func assemble(base *base, logs []*logFile, sh Shape) (*Index, error) {
	// The longer of two copies of the same log was read later.
	slices.SortStableFunc(logs, func(a, b *logFile) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(len(b.raw), len(a.raw)))
	})
	logs = slices.CompactFunc(logs, func(a, b *logFile) bool { return a.seq == b.seq })
	if base == nil {
		return fromLogs(logs)
	}
	s, err := parseBase(base, sh)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBase, err)
	}
	id, seq, offset := s.Order.Uint32(s.head[atIndexID:]), s.Order.Uint32(s.head[atLogSeq:]), s.Order.Uint32(s.head[atLogHead:])
	logs = slices.DeleteFunc(logs, func(l *logFile) bool { return l.indexID != id && l.prevSeq != 0 })
	all := slices.Clone(logs)
	logs = slices.DeleteFunc(logs, func(l *logFile) bool { return l.seq < seq })
	// A log without predecessor starts everything anew.
	if n := len(logs); n > 0 && logs[n-1].prevSeq == 0 && logs[n-1].seq > seq {
		return fromLogs(logs[n-1:])
	}
	at := int(offset)
	switch {
	case len(logs) == 0:
		return nil, damaged("the log %d, which the index continues in, is not there", seq)
	case logs[0].seq == seq:
	case logs[0].prevSeq == seq && logs[0].prevOffset == offset:
		at = logs[0].start // the index had been written at the end of the log before
	default:
		return nil, damaged("the log %d, which the index continues in, is not there", seq)
	}
	for _, l := range all {
		if l.seq < seq && l.seq == logs[0].prevSeq && l.order == s.Order {
			s.scan(l, int(logs[0].prevOffset))
		}
	}
	return s.through(logs, at)
}

// fromLogs makes an index of logs alone: from the last one that begins it.
func fromLogs(logs []*logFile) (*Index, error) {
	for i := len(logs) - 1; i >= 0; i-- {
		l := logs[i]
		if l.prevSeq != 0 {
			continue
		}
		s := &state{Index: Index{Order: l.order, rows: &rows{}}, head: make([]byte, baseSize)}
		l.order.PutUint32(s.head[atIndexID:], l.indexID)
		l.order.PutUint32(s.head[atNextUID:], 1)
		return s.through(logs[i:], l.start)
	}
	return nil, damaged("there is no index, and the log does not reach back to the beginning")
}

// through replays logs in their order.
func (s *state) through(logs []*logFile, at int) (*Index, error) {
	for i, l := range logs {
		if i > 0 {
			if last := logs[i-1]; l.prevSeq != last.seq || int(l.prevOffset) != at {
				return nil, damaged("log %d continues %d at %d, which ends at %d", l.seq, l.prevSeq, l.prevOffset, at)
			}
			at = l.start
		}
		var err error
		if at, err = s.replay(l, at); err != nil {
			return nil, err
		}
		s.LogSeq, s.LogEnd = l.seq, at
		s.logs = append(s.logs, extent{l.seq, l.raw[:at]})
	}
	return s.finish()
}
