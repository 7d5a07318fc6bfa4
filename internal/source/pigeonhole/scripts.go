package pigeonhole

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/confined"
)

// Home is the home directory of one account.
type Home struct {
	// Path is clean and absolute.
	Path string
	// Own are all directories of the account, Path among them: a script
	// elsewhere is not its own.
	Own confined.Dirs
}

// Scripts reads the account's scripts. An active one outside of the folder
// sieve is found as long as it is the account's: one that the link takes from
// elsewhere is the site's, and ForeignScript names it. Errors are Faults of
// ClassAccount with code "script".
func (h Home) Scripts(login string) ([]model.Script, error) {
	out, err := h.scripts()
	if err != nil {
		f := &model.Fault{Class: model.ClassAccount, Code: "script", Account: login, Err: err}
		var inner *model.Fault
		if errors.As(err, &inner) {
			f.Remedy, f.Err = inner.Remedy, inner.Err
		}
		return nil, f
	}
	return out, nil
}

// ForeignScript is the path of the active script if that is not the account's
// own, else empty.
func (h Home) ForeignScript() (string, error) {
	active, err := h.active()
	if err != nil || active == "" || h.Owns(active) {
		return "", err
	}
	return active, nil
}

func (h Home) scripts() ([]model.Script, error) {
	dir := filepath.Join(h.Path, "sieve")
	active, err := h.active()
	if err != nil {
		return nil, err
	}
	var out []model.Script
	names, err := h.Own.Names(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, file := range names {
		name, ok := strings.CutSuffix(file, ".sieve")
		path := filepath.Join(dir, file)
		if !ok || name == "" || strings.HasPrefix(name, ".") || !regular(path) {
			continue
		}
		text, err := h.Script(path)
		if err != nil {
			return nil, err
		}
		out = append(out, model.Script{Name: name, Content: text, Active: path == active})
		if path == active {
			active = ""
		}
	}
	if active != "" && h.Owns(active) {
		text, err := h.Script(active)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a link to nowhere: nothing is active
			return nil, err
		}
		if err == nil {
			out = append(out, model.Script{Name: Unused(personalName(active), out), Content: text, Active: true})
		}
	}
	slices.SortFunc(out, func(a, b model.Script) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// active is the path of what is at work, or empty.
func (h Home) active() (string, error) {
	link := filepath.Join(h.Path, ".dovecot.sieve")
	info, err := os.Lstat(link)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case info.Mode()&fs.ModeSymlink == 0:
		return link, nil
	}
	to, err := os.Readlink(link)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(h.Path, to)
	}
	return filepath.Clean(to), nil
}

// Owns reports whether a path is in one of the account's directories.
func (h Home) Owns(path string) bool {
	return slices.ContainsFunc(h.Own, func(d string) bool { return d != "" && confined.Below(d, path) })
}

// personalName names a script for its file. One at ~/.dovecot.sieve has none.
func personalName(path string) string {
	if name := strings.Trim(strings.TrimSuffix(filepath.Base(path), ".sieve"), "."); name != "" {
		return name
	}
	return "dovecot"
}

// Unused is name, or name with a number if one of the scripts has it.
func Unused(name string, by []model.Script) string {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s (%d)", name, n)
		}
		if !slices.ContainsFunc(by, func(s model.Script) bool { return s.Name == try }) {
			return try
		}
	}
}

func regular(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

// Script reads a script of the account.
func (h Home) Script(path string) ([]byte, error) {
	f, err := h.Own.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	if err == nil && len(text) > maxScript {
		err = fmt.Errorf("%s is larger than %d octets: no script", path, maxScript)
	}
	return text, err
}
