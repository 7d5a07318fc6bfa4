package location

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
	"mailhaul.org/mailhaul/internal/source/confined"
)

// Accounts yields an account for every directory that a template can name and
// that holds mail, as holds says, which may tell more of the account. One that may not be looked at is an error,
// because leaving it out would leave its mail behind unnoticed. A template
// that does not tell the logins yields one error with code "notEnumerable".
func Accounts(ctx context.Context, template string, holds func(path string, a *model.Account) (bool, error)) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		pattern, login, ok := Matcher(template)
		if !ok {
			yield(model.Account{}, model.Faultf(model.ClassFatal, "notEnumerable", "the path %q does not tell the accounts: name a passwd-file or list them", template))
			return
		}
		for path, err := range glob(pattern) {
			if cerr := ctx.Err(); cerr != nil {
				yield(model.Account{}, cerr)
				return
			}
			var a model.Account
			ok := true
			if err == nil {
				if a.Login, ok = login(path); !ok {
					continue
				}
				if ok, err = holds(path, &a); err == nil && !ok {
					continue
				}
			}
			if err != nil {
				f := &model.Fault{Class: model.ClassAccount, Code: "unreadable", Account: a.Login, Err: err}
				if errors.Is(err, fs.ErrPermission) {
					f.Remedy = confined.AsOwner
				}
				if !yield(model.Account{}, f) {
					return
				}
				continue
			}
			if !yield(a, nil) {
				return
			}
		}
	}
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
