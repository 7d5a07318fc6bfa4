package organisation

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// entry is an address of an alias table with where it leads.
type entry struct {
	targets []string
	name    string
	where   string
	others  []entry // what further sources say of it, where they differ
}

// compareSources tells where two sources lead an address to different people.
// One may name lists that the other has flattened.
func (b *builder) compareSources(book *Book) {
	reach := func(targets []string) []string {
		var all []string
		for _, t := range targets {
			d := book.Members(b.now(t))
			all = append(append(all, d.Recipients...), d.Missing...)
		}
		return unique(all)
	}
	for _, address := range b.order {
		e := b.entries[address]
		for _, o := range e.others {
			if strings.HasPrefix(address, "@") || !slices.Equal(reach(e.targets), reach(o.targets)) {
				b.note(model.LevelWarning, "two-sources", address, o.where, "correct the one that is wrong", "%s leads it to %s, %s to %s: the first holds", e.where, some(e.targets), o.where, some(o.targets))
			}
		}
	}
}

// gatherEntries puts the tables of all sources together, the first first.
func (b *builder) gatherEntries(sources []directory.Addresses) {
	for _, s := range sources {
		for _, a := range s.Aliases {
			address := strings.ToLower(a.Address)
			to, excluded, reason := address, false, ""
			_, renamed := b.moved[address]
			_, account := b.accounts[address]
			if !renamed && !account && !strings.HasPrefix(address, "@") {
				to, excluded, reason = b.options.Rename(address)
			} else if strings.HasPrefix(address, "@") {
				d, out, why := b.renameDomain(address[1:])
				to, excluded, reason = "@"+d, out, why
			}
			if excluded {
				b.note(model.LevelOK, "excluded", address, a.Where, "", "stays behind: %s", reason)
				continue
			}
			if to != address {
				b.moved[address] = to
				address = to
			}
			b.addEntry(address, a)
		}
	}
}

