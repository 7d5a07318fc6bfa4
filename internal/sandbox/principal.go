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
	return c.queryPage("n", ids, nil)
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
	w, a, fail := c.wantsOf(c.owner)
	if fail != nil {
		return nil, fail
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
