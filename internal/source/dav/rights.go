package dav

import (
	"cmp"
	"context"
	"net/url"
	"path"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// all is what an owner may do.
const all = model.ObjectFreeBusy | model.ObjectRead | model.ObjectWrite | model.ObjectOwn | model.ObjectReply | model.ObjectShare | model.ObjectDelete

const (
	mayRead  = model.ObjectFreeBusy | model.ObjectRead
	mayWrite = mayRead | model.ObjectWrite | model.ObjectOwn | model.ObjectReply
)

// ObjectRights implements source.ObjectRights: access control lists (RFC
// 3744), sharing as Apple's server and its followers have it (invite), and
// delegation of everything (calendar-proxy). Who may not see the lists is told
// none.
func (st *Store) ObjectRights(ctx context.Context, c model.ObjectCollection) ([]model.ObjectGrant, error) {
	u, err := st.objectURL(c, c.ID)
	if err != nil {
		return nil, err
	}
	grants, listed := granted{}, map[string]bool{}
	body := propfind(dav("owner"), dav("acl"), cs("invite"), dav("invite"))
	_, _, err = st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "0", body: body}, func(base *url.URL, r *response) error {
		owner := ""
		if h := r.props[dav("owner")].href(); h != "" {
			owner = pathKey(resolveHref(base, h, st.src.trusts).EscapedPath())
		}
		list := st.entries(base, r.props[dav("acl")], owner)
		for i, e := range slices.Concat(list, invited(r.props[cs("invite")]), invited(r.props[dav("invite")])) {
			var who []grantee
			var err error
			if e.href != "" {
				who, err = st.grantees(ctx, resolveHref(base, e.href, st.src.trusts))
			} else {
				var one grantee
				one, err = st.called(ctx, e.who)
				who = []grantee{one}
			}
			if err != nil {
				return err
			}
			for _, g := range who {
				grants.change(g, e)
				listed[g.name] = listed[g.name] || i < len(list)
			}
		}
		return nil
	})
	if err != nil {
		return nil, st.fault(err, model.ClassItem, strings.Join(c.Path, "/"), "")
	}
	if c.Kind == model.KindCalendar {
		proxies, err := st.proxies(ctx)
		if err != nil {
			return nil, err
		}
		// A list that names a delegate holds for him: DAViCal's says what a
		// calendar allows instead of what all of them do.
		for who, rights := range proxies {
			if !listed[who.name] {
				grants.change(who.grantee, entry{rights: rights})
			}
		}
	}
	return grants.sorted(), nil
}

// grantee is whom a list names: by its address or the last part of its
// principal's path, and by the latter also.
type grantee struct{ name, also string }

// granted are rights by whom they are for, and whether they are taken away.
type granted map[line]model.ObjectRights

type line struct {
	grantee
	negative bool
}

func (g granted) sorted() []model.ObjectGrant {
	var out []model.ObjectGrant
	for who, r := range g {
		if r != 0 && who.name != "" {
			out = append(out, model.ObjectGrant{Identifier: who.name, Also: who.also, Rights: r, Negative: who.negative})
		}
	}
	slices.SortFunc(out, func(a, b model.ObjectGrant) int {
		if a.Negative != b.Negative && a.Identifier == b.Identifier {
			return map[bool]int{false: -1, true: 1}[a.Negative]
		}
		return cmp.Or(cmp.Compare(a.Identifier, b.Identifier), cmp.Compare(a.Also, b.Also))
	})
	return out
}

// entry is one access control entry that concerns others than the owner.
type entry struct {
	href, who string
	rights    model.ObjectRights
	deny      bool
}

func (g granted) change(who grantee, e entry) { g[line{who, e.deny}] |= e.rights }

// entries reads a list (RFC 3744 §5.5). What is denied takes back what any entry
// gives, as servers of one list for all have it (Cyrus' negative rights).
func (st *Store) entries(base *url.URL, acl *node, owner string) (out []entry) {
	if acl == nil {
		return nil
	}
	for _, ace := range acl.kids {
		list, who := ace.kid(dav("grant")), ace.kid(dav("principal"))
		e := entry{deny: list == nil}
		if e.deny {
			list = ace.kid(dav("deny"))
		}
		if ace.name != dav("ace") || list == nil || who == nil {
			continue
		}
		e.href, e.rights = who.href(), privileges(list)
		switch {
		case e.rights == 0:
			continue
		case e.href != "":
			// The owner has everything; if that is a group, so have its members.
			key := pathKey(resolveHref(base, e.href, st.src.trusts).EscapedPath())
			if !st.acc.Group && (key == owner || key == st.owner) {
				continue
			}
		case who.has(dav("all")), who.has(dav("authenticated")):
			e.who = "anyone"
		default: // the owner, by a property or as self; strangers without a login
			continue
		}
		out = append(out, e)
	}
	return out
}

