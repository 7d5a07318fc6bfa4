package stalwart

import (
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// Properties that are compared and written, as plans call them.
const (
	propertyAliasDomain = "alias domain"
	propertyAlias       = "alias"
)

// gatherDomains decides which names are domains and which are other names of
// one: of the organisation, and of all addresses.
func (p *planner) gatherDomains(o model.Organisation) {
	for _, d := range o.Domains {
		d.Name, d.AliasOf = strings.ToLower(d.Name), strings.ToLower(d.AliasOf)
		p.domains = append(p.domains, d)
	}
	// "@old" to "@new" is what others call an alias domain.
	for _, c := range o.CatchAlls {
		if len(c.Targets) == 1 && strings.HasPrefix(c.Targets[0], "@") {
			name, of := strings.ToLower(c.Domain), strings.ToLower(c.Targets[0][1:])
			i := slices.IndexFunc(p.domains, func(d model.Domain) bool { return d.Name == name })
			if i < 0 {
				p.domains = append(p.domains, model.Domain{Name: name, Where: c.Where})
				i = len(p.domains) - 1
			}
			if p.hosted(o, of) && p.domains[i].AliasOf == "" {
				p.domains[i].AliasOf = of
			}
		}
	}
	for i := range p.domains {
		if d := &p.domains[i]; d.AliasOf != "" && p.hasOwn(d.Name, d.AliasOf) {
			p.spell(d.Name, d.AliasOf)
			d.AliasOf = ""
		} else if d.AliasOf != "" {
			p.aliasOf[d.Name] = d.AliasOf
		}
	}
	for name, of := range p.aliasOf { // of another alias: of what that is one of
		for n := 0; p.aliasOf[of] != "" && n < len(p.aliasOf); n++ {
			of = p.aliasOf[of]
		}
		p.aliasOf[name] = of
	}
	known := map[string]bool{}
	for _, d := range p.domains {
		known[d.Name] = true
	}
	for _, address := range p.addresses() {
		_, name, _ := strings.Cut(address, "@")
		if !known[name] {
			known[name] = true
			p.domains = append(p.domains, model.Domain{Name: name})
		}
	}
	slices.SortStableFunc(p.domains, func(a, b model.Domain) int { return strings.Compare(a.Name, b.Name) })
}

func (p *planner) hosted(o model.Organisation, name string) bool {
	for _, d := range o.Domains {
		if strings.EqualFold(d.Name, name) {
			return !d.Relayed
		}
	}
	return slices.ContainsFunc(p.addresses(), func(a string) bool { return strings.HasSuffix(a, "@"+name) })
}

// hasOwn reports whether an alias domain has an address that the domain it
// stands for does not have for the same owner. The server knows only alias
// domains that have all addresses in common with their domain.
func (p *planner) hasOwn(name, of string) bool {
	own := func(address string, aliases []string) bool {
		all := append([]string{address}, aliases...)
		for i, a := range all {
			local, at, _ := strings.Cut(a, "@")
			if at == name && (i == 0 || !slices.Contains(all, local+"@"+of)) {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(p.accounts, func(a model.Account) bool { return own(a.Address, a.Aliases) }) ||
		slices.ContainsFunc(p.groups, func(g model.Group) bool { return own(g.Address, g.Aliases) }) ||
		slices.ContainsFunc(p.lists, func(l model.List) bool { return own(l.Address, l.Aliases) })
}

// spell gives everybody in one domain the same local part in another, where
// nobody else has it: an alias domain with addresses of its own.
func (p *planner) spell(name, of string) {
	taken := map[string]bool{}
	for _, a := range p.addresses() {
		taken[a] = true
	}
	more := func(address string, aliases []string) []string {
		for _, a := range append([]string{address}, aliases...) {
			if local, at, _ := strings.Cut(a, "@"); at == of && !taken[local+"@"+name] {
				taken[local+"@"+name] = true
				aliases = append(aliases, local+"@"+name)
			}
		}
		return aliases
	}
	for i, a := range p.accounts {
		p.accounts[i].Aliases = more(a.Address, a.Aliases)
	}
	for i, g := range p.groups {
		p.groups[i].Aliases = more(g.Address, g.Aliases)
	}
	for i, l := range p.lists {
		p.lists[i].Aliases = more(l.Address, l.Aliases)
	}
}

// reservedNames are top-level domains that the server takes no domain under
// (RFC 2606, RFC 7686), other than those that it knows to be local.
var reservedNames = []string{"example", "invalid", "onion"}

// planDomains lists the domains in the order of their names, each before its
// other names.
func (p *planner) planDomains() {
	for _, alias := range []bool{false, true} {
		for _, d := range p.domains {
			if (d.AliasOf != "") == alias {
				p.planDomain(d)
			}
		}
	}
}

func (p *planner) planDomain(d model.Domain) {
	a := destination.Action{Kind: destination.KindDomain, Subject: d.Name}
	have := p.have.domains[d.Name]
	switch {
	case p.stops[d.Name] != "":
		p.refused[d.Name] = p.stops[d.Name]
		p.conflict(a, "%s", p.stops[d.Name])
		return
	case have == nil && slices.Contains(reservedNames, d.Name[strings.LastIndexByte(d.Name, '.')+1:]):
		p.refused[d.Name] = fmt.Sprintf("the destination takes no domain under .%s", d.Name[strings.LastIndexByte(d.Name, '.')+1:])
		p.conflict(a, "%s: give its addresses another domain", p.refused[d.Name])
		return
	case d.Relayed:
		a.Verb, a.Note = destination.VerbWait, "another host delivers it"
		if d.Relay != "" {
			a.Note += " (" + d.Relay + ")"
		}
		a.Note += ": mailhaul makes no routes; set one at the destination before its mail arrives there"
		p.add(a)
		return
	case d.AliasOf != "":
		p.planAliasDomain(d, have)
		return
	case have != nil && have.Name != d.Name:
		a.Verb, a.Note = destination.VerbKeep, "another name of the domain "+have.Name+" at the destination"
		p.add(a)
		return
	case have != nil:
		a.Verb, a.Note = destination.VerbKeep, destination.NoteExists
		p.add(a)
		return
	}
	if p.deleted(a) {
		return
	}
	a.Verb, a.Note = destination.VerbCreate, "with manual DNS, DKIM and certificates: nothing is published before the cut-over"
	record(&a, destination.PropertyMade, "", "")
	p.add(a)
}

// planAliasDomain gives a domain another name.
func (p *planner) planAliasDomain(d model.Domain, have *haveDomain) {
	of := p.aliasOf[d.Name]
	a := destination.Action{Kind: destination.KindDomain, Subject: of, Changes: []destination.Change{{Property: propertyAliasDomain, New: d.Name}}}
	switch at := p.have.domains[of]; {
	case p.refused[of] != "":
		a.Subject = d.Name
		p.conflict(a, "%s", p.refused[of])
	case have != nil && have == at:
		a.Verb, a.Note, a.Changes = destination.VerbKeep, "has the name "+d.Name+" already", nil
		p.add(a)
	case have != nil:
		p.refused[d.Name] = fmt.Sprintf("at the destination %s is a domain of its own, and no other name of %s", d.Name, of)
		a.Subject = d.Name
		p.conflict(a, "%s: remove it there, or give it the addresses that it needs", p.refused[d.Name])
	case at != nil && !p.member(destination.KindDomain, of, propertyAliasDomain, d.Name):
		a.Verb, a.Note, a.Changes, a.Kept = destination.VerbKeep, "its name "+d.Name+" was taken from it at the destination", nil, a.Changes
		p.add(a)
	default:
		a.Verb = destination.VerbChange
		record(&a, propertyAliasDomain, d.Name, "")
		p.add(a)
	}
}
