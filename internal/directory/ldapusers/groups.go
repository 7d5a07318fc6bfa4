package ldapusers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"mailhaul.org/mailhaul/internal/model"
)

// groupFilter finds groups of RFC 2307 and RFC 4519, Netscape's and Active
// Directory's, whether they have an address or not.
const groupFilter = "(|(objectClass=posixGroup)(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=mailGroup)(objectClass=group))"

// ReadGroups returns the members, as logins, of the groups of a directory, by
// their cn. Members are named by login (memberUid), by the DN of their entries
// or by address; one counts if it is one of the accounts that s finds, or a login.
// Groups within groups are followed. Errors are model.ClassFatal.
func ReadGroups(ctx context.Context, s Settings, g Groups) (map[string][]string, error) {
	search, attributes, err := s.search()
	if err != nil {
		return nil, err
	}
	c, err := Dial(ctx, s.Server)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	columns, all, err := c.groups(ctx, s, g, groupFilter)
	if err != nil {
		return nil, err
	}
	r := groups{byDN: map[string]group{}, logins: map[string]string{}}
	named := false // by anything but logins
	for _, e := range all {
		one := group{name: e.First("cn")}
		if one.name == "" {
			return nil, c.fault(fmt.Errorf("the group %s has no cn", e.DN))
		}
		for _, attribute := range columns["members"] {
			values, err := c.all(ctx, e, attribute)
			if err != nil {
				return nil, err
			}
			one.members = append(one.members, values...)
		}
		named = named || slices.ContainsFunc(one.members, func(m string) bool { return strings.ContainsAny(m, "=@") })
		r.byDN[normal(e.DN)] = one
	}
	if named {
		for e, err := range c.Search(ctx, search) {
			if err != nil {
				return nil, err
			}
			if a, err := s.account(e, attributes); err == nil && !elsewhere(e) { // what is wrong with it, Read tells
				r.logins[normal(e.DN)] = a.Login
				r.logins[strings.ToLower(a.Address)] = a.Login
			}
		}
	}
	out := map[string][]string{}
	for dn, one := range r.byDN {
		out[one.name] = append(out[one.name], r.members(dn, map[string]bool{})...)
		slices.Sort(out[one.name])
		out[one.name] = slices.Compact(out[one.name])
	}
	return out, nil
}

// groups finds the entries of groups by a filter, unless g has one, and says
// which attributes tell what.
func (c *Conn) groups(ctx context.Context, s Settings, g Groups, filter string) (columns map[string][]string, all []Entry, err error) {
	columns = map[string][]string{}
	for _, from := range []map[string][]string{listAttributes, g.Attributes} {
		for column, names := range from {
			if !slices.Contains(GroupColumns, column) {
				return nil, nil, model.Faultf(model.ClassFatal, "", "a group has no %q: known are %s", column, strings.Join(GroupColumns, ", "))
			}
			columns[column] = names
		}
	}
	search := Search{Base: cmp.Or(g.Base, s.Base), Scope: Subtree, Filter: cmp.Or(g.Filter, filter), Attributes: append([]string{"objectClass", "cn", "targetAddress", "msExchDynamicDLFilter", "msExchDynamicDLBaseDN"}, policyAttributes...)}
	for _, names := range columns {
		search.Attributes = append(search.Attributes, names...)
	}
	slices.Sort(search.Attributes)
	search.Attributes = slices.Compact(search.Attributes)
	for e, err := range c.Search(ctx, search) {
		if err != nil {
			return nil, nil, err
		}
		all = append(all, e)
	}
	return columns, all, nil
}

// group is one of a directory: logins, DNs and addresses of members.
type group struct {
	name    string
	members []string
}

type groups struct {
	byDN   map[string]group
	logins map[string]string // of accounts, by DN and by address
}

// members are those of a group and of the groups in it; seen ends loops.
func (g groups) members(dn string, seen map[string]bool) (out []string) {
	if seen[dn] {
		return nil
	}
	seen[dn] = true
	for _, m := range g.byDN[dn].members {
		switch m = strings.TrimSpace(m); {
		case strings.HasPrefix(m, "|") || strings.HasPrefix(m, "/"): // a program or a file of a mail alias
		case strings.Contains(m, "="):
			below, _, _ := strings.Cut(m, "#") // uniqueMember (RFC 4517 §3.3.21)
			if below = normal(below); g.logins[below] != "" {
				out = append(out, g.logins[below])
			} else {
				out = append(out, g.members(below, seen)...)
			}
		case strings.Contains(m, "@"):
			if login := g.logins[strings.ToLower(m)]; login != "" {
				out = append(out, login)
			}
		default:
			out = append(out, m)
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
