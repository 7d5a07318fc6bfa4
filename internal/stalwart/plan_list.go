package stalwart

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

const (
	propertyRecipient = "recipient"
	propertyMember    = "member"
)

func (p *planner) planGroups() {
	for _, g := range p.groups {
		action := destination.Action{Kind: destination.KindGroup, Subject: g.Address, Group: g, Account: p.public[g.Address]}
		public := action.Account.Nobodys()
		at := p.canonical(g.Address)
		h, exists := p.have.holders[at]
		switch why := p.stopped(g.Address); {
		case !isAddress(g.Address):
			p.conflict(action, "%q is no address: a group needs one", g.Address)
			continue
		case why != "":
			p.conflict(action, "%s", why)
			continue
		case p.owners[at] != claim{destination.KindGroup, at}:
			p.conflict(action, "the address belongs to the %s %s", p.owners[at].kind, p.owners[at].primary)
			continue
		case exists && public && h.kind == destination.KindAccount:
			p.conflict(action, "a user has the address: give the group another in source.%s", groupSetting(action.Account))
			continue
		case exists && (h.kind != destination.KindGroup || h.primary != at):
			p.conflict(action, "at the destination %s has the address", describe(h))
			continue
		}
		var notes []string
		if public && !exists {
			who := "without members"
			if len(g.Members) > 0 {
				who = "whose members may do everything with them"
			}
			notes = append(notes, groupPurpose(action.Account)+", "+who+": `mailhaul share` says who else may use them")
		}
		if !exists && p.deleted(action) {
			continue
		}
		if !exists {
			action.Verb = destination.VerbCreate
			var why []string
			action.Group.Aliases, why = p.freeAliases(at, g.Aliases)
			notes = append(notes, why...)
			record(&action, destination.PropertyMade, "", "")
			if g.Name != "" {
				action.Changes = append(action.Changes, destination.Change{Property: propertyName, New: g.Name})
				record(&action, propertyName, "", g.Name)
			}
			for _, alias := range action.Group.Aliases {
				action.Changes = append(action.Changes, destination.Change{Property: propertyAlias, New: alias})
				record(&action, propertyAlias, alias, "")
			}
			if action.Group.Quota, why = p.groupQuota(g); action.Group.Quota > 0 {
				octets := strconv.FormatInt(action.Group.Quota, 10)
				action.Changes = append(action.Changes, destination.Change{Property: propertyQuota, New: octets})
				record(&action, propertyQuota, "", octets)
			}
			notes = append(notes, why...)
			if action.Account.Group {
				action.Group.Acting = true
				action.Changes = append(action.Changes, destination.Change{Property: propertyLogin, New: migratorLogin})
				record(&action, propertyLogin, "", migratorLogin)
			}
		} else {
			notes = append(notes, destination.NoteExists)
			have := p.have.accounts[h.id]
			if !have.hidden {
				p.compareAliases(&action, g.Aliases, have.Aliases, have.address, &notes)
				p.compareValue(&action, propertyName, g.Name, text(have.Description))
				quota, why := p.groupQuota(g)
				notes = append(notes, why...)
				if quota > 0 {
					p.compareValue(&action, propertyQuota, strconv.FormatInt(quota, 10), have.quota())
				}
				switch have.Permissions.Type {
				case "", "Inherit", "Merge":
					if action.Account.Group && !have.Permissions.EnabledPermissions["authenticate"] {
						p.compareValue(&action, propertyLogin, migratorLogin, "")
					}
				}
			}
			action.Verb = destination.VerbKeep
			if len(action.Changes) > 0 {
				action.Verb = destination.VerbChange
			}
		}
		action.Note = strings.Join(notes, "; ")
		p.add(action)
	}
}

// migratorLogin is propertyLogin of a group whose calendars move. They have
// their names and colours per login, so it needs the permission authenticate;
// without a password nobody but a migrator logs in as it.
const migratorLogin = "migrators"

// groupPurpose says what a group is made for.
func groupPurpose(a model.Account) string {
	if a.Group {
		return "for the calendars of " + a.Login
	}
	return "for the public mailboxes"
}

// groupSetting is where its address comes from.
func groupSetting(a model.Account) string {
	if a.Group {
		return "groups.accounts"
	}
	return "public.address"
}

// groupQuota is what a group's quota may be now. Mail moves into the group of
// the public mailboxes alone: that one waits for it, as accounts do.
func (p *planner) groupQuota(g model.Group) (octets int64, notes []string) {
	if a := p.public[g.Address]; a.Nobodys() {
		return p.quota(a)
	}
	return max(g.Quota, 0), nil
}

