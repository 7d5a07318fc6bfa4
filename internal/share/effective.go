package share

import (
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// reader is somebody who may use a mailbox that is not theirs.
type reader struct {
	login  string // of an account of the source
	rights model.Rights
}

// list is an access control list, taken apart.
type list struct {
	users  map[string]*entry // by identifier
	groups map[string]*entry
	all    entry
	shared bool // with everybody
	// lines are all of it, with identifiers in lower case.
	lines []model.Grant
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
	l := list{users: map[string]*entry{}, groups: map[string]*entry{}}
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

// of is what a list gives one user, groups aside: everything that is granted
// less everything that is taken away (RFC 4314 §2), or what replaces what, where
// the source reads lists so.
func (l list) of(ids []string, specific bool) model.Rights {
	if specific {
		return l.mostSpecific(ids)
	}
	positive, negative := l.all.positive, l.all.negative
	for _, id := range ids {
		e := l.users[id]
		if e == nil {
			continue
		}
		positive |= e.positive
		negative |= e.negative
	}
	return positive &^ negative
}

// mostSpecific reads a list as Dovecot does (acl-cache.c, acl_object_rebuild_cache):
// a user's own entry replaces what authenticated users have, and that what anyone
// has; a site's lists, in the same order, replace the mailbox's. What is granted
// and what is taken away are replaced each for itself.
func (l list) mostSpecific(ids []string) model.Rights {
	var granted, taken model.Rights
	for _, bySite := range []bool{false, true} {
		for _, whom := range []func(id string) bool{
			func(id string) bool { return id == "anyone" },
			func(id string) bool { return id == "authenticated" },
			func(id string) bool { return slices.Contains(ids, strings.TrimPrefix(id, "user=")) },
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

// readers works out who of the source's accounts has rights. Identifiers of
// nobody are returned, too, sorted. limit is how many may be named one by one
// because a list names everybody.
func (l list) readers(owner model.Account, people *people, specific bool, limit int) (out []reader, unknown []string, tooMany bool) {
	var named []model.Account
	seen := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(l.users)) {
		a, ok := people.byID[id]
		switch {
		case ok && !seen[a.Login]:
			seen[a.Login] = true
			named = append(named, a)
		case !ok && id != "owner" && id != "administrators" && l.users[id].positive != 0:
			unknown = append(unknown, id)
		}
	}
	tooMany = l.shared && len(people.all)-1 > limit
	if l.shared && !tooMany {
		named = people.all
	}
	for _, a := range named {
		if r := l.of(identifiers(a), specific); r != 0 && a.Login != owner.Login {
			out = append(out, reader{a.Login, r})
		}
	}
	return out, unknown, tooMany
}

// people are the source's accounts, by what lists call them.
type people struct {
	all  []model.Account
	byID map[string]model.Account
}

func newPeople(accounts []model.Account) *people {
	p := &people{all: accounts, byID: map[string]model.Account{}}
	for _, a := range accounts {
		for _, id := range identifiers(a) {
			if _, taken := p.byID[id]; !taken {
				p.byID[id] = a
			}
		}
	}
	return p
}

// identifiers are the names that a list may give an account.
func identifiers(a model.Account) []string {
	ids := []string{strings.ToLower(a.Login)}
	if address := strings.ToLower(a.Address); address != "" && address != ids[0] {
		ids = append(ids, address)
	}
	return ids
}
