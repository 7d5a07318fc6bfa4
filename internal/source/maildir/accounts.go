package maildir

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/location"
)

// Accounts implements source.Source: every Maildir that the template can name
// is an account's.
func (s *Source) Accounts(ctx context.Context) iter.Seq2[model.Account, error] {
	return location.Accounts(ctx, s.opts.Path, func(path string, a *model.Account) (bool, error) {
		ok, err := maildirAt(path)
		if ok {
			a.Quota = quotaOf(path)
		}
		return ok, err
	})
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

// maildirAt is isMaildir with the reason why nobody can tell.
func maildirAt(dir string) (bool, error) {
	info, err := os.Stat(filepath.Join(dir, "cur"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	return err == nil && info.IsDir(), err
}
