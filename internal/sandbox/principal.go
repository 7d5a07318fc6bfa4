package sandbox

import "strings"

// principalGet lists users and groups (RFC 9670 §2.2). A principal's id is
// its accountId.
func principalGet(c *call) (obj, *methodError) {
	w, fail := c.wants()
	if fail != nil {
		return nil, fail
	}
	if w.all {
		w.take(c.s.limits.MaxObjectsInGet, sortedKeys(c.s.accounts))
	}
	var list []any
	for _, id := range w.ids {
		a := c.s.accounts[uint32(id)]
		if a == nil {
			w.missing(id)
			continue
		}
		o := obj{"id": formatID(id), "type": "individual", "name": c.s.addressOf(a), "description": nil, "email": c.s.addressOf(a)}
		if a.group {
			o["type"] = "group"
		}
		if a.description != nil {
			o["description"] = *a.description
		}
		list = append(list, w.pick(o))
	}
	return c.got(w, "n", list), nil
}

func principalQuery(c *call) (obj, *methodError) {
	match, fail := compileFilter(c.args.get("filter"), func(name string, v value) (func(*account) bool, *methodError) {
		switch name {
		case "name", "email":
			found := c.s.byAddress(strings.ToLower(v.text))
			return func(a *account) bool { return a == found }, nil
		case "accountIds":
			ids := map[uint32]bool{}
			for _, m := range v.list {
				if id, err := parseID(m.text); err == nil {
					ids[uint32(id)] = true
				}
			}
			return func(a *account) bool { return ids[a.id] }, nil
		case "text":
			return func(a *account) bool { return c.s.mentions(a, v.text) }, nil
		case "type":
			return func(a *account) bool {
				return v.text == "group" && a.group || v.text == "individual" && !a.group
			}, nil
		}
		return nil, &methodError{"unsupportedFilter", name}
	})
	if fail != nil {
		return nil, fail
	}
	var ids []uint64
	for _, id := range sortedKeys(c.s.accounts) {
		if match(c.s.accounts[id]) {
			ids = append(ids, uint64(id))
		}
	}
	return c.queryPage("n", ids)
}

// mentions reports whether all words of the text occur in the account's
// address or description.
func (s *Server) mentions(a *account, text string) bool {
	hay := strings.ToLower(s.addressOf(a))
	if a.description != nil {
		hay += " " + strings.ToLower(*a.description)
	}
	words := strings.Fields(strings.ToLower(text))
	for _, w := range words {
		if !strings.Contains(hay, w) {
			return false
		}
	}
	return len(words) > 0
}

// quotaGet shows the disk quota where one is set (RFC 9425).
func quotaGet(c *call) (obj, *methodError) {
	w, fail := c.wants()
	if fail != nil {
		return nil, fail
	}
	a := c.s.accounts[c.account]
	if a == nil {
		return nil, errUnavailable
	}
	limit := a.quotas["maxDiskQuota"]
	if w.all && limit > 0 {
		w.ids = []uint64{0}
	}
	var list []any
	for _, id := range w.ids {
		if id != 0 || limit == 0 {
			w.missing(id)
			continue
		}
		o := obj{
			"id": "a", "resourceType": "octets", "used": max(a.used, 0), "warnLimit": nil, "softLimit": nil, "hardLimit": limit,
			"scope": "account", "name": c.s.addressOf(a), "description": nil,
			"types": []any{"Email", "SieveScript", "FileNode", "CalendarEvent", "ContactCard"},
		}
		if a.description != nil {
			o["description"] = *a.description
		}
		list = append(list, w.pick(o))
	}
	return c.got(w, "n", list), nil
}

// identity is an address that mail may be sent as (RFC 8621 §6).
type identity struct {
	id    uint32
	name  string
	email string
}

// identityGet makes the identities of an account when they are first asked
// for: one per address of the account and of its groups.
func identityGet(c *call) (obj, *methodError) {
	w, fail := c.wants()
	if fail != nil {
		return nil, fail
	}
	a := c.s.accounts[c.account]
	if a == nil {
		return nil, errUnavailable
	}
	if a.identities == nil {
		c.s.makeIdentities(a)
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
			"id": formatID(id), "name": i.name, "email": i.email, "replyTo": nil, "bcc": nil,
			"textSignature": "", "htmlSignature": "", "mayDelete": true,
		}))
	}
	return c.got(w, exactState(a.logs[logIdentity].item).String(), list), nil
}

func (s *Server) makeIdentities(a *account) {
	name := ""
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

// addressesOf returns the primary address and the enabled aliases.
func (s *Server) addressesOf(a *account) []string {
	list := []string{s.addressOf(a)}
	for _, al := range a.aliases {
		if d := s.domains[al.domain]; d != nil && al.enabled {
			list = append(list, al.local+"@"+d.name)
		}
	}
	return list
}

// vacationGet shows the vacation response (RFC 8621 §8): never set here.
func vacationGet(c *call) (obj, *methodError) {
	w, fail := c.wants()
	if fail != nil {
		return nil, fail
	}
	a := c.s.accounts[c.account]
	if a == nil {
		return nil, errUnavailable
	}
	if w.all {
		w.ids = []uint64{singletonID}
	}
	var list []any
	for _, id := range w.ids {
		if id != singletonID {
			w.missing(id)
			continue
		}
		list = append(list, w.pick(obj{"id": "singleton", "isEnabled": false, "fromDate": nil, "toDate": nil, "subject": nil, "textBody": nil, "htmlBody": nil}))
	}
	return c.got(w, exactState(a.logs[logSieve].item).String(), list), nil
}
