package stalwart

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// Plan implements destination.Provisioner. What exists is kept as it is: an
// account that somebody has set up already is not the migration's to change.
func (d *Destination) Plan(ctx context.Context, accounts []model.Account) ([]destination.Action, error) {
	var wanted []model.Account
	var addresses []string
	for _, a := range accounts {
		if a.Excluded != "" {
			continue
		}
		a.Address = strings.ToLower(a.Address)
		a.Aliases = lowered(a.Aliases, a.Address)
		wanted = append(wanted, a)
		addresses = append(append(addresses, a.Address), a.Aliases...)
	}
	slices.Sort(addresses)
	addresses = slices.DeleteFunc(slices.Compact(addresses), func(s string) bool { return !isAddress(s) })
	domains, err := d.planDomains(ctx, addresses)
	if err != nil {
		return nil, err
	}
	have, err := d.owners(ctx, addresses)
	if err != nil {
		return nil, err
	}
	primary := map[string]string{} // planned address to login
	for _, a := range wanted {
		if _, ok := primary[a.Address]; !ok {
			primary[a.Address] = a.Login
		}
	}
	p := &planner{have: have, primary: primary, taken: map[string]string{}}
	out := domains
	for _, a := range wanted {
		out = append(out, p.account(a))
	}
	return out, nil
}

func lowered(list []string, except string) []string {
	var out []string
	for _, s := range list {
		if s = strings.ToLower(s); s != except && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// isAddress checks as much as splitting it takes; the server checks the rest.
func isAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, " \t\"") && !strings.Contains(domain, "@")
}

// planDomains lists the domains of the addresses in the order of their names.
func (d *Destination) planDomains(ctx context.Context, addresses []string) ([]destination.Action, error) {
	var names []string
	for _, a := range addresses {
		_, name, _ := strings.Cut(a, "@")
		names = append(names, name)
	}
	slices.Sort(names)
	var out []destination.Action
	for _, name := range slices.Compact(names) {
		id, err := d.domainID(ctx, name)
		if err != nil {
			return nil, err
		}
		action := destination.Action{Verb: destination.VerbKeep, Subject: name, Note: "the domain exists"}
		if id == "" {
			action.Verb, action.Note = destination.VerbCreateDomain, "with manual DNS, DKIM and certificates: nothing is published before the cut-over"
		}
		out = append(out, action)
	}
	return out, nil
}

// planner decides about accounts one after the other.
type planner struct {
	have    map[string]owner  // at the destination, by address
	primary map[string]string // planned primary address to login
	taken   map[string]string // planned so far: address to primary address
}

func (p *planner) account(a model.Account) destination.Action {
	action := destination.Action{Subject: a.Address, Account: a}
	conflict := func(format string, v ...any) destination.Action {
		action.Verb, action.Note = destination.VerbConflict, fmt.Sprintf(format, v...)
		return action
	}
	if !isAddress(a.Address) {
		return conflict("%q is no address: give the account one under accounts:", a.Address)
	}
	if other, ok := p.taken[a.Address]; ok && other != a.Address {
		return conflict("the address is an alias of %s", other)
	} else if ok {
		action.Verb, action.Note = destination.VerbKeep, "several accounts of the source are merged into this one"
		return action
	}
	var notes []string
	have, exists := p.have[a.Address]
	if exists && have.primary != a.Address {
		return conflict("the address is an alias of %s at the destination", have.primary)
	}
	p.taken[a.Address] = a.Address
	var aliases []string
	for _, alias := range a.Aliases {
		holder, held := p.have[alias]
		switch other, planned := p.taken[alias]; {
		case !isAddress(alias):
			notes = append(notes, fmt.Sprintf("alias %q is no address and is left out", alias))
		case held && holder.primary != a.Address:
			notes = append(notes, fmt.Sprintf("alias %s belongs to %s at the destination and is left out", alias, holder.primary))
		case planned:
			notes = append(notes, fmt.Sprintf("alias %s belongs to %s and is left out", alias, other))
		case p.primary[alias] != "":
			notes = append(notes, fmt.Sprintf("alias %s is the address of %s and is left out", alias, p.primary[alias]))
		case exists && !held:
			notes = append(notes, fmt.Sprintf("alias %s is missing at the destination; add it there", alias))
		default:
			p.taken[alias] = a.Address
			aliases = append(aliases, alias)
		}
	}
	action.Account.Aliases = aliases
	if exists && a.Public != nil && !have.group {
		return conflict("a user has the address: give the public mailboxes another in source.public.address")
	}
	if exists {
		action.Verb = destination.VerbKeep
		if have.group {
			notes = append([]string{"a group exists under this address"}, notes...)
		} else {
			notes = append([]string{"the account exists"}, notes...)
		}
		action.Note = strings.Join(notes, "; ")
		return action
	}
	action.Verb = destination.VerbCreateAccount
	if a.Public != nil {
		action.Verb, action.Note = destination.VerbCreateGroup, strings.Join(append([]string{"for the public mailboxes, without members: `mailhaul share` says who may use them"}, notes...), "; ")
		return action
	}
	_, fate, note := password(a)
	action.Password = fate
	if note != "" {
		notes = append([]string{note}, notes...)
	}
	if a.Disabled {
		notes = append(notes, "without login, as at the source")
	}
	action.Note = strings.Join(notes, "; ")
	return action
}

// password returns what is written as the account's password.
func password(a model.Account) (secret string, fate destination.PasswordFate, note string) {
	switch {
	case a.Password != "":
		return PasswordFor(a.Password)
	case a.Secret != "":
		return PasswordFor("{PLAIN}" + a.Secret)
	}
	return "", destination.PasswordUnknown, "the source reveals no password: set a new one"
}
