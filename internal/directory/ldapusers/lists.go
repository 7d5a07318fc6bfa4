package ldapusers

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
)

// Groups say where groups are in a directory: those with an address are lists
// (ReadAddresses), all of them may be in access control lists (ReadGroups).
type Groups struct {
	// Base is where they are searched; empty means Settings.Base.
	Base string
	// Filter finds them; empty means that of the usual schemas.
	Filter string
	// Attributes say which attributes tell a column of GroupColumns. They take
	// the place of the usual ones.
	Attributes map[string][]string
}

// GroupColumns are what a directory tells of a group:
//
//	address  its address
//	aliases  further ones
//	name     what it is called
//	members  DNs, logins (memberUid) or addresses of members, told apart by their look
var GroupColumns = []string{"address", "aliases", "name", "members"}

// listFilter finds the groups of RFC 4519 and RFC 2307, Netscape's mail
// groups, mail aliases and those of Active Directory, as far as they have an
// address; and Exchange's mail contacts, dynamic lists and public folders.
const listFilter = "(|(&(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)(objectClass=mailGroup)(objectClass=group)" +
	"(objectClass=msExchDynamicDistributionList)(objectClass=publicFolder)(targetAddress=*))(mail=*))(objectClass=nisMailAlias))"

var listAttributes = map[string][]string{
	"address": {"proxyAddresses", "mail"},
	"aliases": {"mailAlternateAddress", "mailEquivalentAddress", "proxyAddresses"},
	"name":    {"displayName", "description", "cn"},
	"members": {"member", "uniqueMember", "memberUid", "rfc822MailMember", "mgrpRFC822MailMember"},
}

// delivery attributes say whether mail that is sent on is kept, too.
var deliveryAttributes = append([]string{"deliveryMode", "mailDeliveryOption", "mailForwardingAddress"}, exchangeAttributes...)

// ReadAddresses reads lists, and forwards of which the directory says whether a
// copy stays. The error is of model.ClassFatal; groups that make no sense are
// notes.
func ReadAddresses(ctx context.Context, s Settings, g Groups) (directory.Addresses, error) {
	out := directory.Addresses{Source: "LDAP"}
	search, attributes, err := s.search()
	if err != nil {
		return out, err
	}
	c, err := Dial(ctx, s.Server)
	if err != nil {
		return out, err
	}
	defer c.Close()
	out.Source = c.server
	r := &listReader{ctx: ctx, conn: c, domain: s.Domain, out: &out, byDN: map[string]string{}, byLogin: map[string]string{}}
	search.Attributes = append(search.Attributes, deliveryAttributes...)
	var persons []Entry
	people := map[string]bool{} // by DN
	for e, err := range c.Search(ctx, search) {
		if err != nil {
			return out, err
		}
		a, err := s.account(e, attributes)
		if err != nil || a.Address == "" || elsewhere(e) {
			continue // Read tells what is wrong with it
		}
		r.byDN[normal(e.DN)] = strings.ToLower(a.Address)
		r.byLogin[strings.ToLower(a.Login)] = strings.ToLower(a.Address)
		e.values["\x00address"] = []string{strings.ToLower(a.Address)}
		persons, people[normal(e.DN)] = append(persons, e), true
	}
	columns, groups, err := r.groups(s, g)
	if err != nil {
		return out, err
	}
	for _, e := range groups {
		if people[normal(e.DN)] {
			continue // with a targetAddress; forwards tells
		}
		if err := r.list(e, columns, s); err != nil {
			return out, err
		}
	}
	for _, e := range persons {
		if err := r.forwards(e); err != nil {
			return out, err
		}
	}
	return out, nil
}

type listReader struct {
	ctx     context.Context
	conn    *Conn
	domain  string
	out     *directory.Addresses
	byDN    map[string]string // addresses of people and groups
	byLogin map[string]string
}

// groups searches them, and remembers their addresses before any is looked at:
// they are in one another.
func (r *listReader) groups(s Settings, g Groups) (map[string][]string, []Entry, error) {
	columns, all, err := r.conn.groups(r.ctx, s, g, listFilter)
	for _, e := range all {
		if a := addressOf(e, columns); a != "" {
			r.byDN[normal(e.DN)] = a
		}
	}
	return columns, all, err
}

