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
