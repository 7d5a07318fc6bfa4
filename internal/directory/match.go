package directory

import (
	"path"
	"slices"
	"strings"
)

// IsGlob reports whether a name is a pattern of path.Match and not just a name.
func IsGlob(s string) bool { return strings.ContainsAny(s, `*?[`) }

// patterns are names and globs (path.Match) that are tried together. Names
// cost nothing, however many there are: an organisation may rename everybody.
// Case counts for nothing, as in Dovecot's logins and in the destination's
// addresses.
type patterns struct {
	names map[string][]int
	globs []glob
}

type glob struct {
	pattern string
	index   int
}

func compile(list []string) patterns {
	p := patterns{names: map[string][]int{}}
	for i, s := range list {
		s = strings.ToLower(s)
		if IsGlob(s) {
			p.globs = append(p.globs, glob{s, i})
		} else { // a backslash of "DOMAIN\anna" quotes nothing
			p.names[s] = append(p.names[s], i)
		}
	}
	return p
}

// match returns which patterns fit any of the names, in ascending order.
func (p patterns) match(names ...string) []int {
	var found []int
	for i, n := range names {
		n = strings.ToLower(n)
		if n == "" || slices.Contains(names[:i], names[i]) {
			continue
		}
		found = append(found, p.names[n]...)
		for _, g := range p.globs {
			if ok, err := path.Match(g.pattern, n); ok && err == nil {
				found = append(found, g.index)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