// addressOf is a group's; a nisMailAlias (RFC 2307's companion) is called by
// the name it has: an address, or a local part.
func addressOf(e Entry, columns map[string][]string) string {
	for _, a := range columns["address"] {
		if v := meaning("address", a, e.Get(a)); len(v) > 0 && v[0] != "" {
			return strings.ToLower(v[0])
		}
	}
	if e.is("nisMailAlias") {
		return strings.ToLower(e.First("cn"))
	}
	return ""
}

func (r *listReader) list(e Entry, columns map[string][]string, s Settings) error {
	address := r.complete(addressOf(e, columns))
	if address == "" {
		return nil
	}
	a := directory.Alias{Address: address, Where: r.out.Source + ", " + e.DN}
	for _, name := range columns["name"] {
		if v := e.First(name); v != "" && !strings.Contains(v, "@") {
			a.Name = strings.Join(strings.Fields(v), " ")
			break
		}
	}
	var err error
	switch target := plainAddress(e.First("targetAddress")); {
	case e.is("publicFolder"):
		r.note("public-folder", address, a.Where, "its mail is put into a public folder", "give the address a mailbox, or leave it out")
		return nil
	case target == address: // somebody elsewhere, for the address book
		return nil
	case target != "":
		a.Targets = []string{target}
	case e.is("msExchDynamicDistributionList"):
		a.Targets, err = r.dynamic(e, s, address, a.Where)
	default:
		a.Targets, err = r.members(e, columns["members"], address, a.Where)
	}
	if err != nil {
		return err
	}
	if why := policy(e); why != "" {
		r.note("list-policy", address, a.Where, why+"; at the destination everybody may", "decide whether that will do, or leave the list out")
	}
	if len(a.Targets) == 0 {
		r.note("empty-list", address, a.Where, "it has no members with an address", "add one, or leave it out")
		return nil
	}
	r.out.Aliases = append(r.out.Aliases, a)
	for _, attribute := range columns["aliases"] {
		for _, v := range meaning("aliases", attribute, e.Get(attribute)) {
			if v = r.complete(strings.ToLower(v)); v != address && v != "" {
				r.out.Aliases = append(r.out.Aliases, directory.Alias{Address: v, Targets: []string{address}, Where: a.Where})
			}
		}
	}
	return nil
}

// members are those that a group names.
func (r *listReader) members(e Entry, attributes []string, address, where string) (all []string, err error) {
	for _, attribute := range attributes {
		values, err := r.conn.all(r.ctx, e, attribute)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			to, err := r.member(address, where, v)
			if err != nil {
				return nil, err
			}
			if to != "" && !slices.Contains(all, to) {
				all = append(all, to)
			}
		}
	}
	return all, nil
}

// member turns a DN, a login or an address into an address.
func (r *listReader) member(group, where, value string) (string, error) {
	value = strings.TrimSpace(value)
	if strings.Contains(value, "=") && !strings.HasPrefix(value, "|") { // a DN, perhaps of uniqueMember (RFC 4517 §3.3.21)
		dn, _, _ := strings.Cut(value, "#")
		return r.named(group, where, dn)
	}
	switch {
	case strings.HasPrefix(value, "|") || strings.HasPrefix(value, "/"):
		r.note("pipe", group, where, "is handed to a program or a file: "+value, "give the address a mailbox, or leave it out")
		return "", nil
	case strings.Contains(value, "@"):
		return strings.ToLower(value), nil
	}
	if a, ok := r.byLogin[strings.ToLower(value)]; ok {
		return a, nil
	}
	if a := r.complete(strings.ToLower(value)); a != "" && r.domain != "" {
		return a, nil
	}
	r.note("missing-member", group, where, "its member "+value+" has no address in the directory", "take it out, or give it an address")
	return "", nil
}

