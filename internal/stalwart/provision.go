package stalwart

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

var _ destination.Organiser = (*Destination)(nil)

// Plan implements destination.Provisioner.
func (d *Destination) Plan(ctx context.Context, accounts []model.Account) ([]destination.Action, error) {
	return d.plan(ctx, destination.Wanted{Organisation: model.Organisation{Accounts: accounts}}, false)
}

// PlanOrganisation implements destination.Organiser.
func (d *Destination) PlanOrganisation(ctx context.Context, w destination.Wanted) ([]destination.Action, error) {
	return d.plan(ctx, w, true)
}

func (d *Destination) plan(ctx context.Context, w destination.Wanted, all bool) ([]destination.Action, error) {
	if err := d.recognise(ctx); err != nil {
		return nil, err
	}
	p := newPlanner(d, w)
	p.gather()
	have, err := d.readState(ctx, p.addresses(), all)
	if err != nil {
		return nil, err
	}
	p.have = have
	p.planDomains()
	p.claim()
	p.planRemovals()
	p.planAccounts()
	p.planGroups()
	p.planMembers()
	p.planLists()
	p.planCatchAlls()
	if err := p.planScripts(ctx); err != nil {
		return nil, err
	}
	if err := p.planIdentities(ctx); err != nil {
		return nil, err
	}
	p.planGone()
	return p.ordered(), nil
}

// order is that of kinds. Deletions come before everything else, so that
// addresses are free for whom they are meant, and the other way round, so that
// nothing leads to what is gone.
var order = []destination.Kind{destination.KindDomain, destination.KindAccount, destination.KindGroup, destination.KindMember, destination.KindList,
	destination.KindForward, destination.KindCatchAll, destination.KindVacation, destination.KindIdentity}

func (p *planner) ordered() []destination.Action {
	rank := func(a destination.Action) int {
		if a.Verb == destination.VerbDelete {
			return -1 - slices.Index(order, a.Kind)
		}
		return slices.Index(order, a.Kind)
	}
	slices.SortStableFunc(p.out, func(a, b destination.Action) int { return rank(a) - rank(b) })
	return p.out
}

// planner plans one thing after the other; what is planned first has its
// addresses.
type planner struct {
	d    *Destination
	want destination.Wanted
	have *state
	past past
	// stops are contradictions, by what they are about; loops are those that
	// concern only where mail is sent on to.
	stops, loops map[string]string

	accounts []model.Account
	groups   []model.Group
	lists    []model.List
	domains  []model.Domain
	// aliasOf names the domain in whose place another stands, both wanted.
	aliasOf map[string]string
	refused map[string]string        // domains that cannot be, with the reason
	public  map[string]model.Account // what stands for the public mailboxes, by address

	// owners are the wanted owners of addresses: who claims first, accounts
	// before groups before lists.
	owners map[string]claim
	// gone are domains and addresses that the organisation has no more, seen
	// while planning.
	kept map[string]bool // subjects by kind and name, that are wanted
	out  []destination.Action
	// made are IDs of what is there already, by address; empty for what the
	// plan makes.
	scripted []scripted
}

type claim struct {
	kind    destination.Kind
	primary string
}

func newPlanner(d *Destination, w destination.Wanted) *planner {
	p := &planner{d: d, want: w, past: newPast(w.Written), stops: map[string]string{}, loops: map[string]string{}, aliasOf: map[string]string{}, refused: map[string]string{},
		owners: map[string]claim{}, kept: map[string]bool{}, public: map[string]model.Account{}}
	for _, n := range w.Organisation.Notes {
		into := p.stops
		if strings.HasSuffix(n.Code, "-loop") {
			into = p.loops
		}
		if subject := strings.ToLower(n.Subject); n.Level == model.LevelStop && into[subject] == "" {
			into[subject] = strings.TrimSuffix(n.Text+": "+n.Remedy, ": ")
		}
	}
	return p
}

// gather takes the organisation over, in lower case, without what is excluded.
func (p *planner) gather() {
	o := p.want.Organisation
	for _, a := range o.Accounts {
		if a.Excluded != "" {
			continue
		}
		a.Address = strings.ToLower(a.Address)
		a.Aliases = lowered(a.Aliases, a.Address)
		a.Forwards = lowered(a.Forwards, "")
		if a.Nobodys() {
			p.public[a.Address] = a
			p.groups = append(p.groups, model.Group{Address: a.Address, Aliases: a.Aliases, Name: a.Name, Quota: a.Quota, Members: lowered(a.Members, a.Address)})
			continue
		}
		p.accounts = append(p.accounts, a)
	}
	for _, g := range o.Groups {
		g.Address = strings.ToLower(g.Address)
		g.Aliases = lowered(g.Aliases, g.Address)
		g.Members = lowered(g.Members, g.Address)
		p.groups = append(p.groups, g)
	}
	for _, l := range o.Lists {
		l.Address = strings.ToLower(l.Address)
		l.Aliases = lowered(l.Aliases, l.Address)
		l.Members = lowered(l.Members, "")
		p.lists = append(p.lists, l)
	}
	p.gatherDomains(o)
}

// addresses are all that anybody is to have, sorted.
func (p *planner) addresses() []string {
	var out []string
	for _, a := range p.accounts {
		out = append(append(out, a.Address), a.Aliases...)
	}
	for _, g := range p.groups {
		out = append(append(out, g.Address), g.Aliases...)
	}
	for _, l := range p.lists {
		out = append(append(out, l.Address), l.Aliases...)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return !isAddress(s) })
}

// canonical is an address as it will be known: with the domain's name in place
// of another name that the domain has or is to have.
func (p *planner) canonical(address string) string {
	local, name, _ := strings.Cut(address, "@")
	if of := p.aliasOf[name]; of != "" {
		name = of
	}
	return p.have.canonical(local + "@" + name)
}

// claim says who is to have each address. Primary addresses come first, so that
// nobody's alias takes another's address.
func (p *planner) claim() {
	take := func(address string, c claim) {
		if isAddress(address) {
			if address = p.canonical(address); p.owners[address].kind == "" {
				p.owners[address] = c
			}
		}
	}
	for _, aliases := range []bool{false, true} {
		each := func(kind destination.Kind, address string, more []string) {
			c := claim{kind, p.canonical(address)}
			if !aliases {
				take(address, c)
				return
			}
			for _, alias := range more {
				if p.stops[alias] == "" {
					take(alias, c)
				}
			}
		}
		for _, a := range p.accounts {
			each(destination.KindAccount, a.Address, a.Aliases)
		}
		for _, g := range p.groups {
			each(destination.KindGroup, g.Address, g.Aliases)
		}
		for _, l := range p.lists {
			each(destination.KindList, l.Address, l.Aliases)
		}
	}
}

func (p *planner) add(a destination.Action) {
	p.kept[string(a.Kind)+" "+a.Subject] = true
	p.out = append(p.out, a)
}

func (p *planner) conflict(a destination.Action, format string, v ...any) {
	a.Verb, a.Note = destination.VerbConflict, fmt.Sprintf(format, v...)
	a.Records, a.Forget, a.Changes = nil, nil, nil
	p.add(a)
}

// stopped returns the contradiction that concerns an address: its own or its
// domain's.
func (p *planner) stopped(address string) string {
	if why := p.stops[address]; why != "" {
		return why
	}
	_, name, _ := strings.Cut(address, "@")
	if why := p.refused[name]; why != "" {
		return why
	}
	return p.stops[name]
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
