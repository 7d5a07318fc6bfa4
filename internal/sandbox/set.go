package sandbox

import (
	"iter"
	"slices"
)

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

// settingOf is newSetting of an account, which whose finds, and the account.
func (c *call) settingOf(whose func() (*account, *methodError), state func(*account) string) (*setting, *account, *methodError) {
	a, fail := whose()
	if fail != nil {
		return nil, nil, fail
	}
	set, fail := c.newSetting(state(a))
	return set, a, fail
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

func (s *setting) dies(id uint64) bool { return slices.Contains(s.willDestroy, id) }

// toUpdate are the updates of objects that find finds. Those of others are
// refused; that of one which the call destroys as such, whether there is one or
// not.
func toUpdate[T any](s *setting, find func(id uint64) *T) iter.Seq2[member, *T] {
	return func(yield func(member, *T) bool) {
		for _, m := range s.c.args.get("update").members {
			id, err := parseID(m.name)
			if err == nil && s.dies(id) {
				s.notUpdated[m.name] = newSetError("willDestroy", "ID will be destroyed.")
				continue
			}
			var x *T
			if err == nil {
				x = find(id)
			}
			if x == nil {
				s.notUpdated[m.name] = newSetError("notFound", "")
				continue
			}
			if !yield(m, x) {
				return
			}
		}
	}
}

// byDocument finds an object by the document in its id.
func byDocument[T any](all map[uint32]*T) func(id uint64) *T {
	return func(id uint64) *T { return all[uint32(id)] }
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
