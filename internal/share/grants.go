package share

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// allotment is what a list gives, in terms of the destination.
type allotment struct {
	groups []groupGrant
	users  []userGrant
	// unknown are identifiers of nobody, strangers groups whose members nobody
	// knows; sorted.
	unknown, strangers []string
	// writtenOut are groups whose members are named one by one, and why.
	writtenOut map[string]string
	// tooMany: everybody may use it, and they are too many to be named.
	// everybody: they are named.
	tooMany, everybody bool
}

type groupGrant struct {
	*group
	rights destination.Rights
	lost   []loss
}

type userGrant struct {
	login  string
	rights destination.Rights
	lost   []loss
}

// Why a group is written out.
const (
	noAddress = "who joins it later does not get it by himself; source.groups.addresses gives it a group at the destination"
	lessFor   = "the list takes rights from some of them, and the destination only adds them up"
	refused   = "the destination has no such group"
)

// allot works out who of the source's accounts has rights. A group gets a share
// of its own where it has an address, none of its members has less than the
// group (rights add up at the destination, and nothing is taken away there), and
// usable agrees. limit is how many may be named one by one because a list names
// everybody.
func (l list) allot(owner model.Account, p *people, specific bool, limit int, usable func(*group) bool) allotment {
	out := allotment{writtenOut: map[string]string{}}
	candidates := map[string]model.Account{}
	for _, id := range slices.Sorted(maps.Keys(l.users)) {
		if a, ok := p.byID[id]; ok {
			candidates[a.Login] = a
		} else if id != "owner" && id != "administrators" && l.users[id].positive != 0 && !slices.Contains(identifiers(owner), id) {
			out.unknown = append(out.unknown, id)
		}
	}
	have := map[string]destination.Rights{} // by login, through groups
	grant := func(g *group, of somebody) (why string) {
		rights, lost := l.to(l.of(of, specific))
		for _, m := range g.members {
			if own, _ := l.to(l.of(p.somebody(m), specific)); m.Login != owner.Login && rights&^own != 0 {
				return lessFor
			}
		}
		if rights == 0 || !usable(g) {
			return refused
		}
		out.groups = append(out.groups, groupGrant{g, rights, lost})
		for _, m := range g.members {
			have[m.Login] |= rights
		}
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(l.groups)) {
		if l.groups[name].positive == 0 || ownRights[name] {
			continue
		}
		g := p.groups[name]
		if g == nil {
			out.strangers = append(out.strangers, name)
			continue
		}
		why := noAddress
		if g.address != "" {
			why = grant(g, somebody{groups: map[string]bool{name: true}})
		}
		if why != "" {
			out.writtenOut[name] = why
		}
		for _, m := range g.members {
			candidates[m.Login] = m
		}
	}
	if l.shared {
		named := p.anyone == nil
		if !named {
			if why := grant(p.anyone, somebody{}); why != "" {
				out.writtenOut["anyone"], named = why, true
			}
		}
		out.tooMany = named && len(p.all)-1 > limit
		out.everybody = named && !out.tooMany
		if !out.tooMany {
			for _, a := range p.all {
				candidates[a.Login] = a
			}
		}
	}
	delete(candidates, owner.Login)
	for login, a := range candidates {
		if slices.Contains(owner.Members, a.Address) { // they have everything
			delete(candidates, login)
		}
	}
	for _, login := range slices.Sorted(maps.Keys(candidates)) {
		rights := l.of(p.somebody(candidates[login]), specific)
		to, lost := l.to(rights)
		if rights != 0 && (to&^have[login] != 0 || to == 0) {
			out.users = append(out.users, userGrant{login, to, lost})
		}
	}
	return out
}

// ownRights are groups of Courier whose rights are in every list.
var ownRights = map[string]bool{"administrators": true}

// notes tell what of a list arrives otherwise than it is.
func (w *owner) notes(mailbox string, l list, a allotment) {
	for _, id := range a.unknown {
		w.note(mailbox, "nobody", fmt.Sprintf("%q may use it, but is no account of the source: nothing to carry", id))
	}
	for _, g := range a.strangers {
		w.note(mailbox, "group", fmt.Sprintf("the group %q may use it (%s): nothing tells who that is; name its members in source.groups", g, l.words(l.groups[g].positive)))
	}
	for _, name := range slices.Sorted(maps.Keys(l.groups)) {
		if g := w.people.groups[name]; g != nil && len(g.strangers) > 0 && l.groups[name].positive != 0 {
			w.note(mailbox, "nobody", fmt.Sprintf("of the group %q, %s are no accounts of the source", g.name, someOf(g.strangers)))
		}
	}
	for _, g := range slices.Sorted(maps.Keys(a.writtenOut)) {
		w.note(mailbox, "members", fmt.Sprintf("the members of %q are named one by one: %s", g, a.writtenOut[g]))
	}
	switch {
	case a.tooMany:
		w.note(mailbox, "anyone", fmt.Sprintf("everybody may use it (%s), which the destination does not know, and allows %s for one mailbox: let source.groups.addresses.anyone name a group of all users, which is made then, or raise x:Sharing maxShares there",
			l.words(l.all.positive), plural.Count(w.Destination.Limits().MaxShares, "account")))
	case a.everybody:
		w.note(mailbox, "anyone", "everybody may use it: shared with every account of today; later ones do not get it by themselves, unless source.groups.addresses.anyone names a group")
	}
}

// someOf names the first few.
func someOf(names []string) string {
	if len(names) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}