func (b *builder) addEntry(address string, a directory.Alias) {
	targets := []string{}
	for _, t := range a.Targets {
		if b.vacationAddress(t) {
			continue
		}
		if !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	have, known := b.entries[address]
	if !known {
		if len(targets) > 0 {
			b.entries[address] = &entry{targets: targets, name: a.Name, where: a.Where}
			b.order = append(b.order, address)
		}
		return
	}
	if have.name == "" {
		have.name = a.Name
	}
	if !slices.Equal(slices.Sorted(slices.Values(have.targets)), slices.Sorted(slices.Values(targets))) && len(targets) > 0 {
		have.others = append(have.others, entry{targets: targets, where: a.Where})
	}
}

// vacationAddress recognises how PostfixAdmin leads mail to its responder as
// well: anna#acme.test@autoreply.acme.test, in a domain of the administrator's
// choice. The response itself is in its table of vacations.
func (b *builder) vacationAddress(target string) bool {
	local, _, ok := strings.Cut(target, "@")
	user, domain, marked := strings.Cut(strings.ToLower(local), "#")
	if !ok || !marked {
		return false
	}
	_, renamed := b.moved[user+"@"+domain]
	return renamed || b.inside(domain)
}

func some(list []string) string {
	if len(list) > 3 {
		return strings.Join(list[:3], ", ") + " …"
	}
	return strings.Join(list, ", ")
}

// forwardDirectory brings what the directory itself says of forwards into the
// words of the destination.
func (b *builder) forwardDirectory() {
	for i := range b.out.Accounts {
		a := &b.out.Accounts[i]
		var keep []string
		for _, f := range a.Forwards {
			if b.vacationAddress(f) {
				continue
			}
			if f = b.now(f); f != a.Address {
				keep = append(keep, f)
			}
		}
		a.Forwards = keep
	}
}

// decide says of every entry what it is.
func (b *builder) decide() {
	b.lists = map[string]int{}
	var single []string
	for _, address := range b.order {
		e := b.entries[address]
		switch {
		case strings.HasPrefix(address, "@"):
			b.catchAll(address[1:], e)
		case b.isAccount(address):
			b.own(b.accountOf(address), address, e)
		case b.stays[address] != "":
			b.note(model.LevelOK, "excluded", address, e.where, "", "is the address of an account that stays behind (%s): its forwards to %s stay, too", b.stays[address], some(e.targets))
		case len(e.targets) == 1:
			single = append(single, address)
		default:
			b.list(address, e)
		}
	}
	for _, address := range single {
		b.other(address)
	}
}

// isAccount: the address is an account's own, not just an alias that the
// directory gives it.
func (b *builder) isAccount(address string) bool {
	i, ok := b.accounts[b.now1(address)]
	return ok && b.out.Accounts[i].Address == b.now1(address)
}

func (b *builder) accountOf(address string) *model.Account {
	return &b.out.Accounts[b.accounts[b.now1(address)]]
}

// now1 is now without looking whether the address has an entry.
func (b *builder) now1(address string) string {
	if to, ok := b.moved[address]; ok {
		return to
	}
	at := strings.LastIndexByte(address, '@')
	if at > 0 && b.local[address[at+1:]] {
		if i, ok := b.logins[address[:at]]; ok {
			return b.out.Accounts[i].Address
		}
	}
	return address
}

// own is an entry for the address of an account: where else its mail goes, and
// whether it stays.
func (b *builder) own(a *model.Account, address string, e *entry) {
	keep, forwards := false, []string{}
	for _, t := range e.targets {
		to := b.now1(b.now(t))
		if end, ok := b.end(to); ok && end == a.Address || to == a.Address || t == address {
			keep = true
			continue
		}
		if !slices.Contains(forwards, to) {
			forwards = append(forwards, to)
		}
	}
	a.Forwards = unique(append(a.Forwards, forwards...))
	if len(a.Forwards) > 0 {
		a.ForwardOnly = !keep
	}
	if !keep && len(forwards) > 1 {
		b.note(model.LevelWarning, "user-and-list", a.Address, e.where, "if it is a list, exclude the account; if it is a person who forwards, leave it", "is an account and leads to %s (%s), without a copy in its mailbox", plural.Count(len(forwards), "other"), some(forwards))
	}
}

// end follows entries with one target from an address to what has none or
// several. ok is false in a circle.
func (b *builder) end(address string) (string, bool) {
	seen := map[string]bool{}
	for !seen[address] {
		seen[address] = true
		if b.isAccount(address) {
			return b.accountOf(address).Address, true
		}
		e, ok := b.entries[address]
		if !ok || len(e.targets) != 1 || strings.HasPrefix(e.targets[0], "@") {
			return address, true
		}
		address = b.now(e.targets[0])
	}
	return address, false
}

// other is an address with one target: an alias of an account or of a list, or
// an address that leads outside.
func (b *builder) other(address string) {
	e := b.entries[address]
	end, ok := b.end(address)
	if !ok && e.targets[0] != address {
		b.note(model.LevelStop, "list-loop", address, e.where, "correct the entry", "leads to itself: mail to it is never delivered")
		return
	}
	if i, ok := b.accounts[end]; ok {
		if have, taken := b.accounts[address]; taken && have != i {
			b.note(model.LevelStop, "two-owners", address, e.where, "give it to one of them", "is an alias of %s in the directory, and leads to %s", b.out.Accounts[have].Address, b.out.Accounts[i].Address)
			return
		}
		a := &b.out.Accounts[i]
		if address != a.Address && !slices.Contains(a.Aliases, address) {
			a.Aliases = append(a.Aliases, address)
		}
		b.accounts[address] = i
		return
	}
	if i, ok := b.lists[end]; ok {
		b.out.Lists[i].Aliases = append(b.out.Lists[i].Aliases, address)
		b.lists[address] = i
		return
	}
	if e.targets[0] == address {
		b.note(model.LevelWarning, "nobody", address, e.where, "add the account, or leave the address out", "leads to itself, which says that it has a mailbox, but there is no such account")
		return
	}
	if end != b.now(e.targets[0]) && b.entries[end] == nil {
		e = &entry{targets: []string{end}, name: e.name, where: e.where}
	}
	b.list(address, e)
}

// list is an address with several targets, or with one outside.
func (b *builder) list(address string, e *entry) {
	if i, taken := b.accounts[address]; taken {
		a := b.out.Accounts[i]
		b.note(model.LevelStop, "two-owners", address, e.where, "give it to one of them", "is an alias of %s in the directory, and a list of %d", a.Address, len(e.targets))
		return
	}
	l := model.List{Address: address, Name: e.name, Where: e.where}
	for _, t := range e.targets {
		to := b.now(t)
		if to == address {
			b.note(model.LevelWarning, "self", address, e.where, "name the account that is meant", "is among its own members, and is no account")
			continue
		}
		l.Members = append(l.Members, to)
	}
	l.Members = unique(l.Members)
	if len(l.Members) == 0 {
		return
	}
	b.lists[address] = len(b.out.Lists)
	b.out.Lists = append(b.out.Lists, l)
}

// catchAll is an entry "@domain".
func (b *builder) catchAll(domain string, e *entry) {
	d := b.domains[domain]
	if len(e.targets) == 1 && strings.HasPrefix(e.targets[0], "@") {
		other := e.targets[0][1:]
		if to, _, _ := b.renameDomain(other); to != "" {
			other = to
		}
		switch {
		case d != nil && d.AliasOf == other:
			return
		case other == domain: // only says that they exist
			return
		case d != nil && b.inside(other) && !b.inhabited(domain) && d.AliasOf == "":
			d.AliasOf = other
			return
		}
		b.out.CatchAlls = append(b.out.CatchAlls, model.CatchAll{Domain: domain, Targets: []string{"@" + other}, Where: e.where})
		return
	}
	if d != nil && d.AliasOf != "" {
		if other := b.entries["@"+d.AliasOf]; other != nil && slices.Equal(other.targets, e.targets) {
			return // that of the domain itself
		}
	}
	if d == nil {
		b.note(model.LevelWarning, "foreign-catch-all", "@"+domain, e.where, "add the domain, or remove the entry", "a catch-all of a domain that this server does not take mail for")
		return
	}
	c := model.CatchAll{Domain: domain, Where: e.where}
	for _, t := range e.targets {
		c.Targets = append(c.Targets, b.now(t))
	}
	c.Targets = unique(c.Targets)
	b.out.CatchAlls = append(b.out.CatchAlls, c)
}

// groups takes shared mailboxes that a source names.
func (b *builder) groups(sources []directory.Addresses) {
	for _, s := range sources {
		for _, g := range s.Groups {
			g.Address = b.now(g.Address)
			members := []string{}
			for _, m := range g.Members {
				end, _ := b.end(b.now(m))
				members = append(members, end)
			}
			g.Members = unique(members)
			if i, taken := b.accounts[g.Address]; taken {
				b.note(model.LevelStop, "two-owners", g.Address, g.Where, "give one of them another address", "is a group and belongs to %s", b.out.Accounts[i].Address)
				continue
			}
			if _, taken := b.lists[g.Address]; taken {
				b.note(model.LevelStop, "two-owners", g.Address, g.Where, "give one of them another address", "is a group and a list")
				continue
			}
			b.out.Groups = append(b.out.Groups, g)
		}
	}
}

func (b *builder) vacations(sources []directory.Addresses) {
	for _, s := range sources {
		for address, v := range s.Vacations {
			end, _ := b.end(b.now(address))
			i, ok := b.accounts[end]
			if !ok {
				continue
			}
			if a := &b.out.Accounts[i]; a.Vacation == nil {
				a.Vacation = &v
			}
		}
	}
}

// identities gives who may send as another address that address as a sender.
func (b *builder) identities(sources []directory.Addresses) {
	for _, s := range sources {
		for _, sender := range s.Senders {
			address := b.now(sender.Address)
			if strings.HasPrefix(address, "@") {
				b.note(model.LevelWarning, "sends-as-domain", address, sender.Where, "give the accounts the addresses that they use", "%s may send as anybody of the domain", some(sender.Logins))
				continue
			}
			for _, login := range sender.Logins {
				i, ok := b.logins[strings.ToLower(login)]
				if !ok {
					end, _ := b.end(b.now(login))
					if i, ok = b.accounts[end]; !ok {
						continue
					}
				}
				a := &b.out.Accounts[i]
				if own, known := b.accounts[address]; known && own == i || slices.ContainsFunc(a.Identities, func(d model.Identity) bool { return d.Address == address }) {
					continue
				}
				a.Identities = append(a.Identities, model.Identity{Name: a.Name, Address: address})
			}
		}
	}
}