// compareValue compares a single value of a group or a list that exists.
func (p *planner) compareValue(action *destination.Action, property, want, have string) {
	switch m := p.merge(action.Kind, action.Subject, property, want, have, ""); {
	case m.set:
		action.Changes = append(action.Changes, destination.Change{Property: property, Old: have, New: want})
		record(action, property, "", want)
	case m.keep:
		action.Kept = append(action.Kept, destination.Change{Property: property, Old: have, New: want})
	}
}

// planMembers makes accounts members of groups.
func (p *planner) planMembers() {
	for _, g := range p.groups {
		at := p.canonical(g.Address)
		if !p.will(destination.KindGroup, g.Address) {
			continue
		}
		action := destination.Action{Kind: destination.KindMember, Subject: g.Address, Group: model.Group{Address: g.Address}}
		there := map[string]bool{}
		h, exists := p.have.holders[at]
		for _, have := range p.have.accounts {
			if exists && have.MemberGroupIDs[h.id] {
				there[have.address] = true
			}
		}
		wanted := map[string]bool{}
		var notes []string
		for _, m := range g.Members {
			as := m
			if isAddress(m) {
				as = p.canonical(m)
			}
			c := p.owners[as]
			if c.kind == "" {
				if h, ok := p.have.holders[as]; ok {
					c = claim{h.kind, h.primary}
				}
			}
			if c.kind != destination.KindAccount {
				notes = append(notes, m+" is no account here and does not become a member")
				continue
			}
			if p.holderOf(c.primary) != "" {
				wanted[p.holderOf(c.primary)] = true
			}
			wanted[c.primary] = true
			if there[c.primary] || there[p.holderOf(c.primary)] {
				continue
			}
			change := destination.Change{Property: propertyMember, New: c.primary}
			if !p.member(action.Kind, action.Subject, propertyMember, c.primary) {
				action.Kept = append(action.Kept, change)
				continue
			}
			action.Changes = append(action.Changes, change)
			record(&action, propertyMember, c.primary, "")
		}
		if p.want.Whole {
			for _, m := range p.past.items[key(action.Kind, action.Subject, propertyMember, "")] {
				if !wanted[m] && there[m] {
					action.Changes = append(action.Changes, destination.Change{Property: propertyMember, Old: m})
					forget(&action, propertyMember, m)
				}
			}
		}
		action.Note = strings.Join(notes, "; ")
		switch {
		case len(action.Changes) > 0:
			action.Verb = destination.VerbChange
		case len(action.Kept) > 0 || len(notes) > 0:
			action.Verb = destination.VerbKeep
		default:
			continue
		}
		p.add(action)
	}
}

// holderOf is the primary address at the destination of who has an address.
func (p *planner) holderOf(address string) string { return p.have.holders[address].primary }

// will reports whether a subject is there after the plan.
func (p *planner) will(kind destination.Kind, subject string) bool {
	for _, a := range p.out {
		if a.Kind == kind && a.Subject == subject {
			return a.Verb == destination.VerbCreate || a.Verb == destination.VerbChange || a.Verb == destination.VerbKeep
		}
	}
	return false
}

func (p *planner) planLists() {
	for _, l := range p.lists {
		p.planList(l)
	}
}

func (p *planner) planList(l model.List) {
	action := destination.Action{Kind: destination.KindList, Subject: l.Address, List: l}
	at := p.canonical(l.Address)
	h, exists := p.have.holders[at]
	switch why := orText(p.stopped(l.Address), p.loops[l.Address]); {
	case !isAddress(l.Address):
		p.conflict(action, "%q is no address: a list needs one", l.Address)
		return
	case why != "":
		p.conflict(action, "%s", why)
		return
	case p.owners[at] != claim{destination.KindList, at}:
		p.conflict(action, "the address belongs to the %s %s", p.owners[at].kind, p.owners[at].primary)
		return
	case exists && (h.kind != destination.KindList || h.primary != at):
		p.conflict(action, "at the destination %s has the address", describe(h))
		return
	}
	recipients, notes := p.flatten(l)
	if len(recipients) == 0 {
		p.conflict(action, "has no member that exists: %s", orText(strings.Join(notes, "; "), "it is empty"))
		return
	}
	p.writeList(action, at, recipients, notes)
}

