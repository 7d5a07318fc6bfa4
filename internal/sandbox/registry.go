package sandbox

import (
	"fmt"
	"strconv"
	"strings"
)

// The registry is the server's configuration as JMAP objects, x:<Object>. A
// list is an object keyed "0", "1", …; a set is {"x": true}; JSON arrays are
// refused.

// domain is an x:Domain.
type domain struct {
	id      uint32
	name    string
	aliases map[string]bool
	props   obj
}

const defaultDomain = "localhost.localdomain"

// nextNumber gives out the ids of a registry object type, from 1 ("b").
func (s *Server) nextNumber(object string) uint32 {
	s.nextID[object]++
	return s.nextID[object]
}

// bootstrap makes the default domain and the first administrator.
func (s *Server) bootstrap() {
	s.addDomain(defaultDomain)
	login := strings.ToLower(s.opts.AdminUser)
	local, name, _ := strings.Cut(s.withDomain(login), "@")
	d := s.domainNamed(name)
	if d == nil {
		d = s.addDomain(name)
	}
	a := newAccount(s.nextNumber("Account"))
	a.local, a.domain = local, d.id
	a.secret = hashSSHA512(s.opts.AdminPassword)
	a.roles = obj{"@type": "Admin"}
	a.permissions = obj{"@type": "Inherit"}
	if len(s.opts.AdminWithout) > 0 {
		without := obj{}
		for _, p := range s.opts.AdminWithout {
			without[p] = true
		}
		a.permissions = obj{"@type": "Merge", "enabledPermissions": obj{}, "disabledPermissions": without}
	}
	a.created = s.clock()
	s.accounts[a.id] = a
	s.emails[local+"@"+name] = a.id
}

func (s *Server) addDomain(name string) *domain {
	d := &domain{id: s.nextNumber("Domain"), name: name, aliases: map[string]bool{}, props: obj{}}
	s.domains[d.id] = d
	return d
}

func (s *Server) domainNamed(name string) *domain {
	for _, d := range s.domains {
		if d.name == name || d.aliases[name] {
			return d
		}
	}
	return nil
}

// registryError carries the id of another object.
func registryError(kind, object string, id uint32, properties ...string) setError {
	e := newSetError(kind, "", properties...)
	e["objectId"] = obj{"object": object, "id": formatID32(id)}
	return e
}

// hasList finds a JSON array in a registry object; the server refuses them.
func hasList(v value) bool {
	if v.kind == kindList {
		return true
	}
	for _, m := range v.members {
		if hasList(m.value) {
			return true
		}
	}
	return false
}

// patched applies an update with paths ("aliases/1") to a copy of an object.
func patched(have value, update value) (value, setError) {
	for _, m := range update.members {
		if hasList(m.value) {
			return have, newSetError("invalidPatch", "", m.name)
		}
		have = setPath(have, splitPointer(m.name), m.value)
	}
	return have, nil
}

func setPath(have value, path []string, v value) value {
	if len(path) == 0 {
		return v
	}
	out := value{kind: kindObject}
	done := false
	for _, m := range have.members {
		if m.name == path[0] {
			done = true
			m.value = setPath(m.value, path[1:], v)
			if len(path) == 1 && v.kind == kindNull {
				continue
			}
		}
		out.members = append(out.members, m)
	}
	if !done && v.kind != kindNull {
		out.members = append(out.members, member{path[0], setPath(value{}, path[1:], v)})
	}
	return out
}

// toValue is the inverse of value.any for the types used here.
func toValue(x any) value {
	switch x := x.(type) {
	case bool:
		return value{kind: kindBool, bool: x}
	case string:
		return value{kind: kindString, text: x}
	case int64:
		return value{kind: kindNumber, number: float64(x)}
	case int:
		return value{kind: kindNumber, number: float64(x)}
	case float64:
		return value{kind: kindNumber, number: x}
	case obj:
		v := value{kind: kindObject}
		for k, e := range x {
			v.members = append(v.members, member{k, toValue(e)})
		}
		return v
	}
	return value{kind: kindNull}
}

// ref replaces a "#ref" by the id that was created under it, in this call or
// before; what is not known stays.
func (c *call) ref(s string, here obj) string {
	name, is := strings.CutPrefix(s, "#")
	if !is {
		return s
	}
	if o, ok := here[name].(obj); ok {
		return o["id"].(string)
	}
	if id, ok := c.created[name]; ok {
		return id
	}
	return s
}

// resolveRefs replaces "#ref" strings and keys by ids that are known.
func (c *call) resolveRefs(v value, here obj) value {
	if v.kind == kindString {
		v.text = c.ref(v.text, here)
	}
	if len(v.members) > 0 {
		members := make([]member, len(v.members))
		for i, m := range v.members {
			members[i] = member{c.ref(m.name, here), c.resolveRefs(m.value, here)}
		}
		v.members = members
	}
	return v
}

