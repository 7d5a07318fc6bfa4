package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"mailhaul.org/mailhaul/internal/model"
)

// codeLink is the code of a Fault for what lies behind a link out of the
// account's own directories.
const codeLink = "link"

// open opens a regular file of the account for reading. Users can plant
// links and pipes in their Maildirs and mailhaul often runs as root: nothing
// outside the account's own directories is opened, and nothing that blocks.
func (p place) open(path string) (*os.File, error) {
	f, err := p.openFlags(path, os.O_RDONLY|syscall.O_NONBLOCK|noAtime)
	if errors.Is(err, syscall.EPERM) {
		f, err = p.openFlags(path, os.O_RDONLY|syscall.O_NONBLOCK)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// names lists a directory of the account. Nothing is asked of each file.
func (p place) names(dir string) ([]string, error) {
	d, err := p.openFlags(dir, os.O_RDONLY|syscall.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

func (p place) openFlags(path string, flags int) (*os.File, error) {
	base, rel := p.within(path)
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(rel, flags, 0)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return f, err
	}
	if to := leadsTo(path); !below(leadsTo(base), to) {
		return nil, &model.Fault{Class: model.ClassItem, Code: codeLink, Err: fmt.Errorf("%s is a link to %s, which is not the account's", path, to),
			Remedy: "if it shall be moved, mount the directory (mount --bind) in place of the link"}
	}
	return nil, err
}

// leadsTo follows all links of a path whose last part may not exist.
func leadsTo(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}

// within tells which of the account's directories holds the path.
func (p place) within(path string) (base, rel string) {
	for _, base := range []string{p.inbox, p.control, p.home, p.root} {
		if base != "" && below(base, path) {
			if rel, err := filepath.Rel(base, path); err == nil {
				return base, rel
			}
		}
	}
	return filepath.Dir(path), filepath.Base(path)
}

// below reports whether path is dir or inside of it; both are clean.
func below(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
