package confined

import (
	"errors"
	"os"
	"syscall"
)

// Dir is a directory of the account that stays open: opening many files of it
// takes one step each, whatever happens to the path meanwhile.
type Dir struct{ root *os.Root }

// Dir opens a directory; the caller closes it.
func (d Dirs) Dir(path string) (*Dir, error) {
	base, rel := d.within(path)
	root, err := os.OpenRoot(base)
	if err != nil || rel == "." {
		return &Dir{root}, err
	}
	defer root.Close()
	sub, err := root.OpenRoot(rel)
	if err != nil {
		return nil, d.refused(base, path, err)
	}
	return &Dir{sub}, nil
}

// Open opens a regular file in the directory.
func (d *Dir) Open(name string) (*os.File, error) {
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|noAtime, 0)
	if errors.Is(err, syscall.EPERM) {
		f, err = d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, err
	}
	return regular(f)
}

// Close closes the directory; files of it that are open stay so.
func (d *Dir) Close() error { return d.root.Close() }
