package confined

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

// CodeLink is the code of a Fault for what lies behind a link out of the
// account's own directories.
const CodeLink = "link"

// AsOwner is what helps where a file may not be read.
const AsOwner = "run as the owner of the mail, or as root"

// Dirs are the directories of one account, clean paths; empty ones are none.
// Where one is in another, the first that holds a path counts.
type Dirs []string

// Open opens a regular file of the account for reading. Nothing outside of
// the account's directories is opened, and nothing that blocks; the file's
// time of access stays where the system allows it. A file behind a link that
// leads out is a Fault with CodeLink.
func (d Dirs) Open(path string) (*os.File, error) {
	f, err := d.openFlags(path, os.O_RDONLY|syscall.O_NONBLOCK|noAtime)
	if errors.Is(err, syscall.EPERM) {
		f, err = d.openFlags(path, os.O_RDONLY|syscall.O_NONBLOCK)
	}
	if err != nil {
		return nil, err
	}
	return regular(f)
}

// Regular opens a regular file for reading, never what lies behind a link at its
// end, and nothing that blocks; the file's time of access stays where the system
// allows it. It is for directories that no user can write to.
func Regular(path string) (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOFOLLOW
	f, err := os.OpenFile(path, flags|noAtime, 0)
	if errors.Is(err, syscall.EPERM) {
		f, err = os.OpenFile(path, flags, 0)
	}
	if err != nil {
		return nil, err
	}
	return regular(f)
}

// regular closes what is no regular file.
func regular(f *os.File) (*os.File, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", f.Name())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Names lists a directory of the account. Nothing is asked of each file.
func (d Dirs) Names(dir string) ([]string, error) {
	f, err := d.openFlags(dir, os.O_RDONLY|syscall.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// EachName calls fn for the names in a directory of the account, as the system
// gives them, without holding all of them. A name is valid during the call; an
// error of fn ends it.
func (d Dirs) EachName(dir string, fn func(name []byte) error) error {
	f, err := d.openFlags(dir, os.O_RDONLY|syscall.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer f.Close()
	return eachName(f, fn)
}

func (d Dirs) openFlags(path string, flags int) (*os.File, error) {
	base, rel := d.within(path)
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(rel, flags, 0)
	if err == nil {
		return f, nil
	}
	return nil, d.refused(base, path, err)
}

// refused says why a path could not be opened: because it leads out of base?
func (d Dirs) refused(base, path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return err
	}
	if to := leadsTo(path); !Below(leadsTo(base), to) {
		return &model.Fault{Class: model.ClassItem, Code: CodeLink, Err: fmt.Errorf("%s is a link to %s, which is not the account's", path, to),
			Remedy: "if it shall be moved, mount the directory (mount --bind) in place of the link"}
	}
	return err
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
func (d Dirs) within(path string) (base, rel string) {
	for _, base := range d {
		if base != "" && Below(base, path) {
			if rel, err := filepath.Rel(base, path); err == nil {
				return base, rel
			}
		}
	}
	return filepath.Dir(path), filepath.Base(path)
}

// Below reports whether path is dir or inside of it; both are clean.
func Below(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
