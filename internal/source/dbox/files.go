package dbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mailhaul.org/mailhaul/internal/source/confined"
)

// files opens message files and keeps the last ones, so that messages of an
// mdbox are read in one go.
type files struct {
	p    place
	open []opened
	dirs map[string]*confined.Dir
}

type opened struct {
	dir, name string
	f         *file
}

// kept is how many files stay open.
const kept = 8

func newFiles(p place) *files { return &files{p: p, dirs: map[string]*confined.Dir{}} }

// Close closes what is open.
func (c *files) Close() {
	for _, o := range c.open {
		o.f.Close()
	}
	for _, d := range c.dirs {
		if d != nil {
			d.Close()
		}
	}
	c.open, c.dirs = nil, map[string]*confined.Dir{}
}

// get opens a file for messages. keep is for files that hold many.
func (c *files) get(dir, name string, keep bool) (f *file, release func(), err error) {
	for i := len(c.open) - 1; i >= 0; i-- {
		if c.open[i].name == name && c.open[i].dir == dir {
			return c.open[i].f, func() {}, nil
		}
	}
	d, ok := c.dirs[dir]
	if !ok {
		if d, err = c.p.dirs().Dir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		if err != nil {
			d = nil
		}
		c.dirs[dir] = d
	}
	if d == nil {
		return nil, nil, &os.PathError{Op: "open", Path: filepath.Join(dir, name), Err: fs.ErrNotExist}
	}
	raw, err := d.Open(name)
	if err != nil {
		return nil, nil, err
	}
	if f, err = openFile(raw); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	if !keep {
		return f, func() { f.Close() }, nil
	}
	if len(c.open) >= kept {
		c.open[0].f.Close()
		c.open = slices.Delete(c.open, 0, 1)
	}
	c.open = append(c.open, opened{dir, name, f})
	return f, func() {}, nil
}
