package sandbox

import (
	"cmp"
	"fmt"
	"slices"
)

// emailQuery lists emails (RFC 8621 §4.4) by the filters that the server
// answers from its cache. Those of the search index lag behind on the real
// server, so that a migration must not use them; here they are refused.
func emailQuery(c *call) (obj, *methodError) {
	a, fail := c.mailAccount()
	if fail != nil {
		return nil, fail
	}
	match, fail := compileFilter(c.args.get("filter"), func(name string, v value) (func(*email) bool, *methodError) {
		switch name {
		case "inMailbox":
			id, err := parseID(v.text)
			if err != nil {
				return func(*email) bool { return false }, nil
			}
			return func(e *email) bool { return e.mailboxes[uint32(id)] }, nil
		case "inMailboxOtherThan":
			other := map[uint32]bool{}
			for _, m := range v.list {
				if id, err := parseID(m.text); err == nil {
					other[uint32(id)] = true
				}
			}
			return func(e *email) bool {
				for doc := range e.mailboxes {
					if !other[doc] {
						return true
					}
				}
				return false
			}, nil
		case "hasKeyword":
			k := canonicalKeyword(v.text)
			return func(e *email) bool { return e.keywords[k] }, nil
		case "notKeyword":
			k := canonicalKeyword(v.text)
			return func(e *email) bool { return !e.keywords[k] }, nil
		}
		return nil, &methodError{"unsupportedFilter", name}
	})
	if fail != nil {
		return nil, fail
	}
	if sorts := c.args.get("sort").list; len(sorts) > 0 {
		return nil, &methodError{"unsupportedSort", sorts[0].get("property").text}
	}
	ids := a.list(fmt.Sprintf("%#v", c.args.get("filter")), match)
	return c.queryPage(a.emailState(), ids, func(id uint64) int {
		i, _ := slices.BinarySearchFunc(ids, uint32(id), func(have uint64, doc uint32) int { return cmp.Compare(uint32(have), doc) })
		if i == len(ids) || ids[i] != id {
			return -1
		}
		return i
	})
}

// listing is the latest answer of emailQuery: who asks for the next page of it
// must not have all emails matched again.
type listing struct {
	filter string
	change uint64 // after which it holds
	ids    []uint64
}

// list returns the ids of the emails that match, in order of their document
// numbers; filter is what match was made of.
func (a *account) list(filter string, match func(*email) bool) []uint64 {
	if l := a.listed; l.ids != nil && l.filter == filter && l.change == a.change {
		return l.ids
	}
	ids := []uint64{}
	for _, doc := range a.documents() {
		if e := a.emails[doc]; match(e) {
			ids = append(ids, e.id())
		}
	}
	a.listed = listing{filter, a.change, ids}
	return ids
}

// compileFilter turns a filter (RFC 8620 §5.5) into a test. All properties of
// one condition must hold.
func compileFilter[T any](filter value, condition func(name string, v value) (func(T) bool, *methodError)) (func(T) bool, *methodError) {
	if !filter.isSet() {
		return func(T) bool { return true }, nil
	}
	if filter.kind != kindObject {
		return nil, invalidArguments("invalid filter")
	}
	var tests []func(T) bool
	op := "AND"
	if o := filter.get("operator"); o.isSet() {
		op = o.text
		for _, f := range filter.get("conditions").list {
			t, fail := compileFilter(f, condition)
			if fail != nil {
				return nil, fail
			}
			tests = append(tests, t)
		}
	} else {
		for _, m := range filter.members {
			t, fail := condition(m.name, m.value)
			if fail != nil {
				return nil, fail
			}
			tests = append(tests, t)
		}
	}
	all := func(x T) bool {
		for _, t := range tests {
			if !t(x) {
				return false
			}
		}
		return true
	}
	anyOf := func(x T) bool {
		for _, t := range tests {
			if t(x) {
				return true
			}
		}
		return false
	}
	switch op {
	case "AND":
		return all, nil
	case "OR":
		return anyOf, nil
	case "NOT":
		return func(x T) bool { return !anyOf(x) }, nil
	}
	return nil, invalidArguments("invalid filter operator")
}
