package organisation

import (
	"errors"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// people takes the accounts that move, and remembers what their addresses were.
func (b *builder) people(people []Person) {
	for _, p := range people {
		was := strings.ToLower(p.Origin)
		if p.Excluded != "" || p.Err != nil {
			why := p.Excluded
			if why == "" {
				why = "it cannot move"
			}
			for _, a := range append([]string{was, strings.ToLower(p.Login)}, p.Aliases...) {
				if a != "" && strings.Contains(a, "@") {
					b.stays[strings.ToLower(a)] = why
				}
			}
			if p.Err != nil {
				b.unmovable(p)
			}
			continue
		}
		a := p.Account
		a.Aliases, a.Forwards = slices.Clone(a.Aliases), slices.Clone(a.Forwards)
		for i := range a.Aliases {
			a.Aliases[i] = strings.ToLower(a.Aliases[i])
		}
		b.logins[strings.ToLower(a.Login)] = len(b.out.Accounts)
		b.accounts[a.Address] = len(b.out.Accounts)
		if was != "" && was != a.Address {
			b.moved[was] = a.Address
		}
		if l := strings.ToLower(a.Login); strings.Contains(l, "@") && l != a.Address {
			if _, taken := b.moved[l]; !taken {
				b.moved[l] = a.Address
			}
		}
		b.out.Accounts = append(b.out.Accounts, a)
	}
	// Where one account gets the address that another had, the address means
	// the one that has it now.
	for old := range b.moved {
		if _, taken := b.accounts[old]; taken {
			delete(b.moved, old)
		}
	}
	for i, a := range b.out.Accounts {
		for _, alias := range a.Aliases {
			if _, taken := b.accounts[alias]; !taken {
				b.accounts[alias] = i
			}
		}
	}
}

// unmovable tells why an account cannot move as planned.
func (b *builder) unmovable(p Person) {
	code, text := "account", p.Err.Error()
	if f, ok := errors.AsType[*model.Fault](p.Err); ok {
		if f.Err != nil {
			text = f.Err.Error()
		}
		switch f.Code {
		case "address":
			code = "login-no-address"
		case "conflict":
			code = "two-owners"
		}
	}
	b.note(model.LevelStop, code, p.Login, "", "give it a destination under accounts, or exclude it", "%s", text)
}

// now is what an address of the source is called at the destination: a host's
// user by his login, an account that was renamed, an address in a domain that
// is another's other name.
func (b *builder) now(address string) string {
	a := strings.ToLower(address)
	for range 4 { // a renamed account in an alias domain of the host
		at := strings.LastIndexByte(a, '@')
		if at < 0 {
			return a
		}
		local, domain := a[:at], a[at+1:]
		if to, ok := b.moved[a]; ok {
			return to
		}
		if _, own := b.entries[a]; own {
			return a
		}
		if _, own := b.accounts[a]; own {
			return a
		}
		if i, ok := b.logins[local]; ok && b.local[domain] {
			return b.out.Accounts[i].Address
		}
		d := b.domains[domain]
		if d == nil || d.AliasOf == "" {
			return a
		}
		a = local + "@" + d.AliasOf
	}
	return a
}