// writeList plans a list with these recipients.
func (p *planner) writeList(action destination.Action, at string, recipients, notes []string) {
	l := &action.List
	h, exists := p.have.holders[at]
	if !exists && p.deleted(action) {
		return
	}
	if !exists {
		action.Verb = destination.VerbCreate
		var why []string
		l.Aliases, why = p.freeAliases(at, l.Aliases)
		l.Members = recipients
		record(&action, destination.PropertyMade, "", "")
		if l.Name != "" {
			record(&action, propertyName, "", l.Name)
			action.Changes = append(action.Changes, destination.Change{Property: propertyName, New: l.Name})
		}
		for _, alias := range l.Aliases {
			action.Changes = append(action.Changes, destination.Change{Property: propertyAlias, New: alias})
			record(&action, propertyAlias, alias, "")
		}
		for _, m := range recipients {
			action.Changes = append(action.Changes, destination.Change{Property: propertyRecipient, New: m})
			record(&action, propertyRecipient, m, "")
		}
		action.Note = strings.Join(append(notes, why...), "; ")
		p.add(action)
		return
	}
	have := p.have.lists[h.id]
	notes = append([]string{destination.NoteExists}, notes...)
	p.compareAliases(&action, l.Aliases, have.Aliases, have.address, &notes)
	p.compareValue(&action, propertyName, l.Name, text(have.Description))
	there := map[string]bool{}
	for m, on := range have.Recipients {
		if on {
			there[strings.ToLower(m)] = true
		}
	}
	for _, m := range recipients {
		if there[m] {
			continue
		}
		c := destination.Change{Property: propertyRecipient, New: m}
		if !p.member(action.Kind, action.Subject, propertyRecipient, m) {
			action.Kept = append(action.Kept, c)
			continue
		}
		action.Changes = append(action.Changes, c)
		record(&action, propertyRecipient, m, "")
	}
	for _, m := range slices.Sorted(maps.Keys(there)) {
		if slices.Contains(recipients, m) {
			continue
		}
		_, ours := p.past.values[key(action.Kind, action.Subject, propertyRecipient, m)]
		if c := (destination.Change{Property: propertyRecipient, Old: m}); ours && p.want.Whole {
			action.Changes = append(action.Changes, c)
			forget(&action, propertyRecipient, m)
		} else if !ours {
			action.Kept = append(action.Kept, c)
		}
	}
	action.Verb = destination.VerbKeep
	if len(action.Changes) > 0 {
		action.Verb = destination.VerbChange
	}
	action.Note = strings.Join(notes, "; ")
	p.add(action)
}

// flatten lists whom a list reaches. The server does not expand a list within a
// list, nor does it ask a domain's catch-all for a list's members: both bounce.
func (p *planner) flatten(l model.List) (recipients, notes []string) {
	at := p.canonical(l.Address)
	found, seen := map[string]bool{}, map[string]bool{at: true}
	for _, m := range l.Members {
		notes = append(notes, p.reach(m, found, seen)...)
	}
	// Two spellings of one account are one recipient.
	owner := map[string]string{}
	for _, m := range slices.Sorted(maps.Keys(found)) {
		who := p.owners[p.canonical(m)].primary
		if who == "" {
			who = m
		}
		if have, ok := owner[who]; !ok || m == who && have != who {
			owner[who] = m
		}
	}
	return slices.Sorted(maps.Values(owner)), notes
}

// reach adds to found who gets what is sent to an address: accounts, groups and
// addresses outside.
func (p *planner) reach(address string, found, seen map[string]bool) (notes []string) {
	if !isAddress(address) {
		return []string{fmt.Sprintf("member %q is no address", address)}
	}
	as := p.canonical(address)
	c := p.owners[as]
	if c.kind == destination.KindList {
		as = c.primary
	}
	if c.kind == "" {
		if h, ok := p.have.holders[as]; ok {
			if h.kind != destination.KindList {
				found[address] = true
				return nil
			}
			for m := range p.have.lists[h.id].Recipients { // a list that only the destination has
				found[strings.ToLower(m)] = true
			}
			return nil
		}
	}
	switch {
	case c.kind == destination.KindList:
		if seen[as] {
			return nil
		}
		seen[as] = true
		for _, l := range p.lists {
			if p.canonical(l.Address) == as {
				for _, m := range l.Members {
					notes = append(notes, p.reach(m, found, seen)...)
				}
			}
		}
		return notes
	case c.kind != "":
		found[address] = true
		return nil
	}
	_, name, _ := strings.Cut(as, "@")
	if !p.local(name) {
		found[address] = true
		return nil
	}
	for _, ca := range p.want.Organisation.CatchAlls {
		if p.canonical("x@"+strings.ToLower(ca.Domain)) != "x@"+name {
			continue
		}
		if seen["@"+name] {
			return nil
		}
		seen["@"+name] = true
		for _, t := range ca.Targets {
			if t = strings.ToLower(t); !strings.HasPrefix(t, "@") {
				notes = append(notes, p.reach(t, found, seen)...)
			}
		}
		return notes
	}
	return []string{"member " + address + " does not exist"}
}

// local reports whether a domain is one that this destination delivers.
func (p *planner) local(name string) bool {
	for _, d := range p.domains {
		if d.Name == name {
			return !d.Relayed
		}
	}
	return p.have.domains[name] != nil
}
