package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// ObjectChanges implements source.Objects. The cursor is a sync token, or a
// ctag where the server has no tokens.
func (st *Store) ObjectChanges(ctx context.Context, c model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error] {
	return func(yield func(model.ObjectChange, error) bool) {
		st.of(c).drop()
		st.readings[c.ID] = &reading{}
		l := &listing{st: st, c: c, yield: yield}
		err := l.run(ctx, since)
		if err != nil && !errors.Is(err, errEnough) {
			yield(model.ObjectChange{}, st.fault(err, model.ClassAccount, strings.Join(c.Path, "/"), ""))
		}
	}
}

// errEnough: nobody wants more.
var errEnough = errors.New("enough")

// errNoDelta: the server cannot tell what changed since the cursor, or not all
// of it.
var errNoDelta = errors.New("the cursor is not known any more")

// errTruncated: the server gave a part (RFC 4918 §11.5), as Stalwart does beyond
// its maxResults.
var errTruncated = errors.New("the server lists only a part of the collection")

type listing struct {
	st     *Store
	c      model.ObjectCollection
	yield  func(model.ObjectChange, error) bool
	passed bool // something was yielded
	opened bool // OpListing was
}

func (l *listing) put(ch model.ObjectChange) error {
	l.passed = true
	if !l.yield(ch, nil) {
		return errEnough
	}
	return nil
}

func (l *listing) run(ctx context.Context, since string) error {
	if l.c.Subscription != "" {
		if err := l.put(model.ObjectChange{Op: model.OpListing}); err != nil {
			return err
		}
		return l.put(model.ObjectChange{Op: model.OpCheckpoint})
	}
	if held, err := l.fromWalk(since); held {
		return err
	}
	// Folders of files are listed whenever their token changes: what was moved
	// out of a folder is missing from the changes that Stalwart 0.16 tells.
	files := l.c.Kind == model.KindFiles
	if token, ok := strings.CutPrefix(since, "sync:"); ok && token != "" && !files && l.kindred(token) {
		err := l.sync(ctx, token)
		if !errors.Is(err, errNoDelta) {
			return err
		}
		l.st.src.opts.Log.Info("list a collection anew: the server does not know the token", "account", l.st.acc.Login, "collection", strings.Join(l.c.Path, "/"), "reason", err)
	}
	if strings.HasPrefix(l.c.Fingerprint, "sync:") && !files {
		if err := l.initial(ctx); !errors.Is(err, errNoDelta) {
			return err
		}
	}
	// The state comes first: what changes while the list is made is reported
	// again next time.
	now, err := l.state(ctx)
	if err != nil {
		return err
	}
	if now != "" && now == since && (files || strings.HasPrefix(since, "ctag:")) && l.st.src.over(now) {
		return l.put(model.ObjectChange{Op: model.OpCheckpoint, Cursor: now})
	}
	if err := l.full(ctx); errors.Is(err, errTruncated) {
		return &model.Fault{Class: model.ClassAccount, Code: "truncated", Err: err, Remedy: "raise the source's limit on results, in Stalwart x:WebDav maxResults"}
	} else if err != nil {
		return err
	}
	return l.put(model.ObjectChange{Op: model.OpCheckpoint, Cursor: now})
}

// kindred reports that a token looks like those that the collection has now.
// Stalwart takes one that it does not know for none at all, and answers with
// everything, but without what is gone; DAViCal does so with "data:,0".
func (l *listing) kindred(token string) bool {
	now, ok := strings.CutPrefix(l.c.Fingerprint, "sync:")
	stem := func(s string) string { return s[:strings.LastIndexAny(s, "/:")+1] }
	return !ok || stem(now) == stem(token) && token != "data:,0"
}

func (l *listing) url() (*url.URL, error) { return l.st.objectURL(l.c, l.c.ID) }

// state asks for the present token or ctag.
func (l *listing) state(ctx context.Context) (cursor string, err error) {
	u, err := l.url()
	if err != nil {
		return "", err
	}
	_, _, err = l.st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "0", long: true, body: propfind(dav("sync-token"), cs("getctag"))}, func(_ *url.URL, r *response) error {
		if cursor == "" {
			cursor = fingerprint(r)
		}
		return nil
	})
	return cursor, err
}

var (
	objectNames = []xml.Name{dav("getetag"), dav("getcontentlength"), dav("getcontenttype"), dav("getlastmodified"), dav("resourcetype")}
	objectProps = prop(objectNames...)
)

// open begins a listing, once.
func (l *listing) open() error {
	if l.opened {
		return nil
	}
	l.opened = true
	return l.put(model.ObjectChange{Op: model.OpListing})
}

// initial lists everything by a sync without a token (RFC 6578 §3.4): Radicale
// answers that several times faster than a PROPFIND. errNoDelta: the server
// gave none, or not all; what it gave will be named again.
func (l *listing) initial(ctx context.Context) error {
	if err := l.open(); err != nil {
		return err
	}
	l.passed = false
	err := l.sync(ctx, "")
	if statusOf(err) != 0 || errors.Is(err, errXML) {
		return errors.Join(errNoDelta, err)
	}
	return err
}

// full lists everything.
func (l *listing) full(ctx context.Context) error {
	u, err := l.url()
	if err == nil {
		err = l.open()
	}
	if err != nil {
		return err
	}
	l.st.readings[l.c.ID] = &reading{}
	truncated := false
	_, _, err = l.st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "1", long: true, body: document(dav("propfind"), objectProps)}, func(base *url.URL, r *response) error {
		truncated = truncated || r.status == http.StatusInsufficientStorage
		return l.upsert(base, r)
	})
	if err == nil && truncated {
		return errTruncated
	}
	return err
}

