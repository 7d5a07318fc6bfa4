package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

var collectionProps = []xml.Name{
	dav("resourcetype"), dav("displayname"), dav("owner"), dav("current-user-privilege-set"), dav("sync-token"), cs("getctag"),
	caldav("calendar-description"), caldav("calendar-timezone"), caldav("calendar-timezone-id"), caldav("supported-calendar-component-set"),
	caldav("schedule-calendar-transp"), caldav("schedule-default-calendar-URL"),
	carddav("addressbook-description"), apple("calendar-color"), apple("calendar-order"), inf("addressbook-color"), cs("source"),
}

// maxNested is how deep calendars may lie in plain folders of a home.
const maxNested = 4

// ObjectCollections implements source.Objects.
func (st *Store) ObjectCollections(ctx context.Context) (all []model.ObjectCollection, errs []error, err error) {
	all, _, errs, err = st.collections(ctx)
	return all, errs, err
}

// SharedObjects implements source.SharedObjects.
func (st *Store) SharedObjects(ctx context.Context) ([]model.ObjectCollection, error) {
	if !st.listed {
		if _, _, _, err := st.collections(ctx); err != nil {
			return nil, err
		}
	}
	of, err := st.ofGroups(ctx)
	return append(slices.Clone(st.foreign), of...), err
}

// ofGroups are the calendars and address books of groups of which the account is
// a member and for which no account stands: nobody would move them.
func (st *Store) ofGroups(ctx context.Context) (out []model.ObjectCollection, err error) {
	for _, u := range st.groups {
		name := lastSegment(u.EscapedPath())
		if strings.HasPrefix(name, "calendar-proxy-") || slices.ContainsFunc(st.src.opts.GroupAccounts, func(g string) bool { return strings.EqualFold(g, name) }) {
			continue
		}
		f, err := st.look(ctx, u)
		if statusOf(err) != 0 || errors.Is(err, errXML) {
			continue // one who is in it may not look at it
		}
		if err != nil {
			return nil, err
		}
		for _, kind := range []model.Kind{model.KindCalendar, model.KindContacts} {
			for _, h := range f.homes(kind) {
				w := &walk{st: st, kinds: []model.Kind{kind}, seen: map[string]bool{}}
				if err := w.home(ctx, resolveHref(f.base, h, st.src.trusts), 0); err != nil {
					return nil, err
				}
				for _, c := range append(w.all, w.foreign...) {
					c.Owner, c.Forgotten = name, true
					out = append(out, c)
				}
			}
		}
	}
	return out, nil
}

func (st *Store) collections(ctx context.Context) (all, foreign []model.ObjectCollection, errs []error, err error) {
	if len(st.homes) == 0 && len(st.undiscovered) > 0 {
		return nil, nil, st.undiscovered, nil
	}
	if len(st.homes) == 0 {
		return nil, nil, []error{&model.Fault{Class: model.ClassItem, Code: source.CodeNoHome, Account: st.acc.Login,
			Err: fmt.Errorf("%s names neither calendars nor address books of it", st.src), Remedy: "if it has some, write where they are in source.dav: calendars, contacts"}}, nil
	}
	errs = slices.Clone(st.undiscovered)
	st.held = held{folders: map[string][]model.Object{}}
	asked := map[string]bool{}
	for _, h := range st.homes {
		if asked[h.url.String()] {
			continue // with the kind before
		}
		w := &walk{st: st, said: h.said, seen: map[string]bool{}}
		if h.kind == model.KindFiles {
			err = w.files(ctx, h.url, nil)
		} else {
			// One home may be that of both kinds. It is asked once: Radicale reads
			// everything in it for that.
			for _, g := range st.homes {
				if g.kind != model.KindFiles && g.url.String() == h.url.String() {
					w.kinds = append(w.kinds, g.kind)
				}
			}
			asked[h.url.String()] = true
			if err = w.home(ctx, h.url, 0); err == nil {
				err = w.askInbox(ctx)
			}
		}
		if err != nil {
			return nil, nil, nil, err
		}
		w.finish()
		all, foreign, errs = append(all, w.all...), append(foreign, w.foreign...), append(errs, w.errs...)
	}
	slices.SortStableFunc(all, func(a, b model.ObjectCollection) int { return int(a.Kind) - int(b.Kind) })
	st.foreign, st.listed = foreign, true
	return all, foreign, errs, nil
}

// walk gathers the collections of one home.
type walk struct {
	st           *Store
	kinds        []model.Kind // calendars, contacts or both; not for files
	said         string       // where the server says the home is, see home
	seen         map[string]bool
	all, foreign []model.ObjectCollection
	errs         []error
	standard     string   // pathKey of the default calendar
	inbox        *url.URL // of invitations (RFC 6638 §2.2)
}

