package dav

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// oddity is what a server does against the rules in one collection, and what was
// read all the same.
type oddity struct {
	collection, what string
}

// oddities count the objects that each concerns, with the first as an example.
type oddities map[oddity]*struct {
	n     int
	first string
}

func (o oddities) see(collection, what, item string) {
	k := oddity{collection, what}
	if o[k] == nil {
		o[k] = &struct {
			n     int
			first string
		}{first: item}
	}
	o[k].n++
}

const (
	noURL     = "have an address that is no URL (RFC 4918 §8.3); read at the one that was meant"
	noDate    = "have a date of their last change that is none; they get no date"
	inside    = "are folders within a calendar or address book; what is in them is not read"
	noVersion = "have neither an entity tag nor a date of their last change; they are read in every run"
)

// sees looks at what a server says of a member.
func (st *Store) sees(c model.ObjectCollection, r *response, o model.Object) {
	name := shownAs(c)
	if path := pathOf(r.href); encodeIllegal(path) != path {
		st.odd.see(name, noURL, r.href)
	}
	if c.Kind == model.KindFiles && o.Modified.IsZero() && r.text(dav("getlastmodified")) != "" {
		st.odd.see(name, noDate, lastSegment(o.ID))
	}
	if o.Version == "" {
		st.odd.see(name, noVersion, lastSegment(o.ID))
	}
}

// shownAs is how a collection is called in a report.
func shownAs(c model.ObjectCollection) string {
	if name := strings.Join(c.Path, "/"); name != "" {
		return name
	}
	return lastSegment(c.ID)
}

// Damage implements source.Damaged.
func (st *Store) Damage() (out []model.Damage) {
	for _, k := range slices.SortedFunc(maps.Keys(st.odd), func(a, b oddity) int {
		return strings.Compare(a.collection+"\x00"+a.what, b.collection+"\x00"+b.what)
	}) {
		out = append(out, model.Damage{Mailbox: k.collection, Text: fmt.Sprintf("objects that %s: %d, first %q", k.what, st.odd[k].n, st.odd[k].first)})
	}
	clear(st.odd)
	return out
}
