package cyrus

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
)

// ScriptSetting implements source.ScriptSettings: the site's scripts, which
// users' include by name (imap/lmtp_sieve.c, sieve_find_script). A domain of its
// own has its own.
func (st *Store) ScriptSetting(context.Context) (set model.ScriptSetting, err error) {
	l := st.src.opts.Layout
	if l.Sieve == "" {
		return set, nil // in homes there are none
	}
	dir := filepath.Join(l.Sieve, "global")
	if _, domain, ok := strings.Cut(st.user, "@"); ok && l.Virtual && !strings.ContainsAny(domain, "/\x00") {
		dir = filepath.Join(l.Sieve, "domain", hash(domain, l.FullHash), domain, "global")
	}
	set.Global, err = scriptsIn(dir)
	if err != nil {
		return set, st.fault("", err)
	}
	return set, nil
}

// scriptsIn reads NAME.script of a folder that may not be there, in the order of
// names; the link defaultbc names the active one.
func scriptsIn(dir string) (out []model.Script, err error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	active := ""
	if to, err := os.Readlink(filepath.Join(dir, "defaultbc")); err == nil {
		active = strings.TrimSuffix(filepath.Base(to), ".bc")
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".script")
		if !ok || name == "" {
			continue
		}
		file, err := confined.Regular(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(io.LimitReader(file, maxScript))
		file.Close()
		if err != nil {
			return nil, err
		}
		out = append(out, model.Script{Name: name, Content: raw, Active: name == active})
	}
	return out, nil
}

// bytecode is what compiled scripts begin with (sieve/bytecode.h).
var bytecode = []byte("CyrSBytecode")

// homeScripts are a user's where scripts lie in homes (sieveusehomedir): the
// server runs ~/.sieve, which the user has compiled; the text is beside it,
// ~/.sieve.script, or .sieve is a folder with it.
func (st *Store) homeScripts() ([]model.Script, error) {
	home, ok := st.home()
	if !ok {
		return nil, nil
	}
	at := filepath.Join(home, ".sieve")
	if info, err := os.Lstat(at); err == nil && info.IsDir() {
		return scriptsIn(at)
	}
	for _, path := range []string{at + ".script", at} {
		f, err := confined.Dirs{home}.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(io.LimitReader(f, maxScript))
		f.Close()
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(raw, bytecode) {
			st.damaged(model.Collection{}, "script .sieve", "only the compiled form of the active script is in "+path+": it is not carried; write it anew at the destination, or put its text beside it as .sieve.script", nil)
			return nil, nil
		}
		_, err = os.Stat(at)
		return []model.Script{{Name: "sieve", Content: raw, Active: err == nil}}, nil
	}
	return nil, nil
}

// home is the user's, as the directory or the host's list of users says.
func (st *Store) home() (string, bool) {
	if h := st.acc.Home; filepath.IsAbs(h) {
		return filepath.Clean(h), true
	}
	u, err := user.Lookup(st.user)
	if err != nil || u.HomeDir == "" {
		return "", false
	}
	return filepath.Join("/", st.src.opts.Layout.Root, u.HomeDir), true
}

var _ source.ScriptSettings = (*Store)(nil)
