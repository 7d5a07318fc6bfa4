package sandbox

// wanted is the ids and properties arguments of a Foo/get (RFC 8620 §5.1).
type wanted struct {
	all        bool
	ids        []uint64
	notFound   []any
	properties map[string]bool // nil: the defaults
}

// wants reads ids and properties. Ids that cannot be parsed are not found.
func (c *call) wants() (wanted, *methodError) {
	var w wanted
	ids := c.args.get("ids")
	switch {
	case !ids.isSet():
		w.all = true
	case ids.kind != kindList:
		return w, invalidArguments("invalid ids")
	case len(ids.list) > c.s.limits.MaxObjectsInGet:
		return w, errRequestTooLarge
	}
	w.notFound = []any{}
	for _, v := range ids.list {
		if v.kind != kindString {
			return w, invalidArguments("invalid ids")
		}
		if n, err := parseID(v.text); err == nil {
			w.ids = append(w.ids, n)
		} else {
			w.notFound = append(w.notFound, v.text)
		}
	}
	if p := c.args.get("properties"); p.isSet() {
		w.properties = map[string]bool{"id": true}
		for _, v := range p.list {
			if v.kind == kindString {
				w.properties[v.text] = true
			}
		}
	}
	return w, nil
}

// wantsOf is wants, and the account that a call is about, which whose finds.
func (c *call) wantsOf(whose func() (*account, *methodError)) (wanted, *account, *methodError) {
	w, fail := c.wants()
	if fail != nil {
		return w, nil, fail
	}
	a, fail := whose()
	return w, a, fail
}

// take limits the ids of "all".
func (w *wanted) take(max int, ids []uint32) {
	for i, id := range ids {
		if i == max {
			return
		}
		w.ids = append(w.ids, uint64(id))
	}
}

func (w *wanted) missing(id uint64) { w.notFound = append(w.notFound, formatID(id)) }

// has reports whether a property is asked for.
func (w *wanted) has(p string) bool { return w.properties == nil || w.properties[p] }

// pick returns the properties that are asked for.
func (w *wanted) pick(all obj) obj {
	if w.properties == nil {
		return all
	}
	for k := range all {
		if !w.properties[k] {
			delete(all, k)
		}
	}
	return all
}

func (c *call) got(w wanted, st string, list []any) obj {
	if list == nil {
		list = []any{}
	}
	return obj{"accountId": formatID32(c.account), "state": st, "list": list, "notFound": w.notFound}
}

// setting collects the outcome of a Foo/set (RFC 8620 §5.3). The server
// leaves out what is empty.
type setting struct {
	c                                    *call
	old, new                             string
	created, updated                     obj
	destroyed                            []any
	notCreated, notUpdated, notDestroyed obj
	willDestroy                          []uint64
}

// newSetting checks the number of objects and ifInState.
func (c *call) newSetting(st string) (*setting, *methodError) {
	create, update, destroy := c.args.get("create"), c.args.get("update"), c.args.get("destroy")
	if len(create.members)+len(update.members)+len(destroy.list) > c.s.limits.MaxObjectsInSet {
		return nil, errRequestTooLarge
	}
	for _, v := range []value{create, update} {
		if v.isSet() && v.kind != kindObject {
			return nil, invalidArguments("invalid type: expected a map")
		}
	}
	if fail := c.assertState(st); fail != nil {
		return nil, fail
	}
	s := &setting{c: c, old: st, new: st, created: obj{}, updated: obj{}, notCreated: obj{}, notUpdated: obj{}, notDestroyed: obj{}}
	for _, v := range destroy.list {
		if id, err := parseID(v.text); err == nil && v.kind == kindString {
			s.willDestroy = append(s.willDestroy, id)
		} else {
			s.notDestroyed[v.text] = newSetError("notFound", "")
		}
	}
	return s, nil
}

func (c *call) assertState(st string) *methodError {
	if want := c.args.get("ifInState"); want.isSet() {
		parsed, ok := parseState(want.text)
		if want.kind != kindString || want.escaped || !ok {
			return invalidArguments("invalid JMAP State")
		}
		if parsed.String() != st {
			return errStateMismatch
		}
	}
	return nil
}

func (s *setting) dies(id uint64) bool {
	for _, d := range s.willDestroy {
		if d == id {
			return true
		}
	}
	return false
}

func (s *setting) response() obj {
	out := obj{"accountId": formatID32(s.c.account), "oldState": s.old, "newState": s.new}
	for name, m := range map[string]obj{"created": s.created, "updated": s.updated, "notCreated": s.notCreated, "notUpdated": s.notUpdated, "notDestroyed": s.notDestroyed} {
		if len(m) > 0 {
			out[name] = m
		}
	}
	if len(s.destroyed) > 0 {
		out["destroyed"] = s.destroyed
	}
	return out
}

// queryPage answers a Foo/query (RFC 8620 §5.5) from all matching ids.
func (c *call) queryPage(st string, ids []uint64) (obj, *methodError) {
	max := c.s.limits.QueryMaxResults
	limit := max
	if l := c.args.get("limit"); l.isSet() {
		n, ok := l.integer()
		if !ok || n < 0 {
			return nil, invalidArguments("invalid limit")
		}
		limit = 0 // the server reads 0 as no cap
		if n > 0 {
			limit = int(min(n, int64(max)))
		}
	}
	position := 0
	if p := c.args.get("position"); p.isSet() {
		n, ok := p.integer()
		if !ok {
			return nil, invalidArguments("invalid position")
		}
		position = int(n)
	}
	total := len(ids)
	start := position
	switch anchor := c.args.get("anchor"); {
	case anchor.isSet():
		id, err := parseID(anchor.text)
		if err != nil {
			return nil, invalidArguments("invalid anchor")
		}
		start = -1
		for i, have := range ids {
			if have == id {
				start = i
				break
			}
		}
		if start < 0 {
			return nil, errAnchorNotFound
		}
		if o, ok := c.args.get("anchorOffset").integer(); ok {
			start += int(o)
		}
		start = max0(start)
	case start < 0:
		start = max0(total + start)
	}
	out := obj{"accountId": formatID32(c.account), "queryState": st, "canCalculateChanges": true, "position": start}
	if c.args.get("calculateTotal").bool {
		out["total"] = total
	}
	if total > limit {
		out["limit"] = limit
	}
	page := ids[min(start, total):]
	if limit > 0 && len(page) > limit {
		page = page[:limit]
	}
	if start > total {
		out["position"] = 0
	}
	list := make([]any, len(page))
	for i, id := range page {
		list[i] = formatID(id)
	}
	out["ids"] = list
	return out, nil
}

func max0(n int) int { return max(n, 0) }
