package dav

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// home is where collections of one kind lie, or one of them itself.
type home struct {
	kind model.Kind
	url  *url.URL
	// said is the origin that the server names instead, which may not see
	// credentials; empty: that of url.
	said string
}

// service is what differs between calendars and contacts.
type service struct {
	kind      model.Kind
	wellKnown string // RFC 6764 §5
	srv       string // RFC 6764 §3
}

var services = []service{
	{model.KindCalendar, "/.well-known/caldav", "caldav"},
	{model.KindContacts, "/.well-known/carddav", "carddav"},
}

// discover fills homes. A bare host that is given for a kind is where that one's
// discovery begins: some have calendars and contacts at different ones.
func (st *Store) discover(ctx context.Context) error {
	o := st.src.opts
	given := map[model.Kind]string{model.KindCalendar: o.Calendars, model.KindContacts: o.Contacts, model.KindFiles: o.Files}
	begin := map[model.Kind]*url.URL{}
	for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts, model.KindFiles} {
		if given[kind] == "" {
			continue
		}
		u, err := st.filled(given[kind])
		if err != nil {
			return err
		}
		if kind != model.KindFiles && strings.Trim(u.Path, "/") == "" {
			begin[kind] = u
			continue
		}
		st.homes = append(st.homes, home{kind: kind, url: u})
	}
	seen := false
	var sought []service
	for _, s := range services {
		if begin[s.kind] == nil && (given[s.kind] != "" || o.URL == "" && o.Domain == "") {
			continue
		}
		found, err := st.find(ctx, s, begin[s.kind])
		if err != nil {
			return err
		}
		seen = seen || found
		sought = append(sought, s)
	}
	st.askPrincipal(sought)
	for _, s := range sought {
		if u := begin[s.kind]; u != nil && !st.hasHome(s.kind) && st.untold[s.kind] == nil {
			st.homes = append(st.homes, home{kind: s.kind, url: u}) // it may be what was meant
		}
	}
	if !seen {
		return st.firstContact(ctx)
	}
	return nil
}

func (st *Store) hasHome(kind model.Kind) bool {
	return slices.ContainsFunc(st.homes, func(h home) bool { return h.kind == kind })
}

// firstContact logs in where nothing was to be discovered.
func (st *Store) firstContact(ctx context.Context) error {
	if len(st.homes) == 0 {
		return nil
	}
	_, err := st.look(ctx, st.homes[0].url)
	if statusOf(err) != 0 { // it answers; what is not there is told with the collections
		return nil
	}
	return err
}

// filled is a URL template for this account. A host in it that varies may see
// the credentials, too.
func (st *Store) filled(template string) (*url.URL, error) {
	text, err := Expand(template, st.acc)
	if err != nil {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "url", Account: st.acc.Login, Err: err}
	}
	u, err := parseURL(text)
	if err == nil {
		st.src.trust(u)
	}
	return u, err
}

var discovered = propfind(dav("resourcetype"), dav("current-user-principal"), dav("principal-URL"), dav("owner"), dav("group-membership"),
	caldav("calendar-home-set"), carddav("addressbook-home-set"), caldav("schedule-inbox-URL"))

// look asks a resource for what discovery needs.
func (st *Store) look(ctx context.Context, u *url.URL) (*found, error) {
	for {
		var out *found
		_, at, err := st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "0", body: discovered}, func(base *url.URL, r *response) error {
			if out == nil {
				out = &found{base: base, response: r}
			}
			return nil
		})
		switch {
		case err != nil:
			return nil, err
		case out == nil:
			return nil, &statusError{method: "PROPFIND", path: u.EscapedPath(), code: http.StatusNotFound, text: "no response in the multistatus"}
		case out.status/100 > 2:
			return nil, &statusError{method: "PROPFIND", path: u.EscapedPath(), code: out.status}
		}
		out.base = at
		if out.props[dav("current-user-principal")].has(dav("unauthenticated")) && st.c.force(at) {
			continue
		}
		return out, nil
	}
}

// found is what a resource tells for discovery.
type found struct {
	*response
	base *url.URL
}

// homes are those of a kind that a resource names.
func (f *found) homes(kind model.Kind) []string {
	name := caldav("calendar-home-set")
	if kind == model.KindContacts {
		name = carddav("addressbook-home-set")
	}
	return f.props[name].hrefs()
}

