package sandbox

import (
	"slices"
	"strings"
)

// shares are the rights that others have on something, by account. A right's
// map is never changed in place.
type shares map[uint32]map[string]bool

// may reports whether the login has a right: as an owner, by itself, or as a
// member of a group.
func (c *call) may(sh shares, right string) bool {
	if c.owns() || sh[c.tok.account][right] {
		return true
	}
	for g := range c.tok.groups {
		if sh[g][right] {
			return true
		}
	}
	return false
}

// mayAny reports whether the login has any of the rights.
func (c *call) mayAny(sh shares, rights []string) bool {
	return slices.ContainsFunc(rights, func(r string) bool { return c.may(sh, r) })
}

// myRights are those of the login, of all that there are.
func (c *call) myRights(sh shares, rights []string) obj {
	out := obj{}
	for _, name := range rights {
		out[name] = c.may(sh, name)
	}
	return out
}

// show is the property shareWith: who else has rights.
func (sh shares) show(rights []string) obj {
	out := obj{}
	for id, granted := range sh {
		all := obj{}
		for _, name := range rights {
			all[name] = granted[name]
		}
		out[formatID32(id)] = all
	}
	return out
}

// isShare reports whether a property says who else has rights.
func isShare(property string) bool {
	return property == "shareWith" || strings.HasPrefix(property, "shareWith/")
}

// share applies a "shareWith" property, or a patch of one grantee's rights, and
// returns what comes of it.
func (c *call) share(have shares, name string, v value) (shares, setError) {
	next := shares{}
	grants := v.members
	if id, one := strings.CutPrefix(name, "shareWith/"); one {
		for k, granted := range have {
			next[k] = granted
		}
		grants = []member{{id, v}}
	} else if v.kind != kindObject && v.kind != kindNull {
		return nil, invalidProperty("Invalid property or value.", "shareWith")
	}
	for _, g := range grants {
		n, err := parseID(g.name)
		if err != nil || n >= 1<<32-1 || c.s.accounts[uint32(n)] == nil {
			return nil, invalidProperty("Account does not exist.", "shareWith")
		}
		granted := map[string]bool{}
		for _, r := range g.value.members {
			granted[r.name] = r.value.bool
		}
		if g.value.kind == kindNull || len(granted) == 0 {
			delete(next, uint32(n))
			continue
		}
		next[uint32(n)] = granted
	}
	if len(next) > c.s.limits.MaxShares {
		return nil, invalidProperty("Too many shares.", "shareWith")
	}
	return next, nil
}