// fail notes what cannot be read; only what stops the account is returned.
func (w *walk) fail(err error, u *url.URL) error {
	err = w.st.fault(err, model.ClassItem, lastSegment(u.EscapedPath()), "")
	if model.ClassOf(err) != model.ClassItem {
		return err
	}
	if f, ok := errors.AsType[*model.Fault](err); ok && f.Remedy == "" {
		f.Remedy = "look at " + u.Redacted() + " as this user"
		if w.said != "" {
			f.Remedy = "the server says that it is at " + w.said + ": if that may see the passwords, add it to source.dav.origins"
		}
	}
	w.errs = append(w.errs, err)
	return nil
}

// home lists the calendars or address books of a home, or takes what is one
// itself.
func (w *walk) home(ctx context.Context, u *url.URL, level int) error {
	var deeper []*url.URL
	mailbox := mailboxTree{}
	body := propfind(collectionProps...)
	_, _, err := w.st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "1", long: true, body: body}, func(base *url.URL, r *response) error {
		at := resolveHref(base, r.href, w.st.src.trusts)
		key := pathKey(at.EscapedPath())
		if d := r.props[caldav("schedule-default-calendar-URL")].href(); d != "" {
			w.standard = pathKey(resolveHref(base, d, w.st.src.trusts).EscapedPath())
		}
		self := key == pathKey(base.EscapedPath())
		mailbox.see(at, r)
		kind, wanted := w.kindOf(r)
		switch {
		case r.status == http.StatusInsufficientStorage:
			w.truncated(u)
		case w.seen[key]:
		case wanted:
			w.seen[key] = true
			w.add(kind, base, at, r)
		case r.is(caldav("schedule-inbox")):
			w.inbox = at
		case r.status/100 > 2:
			w.untold(at, r.status)
		case !self && r.props[dav("resourcetype")] == nil && r.refused/100 > 2 && r.refused != http.StatusNotFound:
			w.untold(at, r.refused)
		case !self && plainFolder(r):
			deeper = append(deeper, at)
		}
		return nil
	})
	if err != nil {
		return w.fail(err, u)
	}
	if mailbox.is() {
		deeper = nil
	}
	for _, d := range deeper {
		if level == maxNested {
			w.errs = append(w.errs, tooDeep(w.st.acc.Login, lastSegment(u.EscapedPath()), d, maxNested))
			continue
		}
		if key := pathKey(d.EscapedPath()); !w.seen[key] {
			w.seen[key] = true
			if err := w.home(ctx, d, level+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// mailboxTree recognises a home that is somebody's whole mailbox, as a Zimbra's
// /dav/LOGIN/: the calendars and address books lie at its top, among the folders of
// mail, of files, of what was deleted, and of attachments by date, type and sender.
// In those nothing is to be looked for, least of all the calendars in the Trash.
type mailboxTree struct{ inbox, sent, trash bool }

func (m *mailboxTree) see(at *url.URL, r *response) {
	switch lastSegment(at.EscapedPath()) {
	case "Inbox":
		m.inbox = m.inbox || r.is(dav("collection"))
	case "Sent":
		m.sent = m.sent || r.is(dav("collection"))
	case "Trash":
		m.trash = m.trash || r.is(dav("collection"))
	}
}

func (m *mailboxTree) is() bool { return m.inbox && m.sent && m.trash }

// askInbox asks which calendar is the default one (RFC 6638 §9.2). A Cyrus does
// not tell it with the home, and the inbox may lie outside of that (Xandikos): its
// principal says where (§2.2.1).
func (w *walk) askInbox(ctx context.Context) error {
	if says := w.st.says; w.inbox == nil && says != nil && slices.Contains(w.kinds, model.KindCalendar) {
		if h := says.props[caldav("schedule-inbox-URL")].href(); h != "" {
			w.inbox = resolveHref(says.base, h, w.st.src.trusts)
		}
	}
	if w.standard != "" || w.inbox == nil {
		return nil
	}
	_, _, err := w.st.c.multistatus(ctx, request{method: "PROPFIND", url: w.inbox, depth: "0", body: propfind(caldav("schedule-default-calendar-URL"))}, func(base *url.URL, r *response) error {
		if d := r.props[caldav("schedule-default-calendar-URL")].href(); d != "" {
			w.standard = pathKey(resolveHref(base, d, w.st.src.trusts).EscapedPath())
		}
		return nil
	})
	if statusOf(err) != 0 || errors.Is(err, errXML) { // then nobody knows
		return nil
	}
	return err
}

// untold notes what the server fails to look at: it may be a collection, so that
// what is missing is not gone.
func (w *walk) untold(at *url.URL, status int) {
	w.errs = append(w.errs, &model.Fault{Class: model.ClassItem, Account: w.st.acc.Login, Collection: lastSegment(at.EscapedPath()),
		Err: &statusError{method: "PROPFIND", path: at.EscapedPath(), code: status}})
}

// truncated notes that a server lists only a part.
func (w *walk) truncated(u *url.URL) {
	w.errs = append(w.errs, &model.Fault{Class: model.ClassItem, Code: "truncated", Account: w.st.acc.Login, Collection: lastSegment(u.EscapedPath()), Err: errTruncated,
		Remedy: "raise the source's limit on results, in Stalwart x:WebDav maxResults"})
}

// tooDeep names a folder that is not looked into.
func tooDeep(login, collection string, folder *url.URL, most int) error {
	return &model.Fault{Class: model.ClassItem, Code: "depth", Account: login, Collection: collection, Item: lastSegment(folder.EscapedPath()),
		Err: fmt.Errorf("folders are nested deeper than %d levels", most), Remedy: "is it a link to a folder above it?"}
}

// plainFolder: a collection and nothing else. Inboxes, outboxes, trash bins and
// notifications are something else, too.
func plainFolder(r *response) bool {
	t := r.props[dav("resourcetype")]
	return t != nil && len(t.kids) == 1 && t.has(dav("collection"))
}

// kindOf is what a collection of the home is; wanted: that is looked for here.
func (w *walk) kindOf(r *response) (kind model.Kind, wanted bool) {
	for _, kind := range w.kinds {
		switch {
		case kind == model.KindCalendar && (r.is(caldav("calendar")) || r.is(cs("subscribed"))), kind == model.KindContacts && r.is(carddav("addressbook")):
			return kind, true
		}
	}
	return 0, false
}

func (w *walk) add(kind model.Kind, base, at *url.URL, r *response) {
	c := model.ObjectCollection{Kind: kind, ID: at.EscapedPath(), Description: plain(r.text(caldav("calendar-description"))),
		Color: r.text(apple("calendar-color")), Fingerprint: fingerprint(r)}
	if !w.st.src.over(c.Fingerprint) {
		c.Fingerprint = ""
	}
	if origin(at) != origin(w.st.homeOf(kind)) {
		c.ID = at.String()
	}
	name := plain(r.text(dav("displayname")))
	if name == "" {
		name = lastSegment(c.ID)
	}
	if name == "" {
		name = kind.String()
	}
	c.Path = []string{name}
	if kind == model.KindContacts {
		c.Description, c.Color = plain(r.text(carddav("addressbook-description"))), r.text(inf("addressbook-color"))
	} else {
		c.TimeZone = r.text(caldav("calendar-timezone-id"))
		if c.TimeZone == "" {
			c.TimeZone = r.text(caldav("calendar-timezone"))
		}
		if set := r.props[caldav("supported-calendar-component-set")]; set != nil {
			c.Components = components(set)
		}
		c.Transparent = r.props[caldav("schedule-calendar-transp")].has(caldav("transparent"))
		if r.is(cs("subscribed")) {
			c.Subscription = address(r.props[cs("source")].href())
			if c.Subscription == "" {
				c.Subscription = address(r.text(cs("source")))
			}
			if c.Subscription == "" && !r.is(caldav("calendar")) {
				c.Subscription = "an address that the server does not tell"
			}
			c.Passing = w.st.src.isHost(c.Subscription)
		}
	}
	c.Order = order(r.text(apple("calendar-order")))
	c.ReadOnly = w.readOnly(r)
	if owner := r.props[dav("owner")].href(); r.is(cs("shared")) || r.is(dav("shared")) || w.foreignOwner(base, owner) {
		c.Owner = lastSegment(owner)
		if c.Owner == "" {
			c.Owner = "somebody else"
		}
		w.foreign = append(w.foreign, c)
		return
	}
	w.all = append(w.all, c)
}

// address is that of a subscription. Xandikos encodes it as if it were a path.
func address(text string) string {
	scheme, _, _ := strings.Cut(text, "//")
	if plain, err := url.PathUnescape(text); err == nil && strings.HasSuffix(strings.ToUpper(scheme), "%3A") {
		return plain
	}
	return text
}

// plain is a text that users have written. DAViCal keeps the XML of it, and
// wraps that in XML once more.
func plain(text string) string { return escapes.Replace(text) }

var escapes = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&#039;", "'", "&#39;", "'", "&amp;", "&")

// foreignOwner reports that a collection belongs to somebody else: it moves
// with its owner. A server that names no principal leaves that open.
func (w *walk) foreignOwner(base *url.URL, owner string) bool {
	if owner == "" || w.st.owner == "" {
		return false
	}
	return pathKey(resolveHref(base, owner, w.st.src.trusts).EscapedPath()) != w.st.owner
}

// readOnly: of somebody else's privileges nothing can be concluded.
func (w *walk) readOnly(r *response) bool {
	set := r.props[dav("current-user-privilege-set")]
	if set == nil || w.st.acting() {
		return false
	}
	for _, p := range set.kids {
		for _, writes := range []string{"all", "write", "write-content", "bind"} {
			if p.has(dav(writes)) {
				return false
			}
		}
	}
	return len(set.kids) > 0
}

func (w *walk) finish() {
	for i := range w.all {
		w.all[i].Default = w.standard != "" && pathKey(w.all[i].ID) == w.standard
	}
	if len(w.kinds) > 0 {
		slices.SortStableFunc(w.all, func(a, b model.ObjectCollection) int { return strings.Compare(a.ID, b.ID) })
	}
}

// files walks a tree of folders, parents first.
func (w *walk) files(ctx context.Context, u *url.URL, path []string) error {
	var folders []*url.URL
	var files []model.Object
	known, whole := false, true
	_, at, err := w.st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "1", long: true, body: propfind(append(slices.Clone(objectNames), cs("getctag"), dav("sync-token"), dav("current-user-privilege-set"))...)},
		func(base *url.URL, r *response) error {
			if at := resolveHref(base, r.href, w.st.src.trusts); r.status/100 > 2 && strings.HasSuffix(at.Path, "/") && pathKey(at.EscapedPath()) != pathKey(base.EscapedPath()) {
				switch r.status { // a folder
				case http.StatusNotFound, http.StatusGone, http.StatusInsufficientStorage:
				default:
					w.untold(at, r.status)
					return nil
				}
			}
			l := listing{st: w.st, c: model.ObjectCollection{Kind: model.KindFiles, ID: base.EscapedPath()}}
			if o, ok := l.member(base, r); ok {
				files = append(files, o)
			}
			to := resolveHref(base, r.href, w.st.src.trusts)
			key := pathKey(to.EscapedPath())
			if r.status == http.StatusInsufficientStorage {
				w.truncated(u)
				whole = false
			}
			if !r.is(dav("collection")) || r.is(caldav("calendar")) || r.is(carddav("addressbook")) || w.seen[key] {
				return nil
			}
			w.seen[key] = true
			if self := key == pathKey(base.EscapedPath()); self || key == pathKey(u.EscapedPath()) {
				known = true
				w.all = append(w.all, model.ObjectCollection{Kind: model.KindFiles, ID: base.EscapedPath(), Path: path, Fingerprint: fingerprint(r), ReadOnly: w.readOnly(r)})
				return nil
			}
			folders = append(folders, to)
			return nil
		})
	if err != nil {
		return w.fail(err, u)
	}
	if whole {
		w.st.held.put(at.EscapedPath(), files)
	}
	if !known && !w.seen[pathKey(at.EscapedPath())] { // it did not name itself
		w.seen[pathKey(at.EscapedPath())] = true
		w.all = append(w.all, model.ObjectCollection{Kind: model.KindFiles, ID: at.EscapedPath(), Path: path})
	}
	if len(path) >= maxDepth {
		for _, f := range folders {
			w.errs = append(w.errs, tooDeep(w.st.acc.Login, strings.Join(path, "/"), f, maxDepth))
		}
		return nil
	}
	slices.SortFunc(folders, func(a, b *url.URL) int { return strings.Compare(a.EscapedPath(), b.EscapedPath()) })
	for _, f := range folders {
		delete(w.seen, pathKey(f.EscapedPath()))
		if err := w.files(ctx, f, append(slices.Clone(path), lastSegment(f.EscapedPath()))); err != nil {
			return err
		}
	}
	return nil
}

func components(set *node) (out []string) {
	for _, k := range set.kids {
		if k.name == caldav("comp") && k.attribute != "" {
			out = append(out, strings.ToUpper(k.attribute))
		}
	}
	return out
}

// fingerprint is the sync token (RFC 6578 §4), or else the ctag.
func fingerprint(r *response) string {
	if t := r.text(dav("sync-token")); t != "" {
		return "sync:" + t
	}
	if t := r.text(cs("getctag")); t != "" {
		return "ctag:" + t
	}
	return ""
}

// order is Apple's calendar-order, which clients write as a number of any
// kind.
func order(text string) int {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < -1<<31 || f >= 1<<31 {
		return 0
	}
	return int(f)
}
