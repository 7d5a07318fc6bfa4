package organisation

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
)

// gatherDomains takes those that sources name and those of accounts.
func (b *builder) gatherDomains(sources []directory.Addresses) {
	for _, s := range sources {
		for _, d := range s.Local {
			b.local[strings.ToLower(d)] = true
		}
		for _, d := range s.Domains {
			d.Name, d.AliasOf = strings.ToLower(d.Name), strings.ToLower(d.AliasOf)
			if to, excluded, reason := b.renameDomain(d.Name); excluded {
				b.note(model.LevelOK, "excluded", d.Name, d.Where, "", "the domain stays behind: %s", reason)
				continue
			} else if to != d.Name && d.AliasOf == "" {
				// Its addresses are renamed one by one.
				d.Name = to
			}
			have := b.domains[d.Name]
			switch {
			case have == nil:
				b.domains[d.Name] = &d
			case have.AliasOf == "" && d.AliasOf != "" && !have.Relayed:
				have.AliasOf, have.Where = d.AliasOf, d.Where
			case have.Relayed && !d.Relayed:
				b.note(model.LevelWarning, "two-sources", d.Name, d.Where, "correct the one that is wrong", "%s relays the domain, %s has it: it is taken as a domain of this organisation", have.Where, d.Where)
				*have = d
			}
		}
	}
	for _, a := range b.out.Accounts {
		if d := domainOf(a.Address); b.domains[d] == nil {
			b.domains[d] = &model.Domain{Name: d, Where: "accounts"}
		} else if b.domains[d].Relayed {
			b.note(model.LevelWarning, "relayed-account", a.Address, b.domains[d].Where, "look where its mail is delivered", "is an account in a domain whose mail is relayed to %s", b.domains[d].Relay)
		}
	}
	// What is another name of a domain that is not there is a domain.
	for _, d := range b.domains {
		if d.AliasOf != "" && b.domains[d.AliasOf] == nil {
			b.domains[d.AliasOf] = &model.Domain{Name: d.AliasOf, Where: d.Where}
		}
	}
	for _, d := range b.domains { // of another's other name: of that one
		for n := 0; n < len(b.domains) && d.AliasOf != "" && b.domains[d.AliasOf].AliasOf != ""; n++ {
			d.AliasOf = b.domains[d.AliasOf].AliasOf
		}
		if d.AliasOf == d.Name {
			b.note(model.LevelWarning, "domain-loop", d.Name, d.Where, "make one of them a domain of its own", "domains are other names of one another")
			d.AliasOf = ""
		}
	}
}

// renameDomain is what rules for "*@domain" make of a domain.
func (b *builder) renameDomain(name string) (to string, excluded bool, reason string) {
	const nobody = "mailhaul.nobody.here"
	address, excluded, reason := b.options.Rename(nobody + "@" + name)
	return domainOf(address), excluded, reason
}

// findAliasDomains recognises a domain that repeats another address by address:
// what a database makes of alias domains when it is asked for each address.
// Every name must be there and lead to the same.
func (b *builder) findAliasDomains() {
	names := map[string]map[string]string{} // domain → local part → where to
	put := func(address, to string) {
		local, domain, ok := strings.Cut(address, "@")
		if !ok || local == "" {
			local = "@"
		}
		if names[domain] == nil {
			names[domain] = map[string]string{}
		}
		names[domain][local] = to
	}
	for _, a := range b.out.Accounts {
		put(a.Address, a.Address)
	}
	for _, address := range b.order {
		targets := slices.Clone(b.entries[address].targets)
		slices.Sort(targets)
		put(address, strings.Join(targets, ","))
	}
	for name, d := range b.domains {
		if d.AliasOf != "" || d.Relayed || len(names[name]) == 0 || b.inhabited(name) {
			continue
		}
		for other, o := range b.domains {
			if other == name || o.AliasOf != "" || len(names[other]) != len(names[name]) || !b.inhabited(other) {
				continue
			}
			same := true
			for local, to := range names[name] {
				at, ok := names[other][local]
				same = same && ok && (at == to || to == local+"@"+other)
			}
			if !same {
				continue
			}
			d.AliasOf = other
			b.order = slices.DeleteFunc(b.order, func(address string) bool {
				if domainOf(address) != name {
					return false
				}
				delete(b.entries, address)
				return true
			})
			break
		}
	}
}

// dropRepeated forgets the entries of alias domains that say what the domain
// itself says.
func (b *builder) dropRepeated() {
	same := func(x, y []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y)))
	}
	b.order = slices.DeleteFunc(b.order, func(address string) bool {
		d := b.domains[domainOf(address)]
		if d == nil || d.AliasOf == "" {
			return false
		}
		there := strings.TrimSuffix(address, d.Name) + d.AliasOf
		e, of := b.entries[address], b.entries[there]
		if !same(e.targets, []string{there}) && (of == nil || !same(e.targets, of.targets)) {
			return false
		}
		delete(b.entries, address)
		return true
	})
}

// inhabited: an account has its address there.
func (b *builder) inhabited(domain string) bool {
	return slices.ContainsFunc(b.out.Accounts, func(a model.Account) bool { return domainOf(a.Address) == domain })
}

// inside reports whether mail to a domain is delivered here.
func (b *builder) inside(domain string) bool {
	d := b.domains[domain]
	return d != nil && !d.Relayed || b.local[domain]
}