// find looks for the homes of a service, at a host of its own or where all begins.
// found reports that a server answered.
func (st *Store) find(ctx context.Context, s service, host *url.URL) (found bool, err error) {
	starts, err := st.starts(ctx, s, host)
	if err != nil {
		return false, err
	}
	var last, broken error
	for _, u := range starts {
		f, err := st.look(ctx, u)
		if statusOf(err) != 0 || errors.Is(err, errXML) {
			last = err
			if fails(err) {
				broken = err
			}
			continue
		}
		if err != nil {
			return found, err
		}
		found = true
		ok, err := st.homesFrom(ctx, s.kind, u, f, host == nil && Varies(st.src.opts.URL))
		if statusOf(err) != 0 { // of the principal
			broken = err
			continue
		}
		if err != nil || ok {
			return found, err
		}
	}
	if broken != nil {
		st.untold[s.kind] = broken
		return true, nil
	}
	if !found && last != nil {
		st.src.opts.Log.Info("no "+s.kind.String()+" home", "account", st.acc.Login, "last", last)
	}
	return found, nil
}

// askPrincipal takes the homes of a service that led to none from the principal
// that the other one led to: it names those of both, and then nothing is missing.
// Where it names none, a service that failed is told of.
func (st *Store) askPrincipal(sought []service) {
	for _, s := range sought {
		if st.hasHome(s.kind) {
			continue
		}
		if st.says != nil && len(st.says.homes(s.kind)) > 0 {
			st.addHomes(s.kind, st.says)
			st.src.opts.Log.Info("the principal names the home that "+s.wellKnown+" does not lead to", "account", st.acc.Login, "error", st.untold[s.kind])
			continue
		}
		if err := st.untold[s.kind]; err != nil {
			st.undiscovered = append(st.undiscovered, &model.Fault{Class: model.ClassItem, Code: "discovery", Account: st.acc.Login, Err: fmt.Errorf("the server does not tell where the account's %s are: %w", s.kind.String()+"s", err),
				Remedy: "run the same command again; if it stays so, write where they are in source.dav: calendars, contacts"})
		}
	}
}

// fails: the server has not said that there is nothing, but that it cannot tell.
func fails(err error) bool {
	code := statusOf(err)
	return code >= http.StatusInternalServerError && code != http.StatusNotImplemented
}

// starts are where to ask first, most promising first.
func (st *Store) starts(ctx context.Context, s service, u *url.URL) ([]*url.URL, error) {
	o := st.src.opts
	if u == nil && o.URL == "" {
		return st.fromDNS(ctx, s)
	}
	if u == nil {
		var err error
		if u, err = st.filled(o.URL); err != nil {
			return nil, err
		}
	}
	if strings.Trim(u.Path, "/") != "" {
		return []*url.URL{u}, nil
	}
	// A bare host: RFC 6764 §6 asks the well-known URI first.
	return []*url.URL{withPath(u, s.wellKnown), withPath(u, "/")}, nil
}

// homesFrom takes the homes that a resource leads to. One whose URL names the
// account, own, is its principal or home; else the current user's principal counts.
func (st *Store) homesFrom(ctx context.Context, kind model.Kind, start *url.URL, f *found, own bool) (bool, error) {
	principal := f.props[dav("current-user-principal")].href()
	if own && !f.is(dav("principal")) && len(f.homes(kind)) == 0 {
		principal = f.props[dav("owner")].href() // a home names its owner
	}
	if own && (f.is(dav("principal")) || len(f.homes(kind)) > 0) {
		principal = ""
	}
	if st.acc.Group && !own {
		g, err := st.group(ctx, f.base, principal)
		if err != nil {
			return false, err
		}
		f, principal = g, ""
	} else if st.src.opts.forAll() && !own {
		return false, &model.Fault{Class: model.ClassFatal, Code: "url", Err: fmt.Errorf("%s leads to what %s has, not to each account's", start.Redacted(), st.src.opts.Master),
			Remedy: "write a URL with {user}, or set source.dav.separator or authorize_as"}
	}
	if principal != "" {
		u := resolveHref(f.base, principal, st.src.trusts)
		g, err := st.look(ctx, u)
		if err == nil {
			f = g
			st.setPrincipal(u, f)
		} else if statusOf(err) == 0 || fails(err) {
			return false, err
		}
	} else if f.is(dav("principal")) || len(f.homes(kind)) > 0 {
		st.setPrincipal(f.base, f)
	}
	if st.principal != nil && st.groups == nil && !st.acc.Group {
		for _, g := range f.props[dav("group-membership")].hrefs() {
			st.groups = append(st.groups, resolveHref(f.base, g, st.src.trusts))
		}
	}
	st.addHomes(kind, f)
	named := len(f.homes(kind)) > 0
	if !named && own && f.is(dav("collection")) {
		st.addHome(home{kind: kind, url: f.base})
		return true, nil
	}
	return named, nil
}

