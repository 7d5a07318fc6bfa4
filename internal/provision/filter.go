package provision

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
)

// Filter chooses actions. The zero Filter chooses all.
type Filter struct {
	patterns []pattern
	// Addresses, if not nil, leaves only accounts with these addresses, what is
	// theirs, and domains.
	Addresses map[string]bool
}

type pattern struct {
	kind destination.Kind // empty: any
	glob string
}

var kinds = []destination.Kind{destination.KindDomain, destination.KindAccount, destination.KindGroup, destination.KindMember, destination.KindList,
	destination.KindForward, destination.KindCatchAll, destination.KindVacation, destination.KindIdentity}

// ParseFilter reads patterns as --only has them: "list" (all lists),
// "list/*@acme.test", "*/anna@acme.test". None chooses all.
func ParseFilter(patterns []string) (Filter, error) {
	var f Filter
	for _, s := range patterns {
		kind, glob, found := strings.Cut(s, "/")
		if !found {
			glob = "*"
		}
		p := pattern{glob: strings.ToLower(glob)}
		if kind != "*" {
			p.kind = destination.Kind(strings.TrimSuffix(strings.ToLower(kind), "s"))
			if kind == "identities" {
				p.kind = destination.KindIdentity
			}
			if !slices.Contains(kinds, p.kind) {
				var names []string
				for _, k := range kinds {
					names = append(names, string(k))
				}
				return f, fmt.Errorf("--only %s: %q is none of %s", s, kind, strings.Join(names, ", "))
			}
		}
		if _, err := path.Match(p.glob, ""); err != nil {
			return f, fmt.Errorf("--only %s: %w", s, err)
		}
		f.patterns = append(f.patterns, p)
	}
	return f, nil
}

func (f Filter) match(a destination.Action) bool {
	if f.Addresses != nil {
		switch a.Kind {
		case destination.KindDomain:
			if !f.inDomain(a.Subject) {
				return false
			}
		case destination.KindGroup:
			if !a.Account.Nobodys() || !f.Addresses[a.Subject] {
				return false
			}
		case destination.KindAccount, destination.KindForward, destination.KindVacation, destination.KindIdentity:
			if !f.Addresses[a.Subject] {
				return false
			}
		case destination.KindList: // of several forwards
			if of, helper := strings.CutPrefix(a.Subject, "forward-"); !helper || !f.Addresses[of] {
				return false
			}
		default:
			return false
		}
	}
	if len(f.patterns) == 0 {
		return true
	}
	return slices.ContainsFunc(f.patterns, func(p pattern) bool {
		ok, _ := path.Match(p.glob, strings.ToLower(a.Subject))
		return ok && (p.kind == "" || p.kind == a.Kind)
	})
}

func (f Filter) inDomain(name string) bool {
	for a := range f.Addresses {
		if _, domain, _ := strings.Cut(a, "@"); domain == name {
			return true
		}
	}
	return false
}
