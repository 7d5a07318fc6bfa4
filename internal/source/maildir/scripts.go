package maildir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// maxScript bounds what is read as a Sieve script.
const maxScript = 16 << 20

// Scripts implements source.Scripts: Pigeonhole's default place, the folder
// sieve of the home directory with the link .dovecot.sieve to the active one.
// The home is the directory's, else the one that holds the Maildir.
func (s *Store) Scripts(ctx context.Context) ([]model.Script, error) {
	home := s.acc.Home
	if home == "" {
		home = filepath.Dir(s.at.root)
	}
	return scriptsIn(home, s.acc.Login)
}

func scriptsIn(home, login string) ([]model.Script, error) {
	fault := func(err error) error {
		return &model.Fault{Class: model.ClassAccount, Code: "script", Account: login, Err: err}
	}
	link := filepath.Join(home, ".dovecot.sieve")
	active := ""
	var out []model.Script
	info, err := os.Lstat(link)
	switch {
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		to, err := os.Readlink(link)
		if err != nil {
			return nil, fault(err)
		}
		active = strings.TrimSuffix(filepath.Base(to), ".sieve")
	case err == nil && info.Mode().IsRegular():
		// Not a link: it is the one script, and it is active.
		text, err := readScript(link)
		if err != nil {
			return nil, fault(err)
		}
		out = append(out, model.Script{Name: "dovecot", Content: text, Active: true})
	case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
		return nil, fault(err)
	}
	files, err := os.ReadDir(filepath.Join(home, "sieve"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault(err)
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".sieve")
		if !ok || name == "" || strings.HasPrefix(name, ".") || !f.Type().IsRegular() {
			continue
		}
		text, err := readScript(filepath.Join(home, "sieve", f.Name()))
		if err != nil {
			return nil, fault(err)
		}
		out = append(out, model.Script{Name: name, Content: text, Active: name == active && active != ""})
	}
	slices.SortFunc(out, func(a, b model.Script) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func readScript(path string) ([]byte, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxScript))
}
