package directory

import (
	"fmt"
	"path"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Rule says what becomes of the accounts that it matches.
type Rule struct {
	// Source is a glob (path.Match, case-insensitive) on the login or on the
	// address that the account has at the source.
	Source string
	// Destination is the address at the destination; empty keeps it. "*@domain"
	// keeps the local part. A bare name keeps the domain. A rule with a
	// destination also brings back what the directory itself left out.
	Destination string
	// Exclude leaves the accounts where they are, for Reason; Reason may be
	// empty.
	Exclude bool
	Reason  string
	// Secret is the clear-text password to log in to the source with.
	Secret string
	// Where names the rule for people, as "mailhaul.yaml:14".
	Where string
}

// Wave is a group of accounts that move together.
type Wave struct {
	Name  string
	Globs []string // on the login, or an address at either side
	Where string
}

func (r Rule) name() string {
	if r.Where == "" {
		return fmt.Sprintf("rule %q", r.Source)
	}
	return fmt.Sprintf("rule %q (%s)", r.Source, r.Where)
}

func (w Wave) name() string {
	if w.Where == "" {
		return fmt.Sprintf("wave %q", w.Name)
	}
	return fmt.Sprintf("wave %q (%s)", w.Name, w.Where)
}

// apply changes an account as the rule says.
func (r Rule) apply(a *model.Account, domain string) {
	if r.Secret != "" {
		a.Secret = r.Secret
	}
	if r.Exclude {
		a.Excluded = r.Reason
		if a.Excluded == "" {
			a.Excluded = "excluded by " + r.name()
		}
		return
	}
	if r.Destination == "" {
		return
	}
	a.Excluded = ""
	local, own := split(a.Address, a.Login, domain)
	switch to, ok := strings.CutPrefix(r.Destination, "*@"); {
	case ok:
		a.Address = local + "@" + to
	case strings.Contains(r.Destination, "@"):
		a.Address = r.Destination
	case own != "":
		a.Address = r.Destination + "@" + own
	default:
		a.Address = r.Destination // Normalize misses the domain
	}
}

// split returns the parts of the address, or of the login where there is none.
func split(address, login, domain string) (string, string) {
	if address == "" {
		address = login
	}
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return address[:i], address[i+1:]
	}
	return address, domain
}

// Rename says what rules make of an address that is no account's: a list's or
// an alias's. It is excluded, or called otherwise, by the first rule whose
// pattern it matches.
func Rename(rules []Rule, address string) (to string, excluded bool, reason string) {
	for _, r := range rules {
		if ok, err := path.Match(strings.ToLower(r.Source), address); err != nil || !ok {
			continue
		}
		a := model.Account{Login: address, Address: address}
		r.apply(&a, "")
		if to, err := Normalize(a.Address, domainOf(address)); err == nil {
			return to, r.Exclude, a.Excluded
		}
		break
	}
	return address, false, ""
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
