package dav

import (
	"cmp"
	"context"
	"net/url"
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
	grants := granted{}
	body := propfind(dav("owner"), dav("acl"), cs("invite"), dav("invite"))
	_, _, err = st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "0", body: body}, func(base *url.URL, r *response) error {
		owner := ""
		if h := r.props[dav("owner")].href(); h != "" {
			owner = pathKey(resolveHref(base, h, st.src.trusts).EscapedPath())
		}
		for _, a := range st.entries(base, r.props[dav("acl")], owner) {
			if a.href == "" {
				grants.change(a.who, a)
				continue
			}
			name, err := st.principalName(ctx, resolveHref(base, a.href, st.src.trusts))
			if err != nil {
				return err
			}
			grants.change(name, a)
		}
		grants.invited(r.props[cs("invite")])
		grants.invited(r.props[dav("invite")])
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
		for _, p := range proxies {
			grants[p.Identifier] |= p.Rights
		}
	}
	return grants.sorted(), nil
}

// granted are rights by identifier.
type granted map[string]model.ObjectRights

func (g granted) sorted() []model.ObjectGrant {
	var out []model.ObjectGrant
	for who, r := range g {
		if r != 0 && who != "" {
			out = append(out, model.ObjectGrant{Identifier: who, Rights: r})
		}
	}
	slices.SortFunc(out, func(a, b model.ObjectGrant) int { return cmp.Compare(a.Identifier, b.Identifier) })
	return out
}

// entry is one access control entry that concerns others than the owner.
type entry struct {
	href, who string
	rights    model.ObjectRights
	deny      bool
}

func (g granted) change(who string, e entry) {
	if e.deny {
		g[who] &^= e.rights
		return
	}
	g[who] |= e.rights
}

// entries reads a list (RFC 3744 §5.5). Grants come before denials here,
// because a denial that a server honours takes back what any entry gives.
func (st *Store) entries(base *url.URL, acl *node, owner string) (out []entry) {
	if acl == nil {
		return nil
	}
	for _, deny := range []bool{false, true} {
		for _, ace := range acl.kids {
			list, who := ace.kid(dav("grant")), ace.kid(dav("principal"))
			if deny {
				list = ace.kid(dav("deny"))
			}
			if ace.name != dav("ace") || list == nil || who == nil {
				continue
			}
			e := entry{href: who.href(), deny: deny, rights: privileges(list)}
			switch {
			case e.rights == 0:
				continue
			case e.href != "":
				key := pathKey(resolveHref(base, e.href, st.src.trusts).EscapedPath())
				if key == owner || key == st.owner {
					continue
				}
			case who.has(dav("all")), who.has(dav("authenticated")), who.has(dav("unauthenticated")):
				e.who = "anyone"
			default: // the owner, by a property or as self
				continue
			}
			out = append(out, e)
		}
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
func (g granted) invited(invite *node) {
	if invite == nil {
		return
	}
	for _, u := range invite.kids {
		if u.name.Local != "user" && u.name.Local != "sharee" {
			continue
		}
		who, access, valid := u.href(), u.kid(cs("access")), true
		if access == nil {
			access = u.kid(dav("share-access"))
		}
		for _, k := range u.kids {
			switch k.name.Local {
			case "invite-declined", "invite-invalid", "invite-deleted":
				valid = false
			}
		}
		if access == nil || !valid || who == "" {
			continue
		}
		for _, k := range access.kids {
			switch k.name.Local {
			case "read":
				g[identifier(who)] |= mayRead
			case "read-write":
				g[identifier(who)] |= mayWrite
			case "shared-owner", "no-access":
			}
		}
	}
}

// identifier makes an address or the end of a principal's path of an href.
func identifier(href string) string {
	if address, ok := strings.CutPrefix(strings.ToLower(href), "mailto:"); ok {
		return address
	}
	return lastSegment(pathOf(href))
}

// principalName is the address of a principal, or else the last part of its
// path.
func (st *Store) principalName(ctx context.Context, u *url.URL) (string, error) {
	key := u.EscapedPath()
	if name, ok := st.names[key]; ok {
		return name, nil
	}
	name := lastSegment(key)
	_, _, err := st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "0", body: propfind(caldav("calendar-user-address-set"), dav("displayname"))}, func(_ *url.URL, r *response) error {
		for _, h := range r.props[caldav("calendar-user-address-set")].hrefs() {
			if address, ok := strings.CutPrefix(strings.ToLower(h), "mailto:"); ok {
				name = address
				break
			}
		}
		return nil
	})
	if err != nil && statusOf(err) == 0 { // one who may not ask has the name of the path
		return "", err
	}
	st.names[key] = name
	return name, nil
}

// proxies are who acts for the account in all its calendars (Apple's
// caldav-proxy). They are asked for once.
func (st *Store) proxies(ctx context.Context) ([]model.ObjectGrant, error) {
	if st.asked || st.principal == nil {
		return st.delegates, nil
	}
	out := granted{}
	for _, p := range []struct {
		name   string
		rights model.ObjectRights
	}{{"calendar-proxy-read", mayRead}, {"calendar-proxy-write", mayWrite}} {
		u := withPath(st.principal, strings.TrimRight(st.principal.EscapedPath(), "/")+"/"+p.name+"/")
		var members []*url.URL
		_, _, err := st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "0", body: propfind(dav("group-member-set"))}, func(base *url.URL, r *response) error {
			for _, h := range r.props[dav("group-member-set")].hrefs() {
				members = append(members, resolveHref(base, h, st.src.trusts))
			}
			return nil
		})
		if err != nil && statusOf(err) == 0 {
			return nil, err
		}
		for _, m := range members {
			name, err := st.principalName(ctx, m)
			if err != nil {
				return nil, err
			}
			out[name] |= p.rights
		}
	}
	st.delegates, st.asked = out.sorted(), true
	return st.delegates, nil
}