// registrySet runs a Foo/set over a registry object. States do not exist.
func (c *call) registrySet(create func(v value) (uint32, setError), update func(id uint64, v value) setError, destroy func(id uint64) setError) (obj, *methodError) {
	set, fail := c.newSetting("n")
	if fail != nil {
		return nil, fail
	}
	for _, m := range c.args.get("create").members {
		if hasList(m.value) {
			set.notCreated[m.name] = newSetError("invalidPatch", "")
			continue
		}
		if fail := c.step(); fail != nil {
			return nil, fail
		}
		id, bad := create(c.resolveRefs(m.value, set.created))
		if bad != nil {
			set.notCreated[m.name] = bad
			continue
		}
		set.created[m.name] = obj{"id": formatID32(id)}
	}
	for _, m := range c.args.get("update").members {
		id, err := parseID(m.name)
		if err != nil {
			continue // dropped by the server, without an answer
		}
		if set.dies(id) {
			set.notUpdated[m.name] = newSetError("willDestroy", "ID will be destroyed.")
			continue
		}
		if bad := update(id, c.resolveRefs(m.value, set.created)); bad != nil {
			set.notUpdated[m.name] = bad
			continue
		}
		set.updated[m.name] = nil
	}
	for _, id := range set.willDestroy {
		if bad := destroy(id); bad != nil {
			set.notDestroyed[formatID(id)] = bad
			continue
		}
		set.destroyed = append(set.destroyed, formatID(id))
	}
	out := set.response()
	delete(out, "oldState")
	delete(out, "newState")
	return out, nil
}

// registryTable is what a Foo/set needs to know of objects that are there many
// times.
type registryTable[T any] struct {
	object string
	all    map[uint32]*T
	// show is what an update is a patch of.
	show func(*T) obj
	// read validates an object; old is what it replaces, nil on create.
	read func(v value, old *T) (*T, setError)
	// keep puts an object into place under an id; old is what it replaces.
	keep func(id uint32, x, old *T)
	// users are the objects that hinder its being destroyed.
	users func(*T) []any
	drop  func(id uint32, x *T)
}

func (r registryTable[T]) set(c *call) (obj, *methodError) {
	return c.registrySet(
		func(v value) (uint32, setError) {
			x, bad := r.read(v, nil)
			if bad != nil {
				return 0, bad
			}
			id := c.s.nextNumber(r.object)
			r.keep(id, x, nil)
			return id, nil
		},
		func(id uint64, v value) setError {
			old := r.all[uint32(id)]
			if old == nil {
				return newSetError("notFound", "")
			}
			have, bad := patched(toValue(r.show(old)), v)
			if bad != nil {
				return bad
			}
			x, bad := r.read(have, old)
			if bad != nil {
				return bad
			}
			r.keep(uint32(id), x, old)
			return nil
		},
		func(id uint64) setError {
			x := r.all[uint32(id)]
			if x == nil {
				return newSetError("notFound", "")
			}
			if linked := r.users(x); linked != nil {
				e := registryError("objectIsLinked", r.object, uint32(id))
				e["linkedObjects"] = linked
				return e
			}
			r.drop(uint32(id), x)
			return nil
		},
	)
}

// registryQuery lists the ids that match all conditions; OR and NOT are
// refused.
func registryQuery[T any](c *call, all map[uint32]T, condition func(name string, v value) (func(T) bool, *methodError)) (obj, *methodError) {
	filter := c.args.get("filter")
	if op := filter.get("operator"); op.isSet() && op.text != "AND" {
		return nil, &methodError{"unsupportedFilter", "Only AND is supported"}
	}
	match, fail := compileFilter(filter, condition)
	if fail != nil {
		return nil, fail
	}
	var ids []uint64
	for _, id := range sortedKeys(all) {
		if match(all[id]) {
			ids = append(ids, uint64(id))
		}
	}
	return c.queryPage("n", ids, nil)
}

func unsupportedFilter(name string) *methodError {
	return &methodError{"unsupportedFilter", fmt.Sprintf("Filter on property %s is not supported", name)}
}

// registryGet answers a Foo/get of a registry object; it has no state.
func registryGet[T any](c *call, all map[uint32]T, show func(T) obj) (obj, *methodError) {
	w, fail := c.wants()
	if fail != nil {
		return nil, fail
	}
	if w.all {
		w.take(c.s.limits.MaxObjectsInGet, sortedKeys(all))
	}
	var list []any
	for _, id := range w.ids {
		x, ok := all[uint32(id)]
		if !ok || id > 1<<32-1 {
			w.missing(id)
			continue
		}
		list = append(list, w.pick(show(x)))
	}
	out := c.got(w, "", list)
	delete(out, "state")
	return out, nil
}

// listMembers returns the values of a registry list in the order of its keys.
func listMembers(v value) []member {
	out := make([]member, 0, len(v.members))
	for i := 0; len(out) < len(v.members) && i < 1000; i++ {
		for _, m := range v.members {
			if m.name == strconv.Itoa(i) {
				out = append(out, m)
			}
		}
	}
	return out
}
