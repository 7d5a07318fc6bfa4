package stalwart

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sieve"
)

const propertyCatchAll = "address"

// planCatchAlls gives each domain the address that takes what nobody else does.
//
// The server knows one address for a domain and puts it in place of the
// recipient without asking again who that is: a list there bounces. What goes
// to several, or to a list, goes to a group, whose script sends it on to a list.
func (p *planner) planCatchAlls() {
	byDomain := map[string][]model.CatchAll{}
	for _, c := range p.want.Organisation.CatchAlls {
		name := strings.ToLower(c.Domain)
		if p.aliasOf[name] != "" && len(c.Targets) == 1 && strings.HasPrefix(c.Targets[0], "@") {
			continue // an alias domain
		}
		name = strings.TrimPrefix(p.canonical("x@"+name), "x@")
		byDomain[name] = append(byDomain[name], c)
	}
	for _, name := range slices.Sorted(maps.Keys(byDomain)) {
		p.planCatchAll(name, byDomain[name])
	}
}

func (p *planner) planCatchAll(name string, all []model.CatchAll) {
	action := destination.Action{Kind: destination.KindCatchAll, Subject: name}
	if why := p.stopped("@" + name); why != "" {
		p.conflict(action, "%s", why)
		return
	}
	var targets, notes []string
	found, seen := map[string]bool{}, map[string]bool{"@" + name: true}
	for _, c := range all {
		for _, t := range lowered(c.Targets, "") {
			if other, everybody := strings.CutPrefix(t, "@"); everybody {
				p.spelled(&notes, other)
				continue
			}
			targets = append(targets, t)
			notes = append(notes, p.reach(t, found, seen)...)
		}
	}
	recipients := slices.Sorted(maps.Keys(found))
	if len(recipients) == 0 {
		if len(targets) > 0 {
			p.conflict(action, "leads nowhere: %s", strings.Join(notes, "; "))
		} else if len(notes) > 0 {
			action.Verb, action.Note = destination.VerbWait, strings.Join(notes, "; ")
			p.add(action)
		}
		return
	}
	want := recipients[0]
	if len(recipients) > 1 || p.owners[p.canonical(targets[0])].kind == destination.KindList {
		var ok bool
		if want, ok = p.catchAllGroup(name, recipients); !ok {
			p.conflict(action, "goes to several, which takes a group that sends it on: all addresses for one in %s are taken", name)
			return
		}
		notes = append(notes, fmt.Sprintf("goes to %d: by the group %s, whose script sends it on to a list", len(recipients), want))
	}
	have := ""
	if d := p.have.domains[name]; d != nil {
		have = d.catchAll()
	}
	action.Verb, action.Note = destination.VerbKeep, strings.Join(notes, "; ")
	switch m := p.merge(action.Kind, name, propertyCatchAll, want, have, ""); {
	case m.set && p.have.domains[name] != nil && p.have.domains[name].AllowRelaying:
		action.Verb = destination.VerbWait
		action.Note = "the domain sends what it does not know on to the old server (allowRelaying): a catch-all would take the mail of everybody who has not moved. Run provision again after the last has"
	case m.set:
		action.Verb = destination.VerbChange
		action.Changes = []destination.Change{{Property: propertyCatchAll, Old: have, New: want}}
		record(&action, propertyCatchAll, "", want)
	case m.keep:
		action.Kept = []destination.Change{{Property: propertyCatchAll, Old: have, New: want}}
	}
	p.add(action)
}

// spelled notes what becomes of "the same local part in another domain", which
// gatherDomains made an alias domain of where it could.
func (p *planner) spelled(notes *[]string, other string) {
	if !p.hosted(p.want.Organisation, other) {
		*notes = append(*notes, fmt.Sprintf("the same local part at %s, which another host delivers: the destination cannot rewrite that by a catch-all", other))
	}
}

// catchAllGroup plans the group and the list behind a catch-all of several
// recipients, and returns the group's address.
func (p *planner) catchAllGroup(name string, recipients []string) (address string, ok bool) {
	for n := 1; n < 10; n++ {
		suffix := ""
		if n > 1 {
			suffix = fmt.Sprint("-", n)
		}
		group, list := "catch-all"+suffix+"@"+name, "catch-all-list"+suffix+"@"+name
		if !p.ours(destination.KindGroup, group) || !p.ours(destination.KindList, list) {
			continue
		}
		p.helperList(list, "Catch-all of "+name, recipients)
		a := destination.Action{Verb: destination.VerbKeep, Kind: destination.KindGroup, Subject: group, Group: model.Group{Address: group, Name: "Catch-all of " + name}, Note: "sends a catch-all on"}
		if _, exists := p.have.holders[group]; !exists {
			a.Verb = destination.VerbCreate
			record(&a, destination.PropertyMade, "", "")
		}
		p.owners[group] = claim{destination.KindGroup, group}
		p.add(a)
		p.scripted = append(p.scripted, scripted{account: model.Account{Login: group, Address: group, Forwards: []string{list}, ForwardOnly: true},
			before: sieve.Redirect("catch-all", false, list)})
		return group, true
	}
	return "", false
}

// ours reports whether an address is free, or mailhaul made what has it.
func (p *planner) ours(kind destination.Kind, address string) bool {
	if p.owners[address].kind != "" {
		return false
	}
	h, held := p.have.holders[address]
	return !held || h.kind == kind && h.primary == address && p.past.made(kind, address)
}

// helperList plans a list that mailhaul itself needs.
func (p *planner) helperList(address, name string, recipients []string) {
	p.owners[address] = claim{destination.KindList, address}
	p.writeList(destination.Action{Kind: destination.KindList, Subject: address, List: model.List{Address: address, Name: name}}, address, recipients, nil)
}