// named is the address of who has this DN.
func (r *listReader) named(group, where, dn string) (string, error) {
	if a, ok := r.byDN[normal(dn)]; ok {
		return r.complete(a), nil
	}
	address := ""
	exists := false
	for e, err := range r.conn.Search(r.ctx, Search{Base: dn, Scope: BaseOnly, Filter: "(objectClass=*)", Attributes: []string{"mail", "proxyAddresses", "targetAddress"}}) {
		if NoSuchObject(err) {
			break
		}
		if err != nil {
			return "", err
		}
		exists, address = true, recipient(e)
	}
	r.byDN[normal(dn)] = address
	switch {
	case !exists:
		r.note("missing-member", group, where, "its member "+dn+" does not exist", "take it out")
	case address == "":
		r.note("missing-member", group, where, "its member "+dn+" has no address", "take it out, or give it an address")
	}
	return address, nil
}

func (r *listReader) complete(address string) string {
	if address == "" || strings.Contains(address, "@") {
		return address
	}
	if r.domain == "" {
		return ""
	}
	return address + "@" + strings.ToLower(r.domain)
}

// forwards tells of who forwards whether a copy stays, where the directory says
// so: qmail-ldap's deliveryMode, Netscape's mailDeliveryOption, Active
// Directory's deliverAndRedirect.
func (r *listReader) forwards(e Entry) error {
	address, where := e.values["\x00address"][0], r.out.Source+", "+e.DN
	has := func(attribute, value string) bool {
		return slices.ContainsFunc(e.Get(attribute), func(v string) bool { return strings.EqualFold(v, value) })
	}
	r.kind(e, address, where)
	var targets []string
	keep := true
	switch {
	case plainAddress(e.First("targetAddress")) != "": // takes everything
		targets, keep = []string{plainAddress(e.First("targetAddress"))}, false
	case plainAddress(e.First("msExchGenericForwardingAddress")) != "":
		targets, keep = []string{plainAddress(e.First("msExchGenericForwardingAddress"))}, has("deliverAndRedirect", "TRUE")
	case e.First("altRecipient") != "":
		to, err := r.named(address, where, e.First("altRecipient"))
		if err != nil {
			return err
		}
		if to == "" {
			return nil
		}
		targets, keep = []string{to}, has("deliverAndRedirect", "TRUE")
	case len(e.Get("mailForwardingAddress")) == 0:
		return nil
	case e.First("deliveryMode") != "":
		targets, keep = lowerAll(e.Get("mailForwardingAddress")), !has("deliveryMode", "nolocal") && !has("deliveryMode", "forwardonly")
	case e.First("mailDeliveryOption") != "":
		targets, keep = lowerAll(e.Get("mailForwardingAddress")), has("mailDeliveryOption", "mailbox")
	default:
		return nil
	}
	if keep && !slices.Contains(targets, address) {
		targets = append(targets, address)
	}
	r.out.Aliases = append(r.out.Aliases, directory.Alias{Address: address, Targets: targets, Where: where})
	return nil
}

func lowerAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

func (r *listReader) note(code, subject, where, text, remedy string) {
	r.out.Notes = append(r.out.Notes, model.Note{Level: model.LevelWarning, Code: code, Subject: subject, Where: where, Text: text, Remedy: remedy})
}

// all are the values of an attribute, which Active Directory gives in ranges
// when there are more than 1,500 ([MS-ADTS] §3.1.1.3.1.3.3).
func (c *Conn) all(ctx context.Context, e Entry, attribute string) ([]string, error) {
	values := slices.Clone(e.Get(attribute))
	next, more := e.ranges[strings.ToLower(attribute)]
	for more {
		more = false
		from := next
		for part, err := range c.Search(ctx, Search{Base: e.DN, Scope: BaseOnly, Filter: "(objectClass=*)", Attributes: []string{fmt.Sprintf("%s;range=%d-*", attribute, from)}}) {
			if err != nil {
				return nil, err
			}
			values = append(values, part.Get(attribute)...)
			if n, ok := part.ranges[strings.ToLower(attribute)]; ok && n > from {
				next, more = n, true
			}
		}
	}
	return values, nil
}

// rangeEnd reads the option "range=0-1499" of an attribute: the next value is
// 1500. ok is false where there is none, or the range is the last ("1500-*").
func rangeEnd(option string) (next int, ok bool) {
	for _, o := range strings.Split(option, ";") {
		if r, found := strings.CutPrefix(strings.ToLower(o), "range="); found {
			_, last, _ := strings.Cut(r, "-")
			n, err := strconv.Atoi(last)
			return n + 1, err == nil
		}
	}
	return 0, false
}
