package share

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// list is an access control list, taken apart.
type list struct {
	users  map[string]*entry // by identifier
	groups map[string]*entry
	all    entry
	shared bool // with everybody
	// lines are all of it, with identifiers in lower case.
	lines []model.Grant
	// to is what rights become at the destination, words what notes call them.
	to    func(model.Rights) (destination.Rights, []loss)
	words func(model.Rights) string
}

// entry is what a list says of one identifier.
type entry struct{ positive, negative model.Rights }

// siteWide stands before what Dovecot shows of the lists that a site has beside
// those of the mailboxes.
const siteWide = "#"

// everybody are the identifiers of all users: RFC 4314 §2 and Dovecot's.
var everybody = map[string]bool{"anyone": true, "authenticated": true}

// read takes a list apart. Anonymous users have no accounts anywhere.
func read(grants []model.Grant) list {
	l := list{users: map[string]*entry{}, groups: map[string]*entry{}, to: translate, words: model.Rights.String}
	for _, g := range grants {
		g.Identifier = strings.ToLower(g.Identifier)
		l.lines = append(l.lines, g)
		id := strings.TrimPrefix(g.Identifier, siteWide)
		e := &l.all
		switch group, isGroup := groupName(id); {
		case id == "anonymous":
			continue
		case everybody[id]:
			l.shared = l.shared || !g.Negative && g.Rights&model.RightLookup != 0
		case isGroup:
			e = l.groups[group]
			if e == nil {
				e = &entry{}
				l.groups[group] = e
			}
		default:
			id = strings.TrimPrefix(id, "user=")
			e = l.users[id]
			if e == nil {
				e = &entry{}
				l.users[id] = e
			}
		}
		if g.Negative {
			e.negative |= g.Rights
		} else {
			e.positive |= g.Rights
		}
	}
	return l
}

// readObjects takes the list of a calendar, address book or folder apart. Its
// rights are another set of bits, and stay what they are.
func (p *people) readObjects(kind model.Kind, grants []model.ObjectGrant) list {
	lines := make([]model.Grant, len(grants))
	for i, g := range grants {
		if _, known := p.byID[strings.ToLower(g.Identifier)]; !known && g.Also != "" {
			if _, known = p.byID[strings.ToLower(g.Also)]; known {
				g.Identifier = g.Also
			}
		}
		lines[i] = model.Grant{Identifier: g.Identifier, Rights: model.Rights(g.Rights.Of(kind)), Negative: g.Negative}
	}
	l := read(lines)
	l.shared = l.all.positive != 0
	l.to = func(r model.Rights) (destination.Rights, []loss) { return destination.Rights(r), nil }
	l.words = func(r model.Rights) string { return model.ObjectRights(r).String() }
	return l
}

// groupName recognises the spellings of a group: "group:x" of Cyrus, "group=x"
// of Dovecot and Courier, "$x" of Dovecot over IMAP.
func groupName(id string) (string, bool) {
	for _, prefix := range []string{"group:", "group=", "group-override=", "$", "!$"} {
		if name, ok := strings.CutPrefix(id, prefix); ok {
			return name, true
		}
	}
	return "", false
}

// overrides recognises a Dovecot's group whose entry counts more than a user's.
func overrides(id string) bool {
	return strings.HasPrefix(id, "group-override=") || strings.HasPrefix(id, "!$")
}

// somebody is a user as lists see one.
type somebody struct {
	ids    []string        // that lists may call him
	groups map[string]bool // that he is in
}

// of is what a list gives one user: everything that is granted less everything
// that is taken away (RFC 4314 §2), or what replaces what, where the source
// reads lists so.
func (l list) of(who somebody, specific bool) model.Rights {
	if specific {
		return l.mostSpecific(who)
	}
	positive, negative := l.all.positive, l.all.negative
	add := func(e *entry) {
		if e != nil {
			positive |= e.positive
			negative |= e.negative
		}
	}
	for _, id := range who.ids {
		add(l.users[id])
	}
	for g := range who.groups {
		add(l.groups[g])
	}
	return positive &^ negative
}

// mostSpecific reads a list as Dovecot does (acl-cache.c, acl_object_rebuild_cache):
// a user's own entry replaces what groups have, that what authenticated users
// have, and that what anyone has; an entry group-override replaces them all. Of
// several groups all counts. A site's lists, in the same order, replace the mailbox's. What is granted
// and what is taken away are replaced each for itself.
func (l list) mostSpecific(who somebody) model.Rights {
	var granted, taken model.Rights
	for _, bySite := range []bool{false, true} {
		for _, whom := range []func(id string) bool{
			func(id string) bool { return id == "anyone" },
			func(id string) bool { return id == "authenticated" },
			func(id string) bool { g, ok := groupName(id); return ok && !overrides(id) && who.groups[g] },
			func(id string) bool { return slices.Contains(who.ids, strings.TrimPrefix(id, "user=")) },
			func(id string) bool { g, ok := groupName(id); return ok && overrides(id) && who.groups[g] },
		} {
			var sets [2]model.Rights // granted, taken
			var named [2]bool
			for _, g := range l.lines {
				id, site := strings.CutPrefix(g.Identifier, siteWide)
				if site != bySite || !whom(id) {
					continue
				}
				n := 0
				if g.Negative {
					n = 1
				}
				sets[n], named[n] = sets[n]|g.Rights, true
			}
			if named[0] {
				granted = sets[0]
			}
			if named[1] {
				taken = sets[1]
			}
		}
	}
	return granted &^ taken
}
