package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"mailhaul.org/mailhaul/internal/model"
)

// Accounts implements source.Source: every directory that the template can
// name is an account. One that may not be looked at is an error, because
// leaving it out would leave its mail behind unnoticed.
func (s *Source) Accounts(ctx context.Context) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		pattern, login, ok := matcher(s.opts.Path)
		if !ok {
			yield(model.Account{}, model.Faultf(model.ClassFatal, "notEnumerable", "the path %q does not tell the accounts: name a passwd-file or list them", s.opts.Path))
			return
		}
		for path, err := range glob(pattern) {
			if cerr := ctx.Err(); cerr != nil {
				yield(model.Account{}, cerr)
				return
			}
			name, ok := "", true
			if err == nil {
				if name, ok = login(path); !ok {
					continue
				}
				if ok, err = maildirAt(path); err == nil && !ok {
					continue
				}
			}
			if err != nil {
				f := &model.Fault{Class: model.ClassAccount, Code: "unreadable", Account: name, Err: err}
				if errors.Is(err, fs.ErrPermission) {
					f.Remedy = asOwner
				}
				if !yield(model.Account{}, f) {
					return
				}
				continue
			}
			if !yield(model.Account{Login: name, Quota: quotaOf(path)}, nil) {
				return
			}
		}
	}
}

// quotaOf is the limit that the Maildir's own count of its size begins with, or
// 0 where there is none: a hint, where no directory tells.
func quotaOf(dir string) int64 {
	f, err := place{root: dir}.open(filepath.Join(dir, "maildirsize"))
	if err != nil {
		return 0
	}
	defer f.Close()
	line := make([]byte, 128)
	n, _ := f.Read(line)
	return parseQuota(firstLine(line[:n]))
}

const asOwner = "run as the owner of the mail, or as root"

// maildirAt is isMaildir with the reason why nobody can tell.
func maildirAt(dir string) (bool, error) {
	info, err := os.Stat(filepath.Join(dir, "cur"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	return err == nil && info.IsDir(), err
}

// glob is filepath.Glob for absolute patterns, but directories that cannot
// be read are errors and names with a leading dot do not match.
func glob(pattern string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		descend("/", strings.Split(strings.Trim(filepath.Clean(pattern), "/"), "/"), yield)
	}
}

func descend(dir string, rest []string, yield func(string, error) bool) bool {
	for i, segment := range rest {
		if !strings.ContainsAny(segment, `*?[\`) {
			dir = filepath.Join(dir, segment)
			continue
		}
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return true
		}
		if err != nil {
			return yield("", fmt.Errorf("looking for accounts: %w", err))
		}
		for _, e := range entries {
			if ok, _ := filepath.Match(segment, e.Name()); !ok || strings.HasPrefix(e.Name(), ".") {
				continue
			}
			if !descend(filepath.Join(dir, e.Name()), rest[i+1:], yield) {
				return false
			}
		}
		return true
	}
	return yield(dir, nil)
}
