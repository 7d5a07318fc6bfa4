package sandbox

import (
	"slices"
	"strings"
)

// identity is an address that mail may be sent as (RFC 8621 §6).
type identity struct {
	id           uint32
	name, email  string
	text, html   string // signatures
	replyTo, bcc any    // lists of addresses
}

func (a *account) identityState() string { return exactState(a.logs[logIdentity].item).String() }

// identityAccount returns the account of the call with its identities, which the
// server makes when they are first asked for: one per address of the account and
// of its groups.
func (c *call) identityAccount() (*account, *methodError) {
	a, fail := c.owner()
	if fail == nil && a.identities == nil {
		c.s.makeIdentities(a)
	}
	return a, fail
}

func identityGet(c *call) (obj, *methodError) {
	w, a, fail := c.wantsOf(c.identityAccount)
	if fail != nil {
		return nil, fail
	}
	byID := map[uint64]identity{}
	for _, i := range a.identities {
		byID[uint64(i.id)] = i
		if w.all && len(w.ids) < c.s.limits.MaxObjectsInGet {
			w.ids = append(w.ids, uint64(i.id))
		}
	}
	var list []any
	for _, id := range w.ids {
		i, ok := byID[id]
		if !ok {
			w.missing(id)
			continue
		}
		list = append(list, w.pick(obj{
			"id": formatID(id), "name": i.name, "email": i.email, "replyTo": i.replyTo, "bcc": i.bcc,
			"textSignature": i.text, "htmlSignature": i.html, "mayDelete": true,
		}))
	}
	return c.got(w, a.identityState(), list), nil
}

func (s *Server) makeIdentities(a *account) {
	name := s.addressOf(a)
	if a.description != nil {
		name = *a.description
	}
	owners := []*account{a}
	for _, g := range sortedKeys(a.memberOf) {
		if group := s.accounts[g]; group != nil {
			owners = append(owners, group)
		}
	}
	change := a.nextChange()
	for _, o := range owners {
		for _, address := range s.addressesOf(o) {
			id := uint32(len(a.identities) + 1)
			a.identities = append(a.identities, identity{id: id, name: name, email: address})
			a.logs[logIdentity].add(change, insertItem, uint64(id))
		}
	}
}

// Each signature is shorter than the first, names and addresses than the second.
const maxSignature, maxIdentityName = 2048, 255

// identitySet creates and changes identities, for addresses of the account.
func identitySet(c *call) (obj, *methodError) {
	set, a, fail := c.settingOf(c.identityAccount, (*account).identityState)
	if fail != nil {
		return nil, fail
	}
	for _, m := range c.args.get("create").members {
		i := identity{}
		if bad := c.readIdentity(&i, m.value, true); bad != nil {
			set.notCreated[m.name] = bad
			continue
		}
		own := false
		for _, address := range c.s.addressesOf(a) {
			own = own || address == i.email
		}
		if !own {
			set.notCreated[m.name] = invalidProperty("E-mail address not configured for this account.", "email")
			continue
		}
		if fail := c.step(); fail != nil {
			return nil, fail
		}
		for _, have := range a.identities {
			i.id = max(i.id, have.id)
		}
		i.id++
		a.identities = append(a.identities, i)
		a.logs[logIdentity].add(a.nextChange(), insertItem, uint64(i.id))
		set.created[m.name] = obj{"id": formatID32(i.id)}
	}
	for m, have := range toUpdate(set, a.identity) {
		next := *have
		if bad := c.readIdentity(&next, m.value, false); bad != nil {
			set.notUpdated[m.name] = bad
			continue
		}
		*have = next
		a.logs[logIdentity].add(a.nextChange(), updateItem, uint64(have.id))
		set.updated[m.name] = nil
	}
	for _, id := range set.willDestroy {
		if a.identity(id) == nil {
			set.notDestroyed[formatID(id)] = newSetError("notFound", "")
			continue
		}
		a.identities = slices.DeleteFunc(a.identities, func(i identity) bool { return uint64(i.id) == id })
		a.logs[logIdentity].add(a.nextChange(), deleteItem, id)
		set.destroyed = append(set.destroyed, formatID(id))
	}
	set.new = a.identityState()
	return set.response(), nil
}

// identity is nil if there is none of this id.
func (a *account) identity(id uint64) *identity {
	for k := range a.identities {
		if uint64(a.identities[k].id) == id {
			return &a.identities[k]
		}
	}
	return nil
}

func (c *call) readIdentity(i *identity, v value, create bool) setError {
	for _, p := range v.members {
		s := p.value.text
		if p.value.kind != kindString {
			s = ""
		}
		words := p.value.kind == kindString || p.value.kind == kindNull
		switch {
		case p.name == "name" && words && len(s) < maxIdentityName:
			i.name = s
		case p.name == "email" && create && p.value.kind == kindString && len(s) < maxIdentityName:
			i.email = strings.ToLower(s)
		case p.name == "textSignature" && words && len(s) < maxSignature:
			i.text = s
		case p.name == "htmlSignature" && words && len(s) < maxSignature:
			i.html = s
		case p.name == "replyTo" || p.name == "bcc":
			var list any
			if p.value.kind == kindList {
				var all []any
				for _, one := range p.value.list {
					all = append(all, obj{"email": one.get("email").text, "name": nil})
				}
				list = all
			}
			if p.name == "replyTo" {
				i.replyTo = list
			} else {
				i.bcc = list
			}
		default:
			return invalidProperty("Field could not be set.", p.name)
		}
	}
	if i.email == "" {
		return invalidProperty("Missing e-mail address.", "email")
	}
	return nil
}
