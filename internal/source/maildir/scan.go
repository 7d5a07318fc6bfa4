package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// settled is how long a directory must have been left alone before its time
// of change can stand for its content: file systems keep times in ticks.
const settled = 2 * time.Second

// passes bounds how often a directory is listed that keeps changing.
const passes = 4

// tries bounds how often a file is looked for that keeps being renamed.
const tries = 10

// scan lists new, then cur, so that a message that a client moves between
// the two is not missed. POSIX does not say whether a file that is renamed
// meanwhile shows once, twice or never: while the directories change, they
// are listed again, and what any pass saw is returned, the latest last.
func scan(at place, dir string, now time.Time) (_ *listing, err error) {
	out := &listing{limit: at.limit}
	defer func() {
		if err != nil {
			out.close()
		}
	}()
	for pass := 1; ; pass++ {
		before, quiet := times(dir, now)
		for _, sub := range []string{"new", "cur"} {
			err := at.dirs().EachName(filepath.Join(dir, sub), func(name []byte) error {
				if hidden(name) {
					return nil
				}
				return out.add(name, sub == "new")
			})
			if errors.Is(err, fs.ErrNotExist) && sub == "new" {
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		if after, _ := times(dir, now); pass == passes || after == before && (quiet || pass > 1) {
			return out, out.seal()
		}
	}
}

// times are the times of change of cur and new; quiet, whether both are old
// enough for the next change to give another time.
func times(dir string, now time.Time) (at [2]time.Time, quiet bool) {
	quiet = true
	for i, sub := range []string{"new", "cur"} {
		if info, err := os.Stat(filepath.Join(dir, sub)); err == nil {
			at[i] = info.ModTime()
			quiet = quiet && now.Sub(at[i]) >= settled
		}
	}
	return at, quiet
}

// locate runs do with the file of m, and once more under its new name as long
// as the file was renamed before do came to it. fs.ErrNotExist means that it
// was removed.
func (x *index) locate(at place, now time.Time, m *message, do func(path string) error) error {
	for range tries {
		err := do(m.path(x.dir))
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		to, ok, err := x.movedTo(m.base())
		if err != nil {
			return err
		}
		// What a listing made after this one does not show is gone. One that
		// still shows the old name is older than the rename.
		if x.moved == nil || ok && to == m.file {
			if err := x.lookAgain(at, now); err != nil {
				return err
			}
			if to, ok, err = x.movedTo(m.base()); err != nil {
				return err
			}
		}
		if !ok {
			return fs.ErrNotExist
		}
		m.file = to
	}
	return fs.ErrNotExist
}

func (x *index) lookAgain(at place, now time.Time) error {
	if x.moved != nil {
		if err := x.moved.close(); err != nil {
			return err
		}
		x.moved = nil
	}
	files, err := scan(at, x.dir, now)
	if err == nil {
		x.moved = files
	}
	return err
}

// movedTo is where the latest listing shows a file.
func (x *index) movedTo(base string) (file, bool, error) {
	if x.moved == nil {
		return file{}, false, nil
	}
	return x.moved.lookup([]byte(base))
}

// fingerprint changes with everything that the index is made of. It is empty
// while the mailbox is changing.
func fingerprint(at place, dir string, now time.Time) string {
	s := "m2"
	paths := append([]string{filepath.Join(dir, "cur"), filepath.Join(dir, "new")}, at.controlFiles(dir)...)
	if moreThanLetters(at, at.controlDir(dir)) {
		paths = append(paths, filepath.Join(at.indexDir(dir), "dovecot.index.log"))
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			s += ":-"
			continue
		}
		if err != nil || now.Sub(info.ModTime()) < settled {
			return ""
		}
		size, inode := info.Size(), uint64(0)
		if info.IsDir() {
			size = 0 // only grows, and not everywhere
		}
		if sys, ok := info.Sys().(*syscall.Stat_t); ok {
			inode = uint64(sys.Ino) // a restored directory keeps its time
		}
		s += fmt.Sprintf(":%x.%x.%x", info.ModTime().UnixNano(), size, inode)
	}
	return s
}
