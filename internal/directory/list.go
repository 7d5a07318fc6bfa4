package directory

import (
	"iter"
	"path"
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

// IsGlob reports whether a name is a pattern of path.Match and not just a name.
func IsGlob(s string) bool { return strings.ContainsAny(s, `*?[`) }

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
		given := map[string]bool{}
		for _, e := range entries {
			e = strings.TrimSpace(e)
			found, err := listed(e, known, o.DefaultDomain)
			if err != nil && !yield(model.Account{}, err) {
				return
			}
			for _, a := range found {
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

func listed(entry string, known []model.Account, domain string) ([]model.Account, error) {
	var found []model.Account
	for _, a := range known {
		if matches(entry, a.Login, a.Address) {
			found = append(found, a)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	if IsGlob(entry) {
		if _, err := path.Match(entry, ""); err != nil {
			return nil, model.Faultf(model.ClassFatal, "directory", "%q is no pattern: a [ has no ]", entry)
		}
		return nil, model.Faultf(model.ClassFatal, "directory", "%q matches none of the %d accounts that the source tells of", entry, len(known))
	}
	if err := checkLogin(entry); err != nil {
		return nil, model.Faultf(model.ClassAccount, "directory", "source.users.list: %w", err)
	}
	a := model.Account{Login: entry}
	if strings.Contains(entry, "@") || domain != "" {
		a.Address, _ = Normalize(entry, domain)
	}
	return []model.Account{a}, nil
}

// matches reports whether a pattern of path.Match fits one of the names. Case
// counts for nothing, as in Dovecot's logins and in the destination's addresses.
func matches(pattern string, names ...string) bool {
	glob := IsGlob(pattern)
	pattern = strings.ToLower(pattern)
	for _, n := range names {
		if n == "" {
			continue
		}
		if !glob { // a backslash of "DOMAIN\anna" quotes nothing
			if pattern == strings.ToLower(n) {
				return true
			}
			continue
		}
		if ok, err := path.Match(pattern, strings.ToLower(n)); ok && err == nil {
			return true
		}
	}
	return false
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
