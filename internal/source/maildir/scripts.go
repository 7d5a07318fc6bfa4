package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// maxScript is the largest file that is read as a Sieve script, in octets;
// Pigeonhole accepts 1 MiB by default.
const maxScript = 16 << 20

// Scripts implements source.Scripts: Pigeonhole's default place, the folder
// sieve of the home directory with the link .dovecot.sieve to the active one.
// The home is the directory's, else the one that holds the Maildir. An active
// script outside of the folder is found as long as it is the account's: one
// that the link takes from elsewhere is the site's, and Check names it.
func (s *Store) Scripts(ctx context.Context) ([]model.Script, error) {
	out, err := s.at.scripts()
	if err == nil {
		var filter model.Script
		var ok bool
		if filter, ok, err = s.at.mailfilter(s.acc.Login); ok {
			filter.Name = unused(filter.Name, out)
			out = append(out, filter)
		}
	}
	if err != nil {
		f := &model.Fault{Class: model.ClassAccount, Code: "script", Account: s.acc.Login, Err: err}
		var inner *model.Fault
		if errors.As(err, &inner) {
			f.Remedy, f.Err = inner.Remedy, inner.Err
		}
		return nil, f
	}
	return out, nil
}

func (p place) scripts() ([]model.Script, error) {
	dir := filepath.Join(p.home, "sieve")
	active, err := p.activeScript()
	if err != nil {
		return nil, err
	}
	var out []model.Script
	names, err := p.names(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, file := range names {
		name, ok := strings.CutSuffix(file, ".sieve")
		path := filepath.Join(dir, file)
		if !ok || name == "" || strings.HasPrefix(name, ".") || !regular(path) {
			continue
		}
		text, err := p.script(path)
		if err != nil {
			return nil, err
		}
		out = append(out, model.Script{Name: name, Content: text, Active: path == active})
		if path == active {
			active = ""
		}
	}
	if active != "" && p.owns(active) {
		text, err := p.script(active)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a link to nowhere: nothing is active
			return nil, err
		}
		if err == nil {
			out = append(out, model.Script{Name: unused(scriptName(active), out), Content: text, Active: true})
		}
	}
	slices.SortFunc(out, func(a, b model.Script) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// activeScript is the path of what is at work, or empty.
func (p place) activeScript() (string, error) {
	link := filepath.Join(p.home, ".dovecot.sieve")
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
		to = filepath.Join(p.home, to)
	}
	return filepath.Clean(to), nil
}

// owns reports whether a path is in one of the account's directories.
func (p place) owns(path string) bool {
	return below(p.home, path) || below(p.root, path) || below(p.inbox, path)
}

// scriptName names a script for its file. One at ~/.dovecot.sieve has none.
func scriptName(path string) string {
	if name := strings.Trim(strings.TrimSuffix(filepath.Base(path), ".sieve"), "."); name != "" {
		return name
	}
	return "dovecot"
}

func unused(name string, by []model.Script) string {
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

func (p place) script(path string) ([]byte, error) {
	f, err := p.open(path)
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