// privileges reads grant, deny or an access.
func privileges(list *node) (r model.ObjectRights) {
	for _, p := range list.kids {
		for _, k := range p.kids {
			switch k.name.Local {
			case "read-free-busy":
				r |= model.ObjectFreeBusy
			case "read":
				r |= mayRead
			case "write", "write-content", "bind", "unbind":
				r |= model.ObjectWrite | model.ObjectOwn | model.ObjectReply
			case "write-acl", "share":
				r |= model.ObjectShare
			case "all":
				r |= all
			}
		}
	}
	return r
}

// invited reads a list of sharees (calendarserver-sharing §5.2, and
// draft-pot-webdav-resource-sharing). Invitations that were declined or are
// not valid any more grant nothing.
func invited(invite *node) (out []entry) {
	if invite == nil {
		return nil
	}
	for _, u := range invite.kids {
		if u.name.Local != "user" && u.name.Local != "sharee" {
			continue
		}
		e, access, valid := entry{href: u.href()}, u.kid(cs("access")), true
		if address, ok := strings.CutPrefix(strings.ToLower(e.href), "mailto:"); ok {
			e.href, e.who = "", address
		}
		if access == nil {
			access = u.kid(dav("share-access"))
		}
		for _, k := range u.kids {
			switch k.name.Local {
			case "invite-declined", "invite-invalid", "invite-deleted":
				valid = false
			}
		}
		if access == nil || !valid || e.href+e.who == "" {
			continue
		}
		for _, k := range access.kids {
			switch k.name.Local {
			case "read":
				e.rights |= mayRead
			case "read-write":
				e.rights |= mayWrite
			case "shared-owner", "no-access":
			}
		}
		out = append(out, e)
	}
	return out
}

// maxGroups is how deep groups may be members of groups.
const maxGroups = 8

// grantees are who a principal stands for: itself, or the members of a group
// whose members nobody else tells.
func (st *Store) grantees(ctx context.Context, u *url.URL) ([]grantee, error) {
	return st.expand(ctx, u, 0)
}

// called is whom an address means. A server that makes the address of the
// account of its name and a domain has made the others so.
func (st *Store) called(ctx context.Context, address string) (grantee, error) {
	name, domain, ok := strings.Cut(address, "@")
	if !ok || st.principal == nil {
		return grantee{name: address}, nil
	}
	own, err := st.grantees(ctx, st.principal)
	if err != nil || !slices.ContainsFunc(own, func(g grantee) bool { return g.also != "" && strings.EqualFold(g.name, g.also+"@"+domain) }) {
		return grantee{name: address}, err
	}
	return grantee{address, name}, nil
}

func (st *Store) expand(ctx context.Context, u *url.URL, level int) ([]grantee, error) {
	key := pathKey(u.EscapedPath())
	if known, ok := st.names[key]; ok || level > maxGroups {
		return known, nil
	}
	st.names[key] = nil // a group that is a member of itself
	last := lastSegment(u.EscapedPath())
	self := grantee{name: last}
	var members []*url.URL
	group := false
	_, _, err := st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "0", body: propfind(caldav("calendar-user-address-set"), dav("group-member-set"))}, func(base *url.URL, r *response) error {
		for _, h := range r.props[caldav("calendar-user-address-set")].hrefs() {
			if address, ok := strings.CutPrefix(strings.ToLower(h), "mailto:"); ok {
				self = grantee{name: address, also: last}
				break
			}
		}
		for _, h := range r.props[dav("group-member-set")].hrefs() {
			members = append(members, resolveHref(base, h, st.src.trusts))
		}
		group = group || len(members) > 0
		return nil
	})
	if err != nil && statusOf(err) == 0 { // one who may not ask has the name of the path
		delete(st.names, key)
		return nil, err
	}
	out := []grantee{self}
	above := lastSegment(path.Dir(strings.TrimRight(u.EscapedPath(), "/")))
	switch {
	case err != nil && (above == "group" || above == "groups"), // a Cyrus names them, and tells no more
		slices.ContainsFunc(st.src.opts.Groups, func(g string) bool { return strings.EqualFold(g, last) }):
		out = []grantee{{name: "group:" + last}}
	case group, strings.HasPrefix(last, "calendar-proxy-"):
		out = nil
		for _, m := range members {
			more, err := st.expand(ctx, m, level+1)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	st.names[key] = out
	return out, nil
}

// proxies are who acts for the account in all its calendars (Apple's
// caldav-proxy). They are asked for once.
func (st *Store) proxies(ctx context.Context) (granted, error) {
	if st.delegates != nil || st.principal == nil {
		return st.delegates, nil
	}
	out := granted{}
	for name, rights := range map[string]model.ObjectRights{"calendar-proxy-read": mayRead, "calendar-proxy-write": mayWrite} {
		who, err := st.grantees(ctx, withPath(st.principal, strings.TrimRight(st.principal.EscapedPath(), "/")+"/"+name+"/"))
		if err != nil {
			return nil, err
		}
		for _, g := range who {
			out.change(g, entry{rights: rights})
		}
	}
	st.delegates = out
	return out, nil
}