// group finds the principal of a group as one that the login is a member of, or
// else beside the login's own, where servers keep them.
func (st *Store) group(ctx context.Context, base *url.URL, login string) (*found, error) {
	none := &model.Fault{Class: model.ClassAccount, Code: source.CodeNoHome, Account: st.acc.Login, Err: fmt.Errorf("%s shows no group %s to %s", st.src, st.acc.Login, st.c.login),
		Remedy: "write it as the last part of its principal's path, name readers of it in source.groups.accounts, or write URLs with {user} in source.dav"}
	if login == "" {
		return nil, none
	}
	u := resolveHref(base, login, st.src.trusts)
	own, err := st.look(ctx, u)
	if err != nil && statusOf(err) == 0 {
		return nil, err
	}
	var places []*url.URL
	if err == nil { // Stalwart's recovery administrator has none
		for _, h := range own.props[dav("group-membership")].hrefs() {
			if at := resolveHref(own.base, h, st.src.trusts); strings.EqualFold(lastSegment(at.EscapedPath()), st.acc.Login) {
				places = append(places, at)
			}
		}
	}
	parent, _ := path.Split(strings.TrimRight(u.EscapedPath(), "/"))
	places = append(places, withPath(u, parent+url.PathEscape(st.acc.Login)+"/"))
	for _, at := range places {
		f, err := st.look(ctx, at)
		if err == nil && (f.is(dav("principal")) || len(f.homes(model.KindCalendar))+len(f.homes(model.KindContacts)) > 0) {
			return f, nil
		}
		if err != nil && statusOf(err) == 0 {
			return nil, err
		}
	}
	return nil, none
}

func (st *Store) setPrincipal(u *url.URL, says *found) {
	st.principal, st.owner, st.says = u, pathKey(u.EscapedPath()), says
}

func (st *Store) addHomes(kind model.Kind, f *found) {
	for _, h := range f.homes(kind) {
		u, said := resolveHref(f.base, h, st.src.trusts), ""
		if at, err := url.Parse(h); err == nil && at.Host != "" && origin(at) != origin(u) && at.Hostname() != u.Hostname() {
			said = origin(at)
		}
		st.addHome(home{kind, u, said})
	}
}

func (st *Store) addHome(h home) {
	if !slices.ContainsFunc(st.homes, func(o home) bool {
		return o.kind == h.kind && pathKey(o.url.EscapedPath()) == pathKey(h.url.EscapedPath())
	}) {
		st.homes = append(st.homes, h)
	}
}

// fromDNS finds a service by SRV and TXT records (RFC 6764 §3 to 6). DNS is no
// proof: a host outside of the domain gets no credentials (§8).
func (st *Store) fromDNS(ctx context.Context, s service) ([]*url.URL, error) {
	domain, err := expand(st.src.opts.Domain, st.acc, func(s string) string { return s })
	if err != nil {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "url", Account: st.acc.Login, Err: err}
	}
	r := st.src.opts.Resolver
	var none error
	for _, try := range []struct{ suffix, scheme, port string }{{"s", "https", "443"}, {"", "http", "80"}} {
		_, records, err := r.LookupSRV(ctx, s.srv+try.suffix, "tcp", domain)
		if err != nil {
			if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
				none = err
				continue
			}
			return nil, &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Account: st.acc.Login, Err: err}
		}
		path := s.wellKnown
		if texts, err := r.LookupTXT(ctx, "_"+s.srv+try.suffix+"._tcp."+domain); err == nil {
			for _, t := range texts {
				if p, ok := strings.CutPrefix(t, "path="); ok {
					path = p
				}
			}
		}
		var out []*url.URL
		for _, rec := range records {
			host := strings.TrimSuffix(rec.Target, ".")
			if host == "" { // "." says that there is no such service (RFC 2782)
				continue
			}
			u := &url.URL{Scheme: try.scheme, Host: host}
			if port := strconv.Itoa(int(rec.Port)); port != try.port {
				u.Host = net.JoinHostPort(host, port)
			}
			if !within(host, domain) && !st.src.trusts(u) {
				return nil, &model.Fault{Class: model.ClassFatal, Code: "origin", Err: fmt.Errorf("the DNS of %s names a host outside of it, %s", domain, origin(u)),
					Remedy: "if that is the right one, write it in source.dav.url, or add it to source.dav.origins"}
			}
			st.src.trust(u)
			out = append(out, withPath(u, path))
		}
		return out, nil
	}
	st.src.opts.Log.Info("the DNS names no "+s.srv+" server", "domain", domain, "error", none)
	u := &url.URL{Scheme: "https", Host: domain}
	st.src.trust(u)
	return []*url.URL{withPath(u, s.wellKnown)}, nil
}

func within(host, domain string) bool {
	host, domain = strings.ToLower(host), strings.ToLower(domain)
	return host == domain || strings.HasSuffix(host, "."+domain)
}
