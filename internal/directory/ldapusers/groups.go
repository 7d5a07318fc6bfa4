package ldapusers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// groupFilter finds groups of RFC 2307 and RFC 4519.
const groupFilter = "(|(objectClass=posixGroup)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))"

// ReadGroups returns the members, as logins, of the groups below base, by their
// cn. memberUid names members by login, member and uniqueMember by the DN of
// their entries: such a member counts if it is one of the accounts that s
// finds. Groups within groups are followed. An empty filter means the classes
// posixGroup, groupOfNames and groupOfUniqueNames. Errors are model.ClassFatal.
func ReadGroups(ctx context.Context, s Settings, base, filter string) (map[string][]string, error) {
	search, attributes, err := s.search()
	if err != nil {
		return nil, err
	}
	c, err := Dial(ctx, s.Server)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if filter == "" {
		filter = groupFilter
	}
	g := groups{byDN: map[string]Entry{}, logins: map[string]string{}}
	for e, err := range c.Search(ctx, Search{Base: base, Filter: filter, Attributes: []string{"cn", "memberUid", "member", "uniqueMember"}}) {
		if err != nil {
			return nil, err
		}
		g.byDN[normal(e.DN)] = e
	}
	if slices.ContainsFunc(slices.Collect(g.entries()), func(e Entry) bool { return len(e.Get("member"))+len(e.Get("uniqueMember")) > 0 }) {
		for e, err := range c.Search(ctx, search) {
			if err != nil {
				return nil, err
			}
			if a, err := s.account(e, attributes); err == nil { // what is wrong with it, Read tells
				g.logins[normal(e.DN)] = a.Login
			}
		}
	}
	out := map[string][]string{}
	for e := range g.entries() {
		name := e.First("cn")
		if name == "" {
			return nil, c.fault(fmt.Errorf("the group %s has no cn", e.DN))
		}
		out[name] = append(out[name], g.members(e, map[string]bool{})...)
		slices.Sort(out[name])
		out[name] = slices.Compact(out[name])
	}
	return out, nil
}

type groups struct {
	byDN   map[string]Entry
	logins map[string]string // of accounts, by DN
}

func (g groups) entries() func(yield func(Entry) bool) {
	return func(yield func(Entry) bool) {
		for _, e := range g.byDN {
			if !yield(e) {
				return
			}
		}
	}
}

// members are those of a group and of the groups in it; seen ends loops.
func (g groups) members(e Entry, seen map[string]bool) []string {
	if seen[normal(e.DN)] {
		return nil
	}
	seen[normal(e.DN)] = true
	out := slices.Clone(e.Get("memberUid"))
	for _, dn := range slices.Concat(e.Get("member"), e.Get("uniqueMember")) {
		dn = normal(dn)
		if login, ok := g.logins[dn]; ok {
			out = append(out, login)
		} else if below, ok := g.byDN[dn]; ok {
			out = append(out, g.members(below, seen)...)
		}
	}
	return out
}

// normal is a DN that compares.
func normal(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return strings.ToLower(dn)
	}
	return strings.ToLower(parsed.String())
}
