package directory

import (
	"iter"
	"path"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory/nearest"
	"mailhaul.org/mailhaul/internal/model"
)

// ListOptions say how to understand a list.
type ListOptions struct {
	DefaultDomain string // as PasswdOptions.DefaultDomain
	// Known yields the accounts that globs choose from, and that complete
	// plain names: those of a directory or what the source enumerates. It
	// may be nil.
	Known iter.Seq2[model.Account, error]
}

// List yields the accounts that entries name, in their order, each once. An
// entry is a login or a glob (path.Match, case-insensitive) on the login or
// address of a known account; a glob that matches nothing is an error. A login
// that is not known is an account all the same: not every source enumerates.
// The errors of Known are passed on.
func List(entries []string, o ListOptions) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		var known []model.Account
		if o.Known != nil {
			for a, err := range o.Known {
				if err != nil {
					if !yield(model.Account{}, err) {
						return
					}
					continue
				}
				known = append(known, a)
			}
		}
		chosen := make([][]model.Account, len(entries))
		entries := slices.Clone(entries)
		for i, e := range entries {
			entries[i] = strings.TrimSpace(e)
		}
		wanted := compile(entries)
		for _, a := range known {
			for _, i := range wanted.match(a.Login, a.Address) {
				chosen[i] = append(chosen[i], a)
			}
		}
		given := map[string]bool{}
		for i, e := range entries {
			if len(chosen[i]) == 0 {
				a, err := unknown(e, len(known), o.DefaultDomain)
				if err != nil {
					if !yield(model.Account{}, err) {
						return
					}
					continue
				}
				chosen[i] = []model.Account{a}
			}
			for _, a := range chosen[i] {
				if given[a.Login] {
					continue
				}
				given[a.Login] = true
				if !yield(a, nil) {
					return
				}
			}
		}
	}
}

// unknown makes an account of a login that no directory has.
func unknown(entry string, known int, domain string) (model.Account, error) {
	if IsGlob(entry) {
		if _, err := path.Match(entry, ""); err != nil {
			return model.Account{}, usage("%q is no pattern: a [ has no ]", entry)
		}
		return model.Account{}, usage("%q matches none of the %d accounts that the source tells of", entry, known)
	}
	if err := checkLogin(entry); err != nil {
		return model.Account{}, model.Faultf(model.ClassAccount, "directory", "source.users.list: %w", err)
	}
	a := model.Account{Login: entry}
	if strings.Contains(entry, "@") || domain != "" {
		a.Address, _ = Normalize(entry, domain)
	}
	return a, nil
}

// hint guesses which login or address was meant, as the end of a sentence. A
// bare name means the account with that local part; of an address only one
// side may be wrong, or any two of a domain would be alike.
func hint(name string, accounts []Entry) string {
	local, domain, whole := strings.Cut(strings.ToLower(name), "@")
	var same, all []string
	for _, a := range accounts {
		for _, n := range []string{a.Address, a.Login} {
			l, d, ok := strings.Cut(strings.ToLower(n), "@")
			switch {
			case n == "":
			case l == local && ok != whole:
				return `: did you mean "` + n + `"?`
			case !whole:
				all = append(all, n)
			case d == domain:
				same = append(same, l)
			case l == local:
				all = append(all, n)
			}
		}
	}
	if l := nearest.To(local, same); whole && l != "" {
		return `: did you mean "` + l + "@" + domain + `"?`
	}
	return nearest.Hint(name, all)
}