// upsert reports a member.
func (l *listing) upsert(base *url.URL, r *response) error {
	o, ok := l.member(base, r)
	if !ok {
		return nil
	}
	l.st.of(l.c).count(o)
	return l.put(model.ObjectChange{Op: model.OpUpsert, Object: o})
}

func (l *listing) object(at *url.URL, r *response) model.Object {
	o := model.Object{ObjectRef: model.ObjectRef{ID: l.st.id(l.c, at), Version: version(r.text(dav("getetag")), r.text(dav("getlastmodified")), r.text(dav("getcontentlength")))}, Size: -1}
	if l.c.Kind == model.KindFiles {
		o.Name = lastSegment(o.ID)
	}
	if n, err := strconv.ParseInt(r.text(dav("getcontentlength")), 10, 64); err == nil && n >= 0 {
		o.Size = n
	}
	if t, _, err := mime.ParseMediaType(r.text(dav("getcontenttype"))); err == nil {
		o.Type = t
	}
	o.Modified = modified(r.text(dav("getlastmodified")))
	return o
}

func modified(text string) time.Time {
	if t, err := http.ParseTime(text); err == nil {
		return t.UTC()
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil { // some write it as creationdate is written
		return t.UTC()
	}
	return time.Time{}
}

// version is an entity tag without what does not change with the content: a
// server calls a fresh one weak and soon after strong. Without a tag, time and
// size have to do.
func version(etag, lastModified, length string) string {
	etag = strings.TrimSpace(etag)
	for _, weak := range []string{"W/", "w/"} {
		etag = strings.TrimPrefix(etag, weak)
	}
	if etag = strings.Trim(etag, `"`); etag != "" {
		return etag
	}
	if t := modified(lastModified); !t.IsZero() {
		return strconv.FormatInt(t.Unix(), 10) + "-" + length
	}
	return ""
}

// maxPages bounds how often a server may say that there is more (RFC 6578
// §3.6), as the size of a page is its own choice.
const maxPages = 100_000

// sync reports what changed since a token. errNoDelta: it cannot, or not all of
// it; what it reported is true all the same.
func (l *listing) sync(ctx context.Context, token string) error {
	u, err := l.url()
	if err != nil {
		return err
	}
	pages := 0
	for ask := before(token); ; ask = token {
		if pages++; pages > maxPages {
			return model.Faultf(model.ClassAccount, "sync", "the server's list of changes does not end")
		}
		body := document(dav("sync-collection"), element(dav("sync-token"), ask)+element(dav("sync-level"), "1")+objectProps)
		truncated := false
		next, _, err := l.st.c.multistatus(ctx, request{method: "REPORT", url: u, depth: "0", long: true, body: body}, func(base *url.URL, r *response) error {
			at := resolveHref(base, r.href, l.st.src.trusts)
			self := pathKey(at.EscapedPath()) == pathKey(base.EscapedPath())
			switch {
			case r.status == http.StatusInsufficientStorage:
				truncated = true
				return nil
			case self || r.href == "":
				return nil
			case r.status == http.StatusNotFound || r.status == http.StatusGone:
				if token == "" {
					return nil // nothing was known
				}
				return l.put(model.ObjectChange{Op: model.OpRemoved, Object: model.Object{ObjectRef: model.ObjectRef{ID: l.st.id(l.c, at)}, Size: -1}})
			}
			return l.upsert(base, r)
		})
		switch code := statusOf(err); {
		case err == nil:
		case code/100 == 4 || code == http.StatusNotImplemented || code == http.StatusInternalServerError || code == http.StatusInsufficientStorage || errors.Is(err, errXML):
			// A token may also end between two pages: then a listing follows what
			// was reported.
			return errors.Join(errNoDelta, err)
		default:
			return err
		}
		if token == "" && truncated {
			// Stalwart's token of a first page stands for all pages: the others
			// could never be had.
			return errNoDelta
		}
		if next == "" { // without a token the rest cannot be asked for, now or later
			if !l.passed || token == "" {
				return errNoDelta
			}
			next = token
			truncated = false
		}
		if !truncated {
			return l.put(model.ObjectChange{Op: model.OpCheckpoint, Cursor: "sync:" + next})
		}
		if next == token {
			return model.Faultf(model.ClassAccount, "sync", "the server tells half of what changed, again and again")
		}
		token = next
	}
}

// id names an object: its path, or its URL where that is at another server
// than its collection.
func (st *Store) id(c model.ObjectCollection, at *url.URL) string {
	if u, err := st.objectURL(c, c.ID); err == nil && origin(u) != origin(at) {
		return at.String()
	}
	return at.EscapedPath()
}

// objectURL is where an ID leads.
func (st *Store) objectURL(c model.ObjectCollection, id string) (*url.URL, error) {
	base := st.homeOf(c.Kind)
	if rest, ok := cutOrigin(c.ID); ok {
		u, err := url.Parse(c.ID[:len(c.ID)-len(rest)])
		if err != nil || !st.src.trusts(u) {
			return nil, model.Faultf(model.ClassAccount, "origin", "%s is at a server that may not see the credentials", id)
		}
		base = u
	}
	return resolveHref(base, id, st.src.trusts), nil
}

// homeOf is the first home of a kind: what lies at its origin is named by its
// path alone.
func (st *Store) homeOf(kind model.Kind) *url.URL {
	for _, h := range st.homes {
		if h.kind == kind {
			return h.url
		}
	}
	return &url.URL{}
}
