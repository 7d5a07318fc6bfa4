package dav

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/source"
)

const (
	// batch is how many objects one multiget asks for, at most, and firstBatch
	// the first one, which shows how fast the server is.
	batch, firstBatch = 100, 25
	// whole is the most octets of an object that is read ahead, into memory;
	// larger ones are streamed.
	whole = 256 << 10
	// wholeObject is that of calendar objects and cards, which are small.
	wholeObject = 16 << 20
	// ahead is how many objects are asked for at once, each by itself.
	ahead = 4
)

// handler is what ReadObjects gives objects to.
type handler func(model.ObjectRef, *source.Content, error) error

// ReadObjects implements source.Objects. Calendar objects and cards come by
// multiget; what that does not give comes by GET, as files do.
func (st *Store) ReadObjects(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	var m missing
	if err := st.read(ctx, c, objects, m.holding(fn)); err != nil {
		return err
	}
	return m.tell(ctx, st, c, fn)
}

func (st *Store) read(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn handler) error {
	if c.Kind == model.KindFiles {
		return st.gets(ctx, c, objects, fn)
	}
	r := st.of(c)
	for len(objects) > 0 {
		if r.worthwhile(st.src.opts.patience, len(objects)) {
			if err := st.bulk(ctx, c, r); err != nil {
				return err
			}
		}
		n := min(st.batch, len(objects))
		rest, err := r.bulk.give(objects[:n], fn)
		if err != nil {
			return err
		}
		if !st.noMultiget && len(rest) > 0 {
			asked := len(rest)
			rest, err = st.multiget(ctx, c, rest, fn)
			if model.CodeOf(err) == codeSlow && asked > 1 {
				// It would take as long again: less may come in time.
				st.most = max(asked/2, 1)
				st.batch = max(asked/4, 1)
				st.src.opts.Log.Info("read fewer objects at a time: the server is slow", "account", st.acc.Login, "objects", st.batch, "error", err)
				objects = append(slices.Clone(rest), objects[n:]...)
				continue
			} else if err != nil {
				return err
			}
		}
		if err := st.gets(ctx, c, rest, fn); err != nil {
			return err
		}
		objects = objects[n:]
	}
	return nil
}

// stopped is an error of the one who reads.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }
func (s *stopped) Unwrap() error { return s.err }

// multiget reads objects by a report (RFC 4791 §7.9, RFC 6352 §8.7) and
// returns those that it did not give.
func (st *Store) multiget(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn handler) (rest []model.ObjectRef, err error) {
	began, elsewhere, given := time.Now(), time.Duration(0), int64(0) // without what fn takes
	u, err := st.objectURL(c, c.ID)
	if err != nil {
		return nil, err
	}
	root, data := caldav("calendar-multiget"), caldav("calendar-data")
	if c.Kind == model.KindContacts {
		root, data = carddav("addressbook-multiget"), carddav("address-data")
	}
	var inside strings.Builder
	inside.WriteString(prop(dav("getetag"), data))
	pending := map[string]model.ObjectRef{}
	for _, o := range objects {
		inside.WriteString(element(dav("href"), pathOf(o.ID)))
		pending[pathKey(pathOf(o.ID))] = o
	}
	_, _, err = st.c.multistatus(ctx, request{method: "REPORT", url: u, depth: "0", once: len(objects) > 1, body: document(root, inside.String())}, func(base *url.URL, r *response) error {
		key := pathKey(resolveHref(base, r.href, st.src.trusts).EscapedPath())
		o, ok := pending[key]
		if !ok {
			return nil
		}
		text := objectText(r, data)
		if text == nil {
			return nil // a GET tells why
		}
		if c.Kind == model.KindContacts && st.converted(o.ID, string(text)) {
			return nil // a GET asks for the version that it has
		}
		delete(pending, key)
		o.Version = version(r.text(dav("getetag")), "", "")
		given += int64(len(text))
		pause := time.Now()
		defer func() { elsewhere += time.Since(pause) }()
		if err := fn(o, paced(text), nil); err != nil {
			return &stopped{err}
		}
		return nil
	})
	if s, ok := errors.AsType[*stopped](err); ok {
		return nil, s.err
	}
	if model.CodeOf(err) == codeSlow {
		return objects, err
	}
	st.pace(st.of(c), len(objects)-len(pending), given, time.Since(began)-elsewhere)
	if code := statusOf(err); len(pending) == len(objects) && (code == http.StatusNotImplemented || code == http.StatusMethodNotAllowed || code == http.StatusForbidden || code == http.StatusUnsupportedMediaType) {
		st.noMultiget = true
		st.src.opts.Log.Info("read objects one by one: the server refuses multiget", "account", st.acc.Login, "error", err)
	}
	if err != nil && (ctx.Err() != nil || statusOf(err) == 0 && !errors.Is(err, errXML)) {
		return nil, err
	}
	for _, o := range objects {
		if _, left := pending[pathKey(pathOf(o.ID))]; left {
			rest = append(rest, o)
		}
	}
	return rest, nil
}

// pathOf is the path of an ID.
func pathOf(id string) string {
	if rest, ok := cutOrigin(id); ok {
		return rest
	}
	return id
}

// paced is an object's text that has come over the network.
func paced(text []byte) *source.Content {
	c := source.Whole(text)
	c.Paced = true
	return c
}

// got is an object that was asked for by itself.
type got struct {
	ref     model.ObjectRef
	content *source.Content
	close   func()
	large   bool // to be asked for again when its turn comes
	err     error
}

// gets reads objects one by one, a few at once as long as they are small.
func (st *Store) gets(ctx context.Context, c model.ObjectCollection, objects []model.ObjectRef, fn handler) error {
	limit := int64(whole)
	if c.Kind != model.KindFiles {
		limit = wholeObject
	}
	for width := ahead; len(objects) > 0; {
		n := min(width, len(objects))
		some := make([]got, n)
		streamed := n == 1 && c.Kind == model.KindFiles
		if !streamed {
			var wg sync.WaitGroup
			for i, o := range objects[:n] {
				wg.Go(func() { some[i] = st.get(ctx, c, o, limit) })
			}
			wg.Wait()
		}
		width = min(2*width, ahead)
		for i, o := range objects[:n] {
			g := some[i]
			if streamed || g.large {
				g = st.get(ctx, c, o, 0)
			}
			if g.content != nil && (g.content.Size < 0 || g.content.Size > limit) {
				width = 1 // large ones come together: nothing is asked for twice
			}
			if err := st.hand(c, g, fn); err != nil {
				return err
			}
		}
		objects = objects[n:]
	}
	return nil
}

// hand gives one object on. Only an error that is not the object's own ends
// the reading.
func (st *Store) hand(c model.ObjectCollection, g got, fn handler) error {
	if g.close != nil {
		defer g.close()
	}
	if g.err == nil {
		return fn(g.ref, g.content, nil)
	}
	err := st.fault(g.err, model.ClassItem, strings.Join(c.Path, "/"), lastSegment(g.ref.ID))
	if model.ClassOf(err) != model.ClassItem {
		return err
	}
	return fn(g.ref, nil, err)
}

// get asks for one object. With a limit it is read into memory, unless it is
// larger: then it is only said to be. Without one it is streamed.
func (st *Store) get(ctx context.Context, c model.ObjectCollection, o model.ObjectRef, limit int64) got {
	var broken error
	for n := 1; n <= reach.Attempts; n++ {
		a, err := st.open(ctx, c, o)
		if err != nil {
			return got{ref: o, err: err}
		}
		if limit > 0 && a.ContentLength > limit {
			a.Body.Close()
			return got{ref: o, large: true}
		}
		var told *facts
		if c.Kind == model.KindFiles {
			var why string
			if told, why, err = st.genuine(ctx, o, a); err != nil || why != "" {
				a.Body.Close()
				if err == nil && n < strangers {
					continue // somebody may be changing it
				} else if err == nil {
					err = notTheFile(why)
				}
				return got{ref: o, err: err}
			}
		}
		v := version(a.Header.Get("ETag"), a.Header.Get("Last-Modified"), a.Header.Get("Content-Length"))
		if told != nil && told.version != "" {
			v = told.version // as the next listing will have it
		}
		ref := model.ObjectRef{ID: o.ID, Version: v}
		if limit == 0 {
			body := &resuming{ctx: ctx, st: st, url: a.url, body: a.Body, etag: a.Header.Get("ETag"), size: a.ContentLength}
			return got{ref: ref, content: &source.Content{Reader: &measured{Reader: body, told: told}, Size: a.ContentLength, Paced: true}, close: func() { body.body.Close() }}
		}
		text, err := io.ReadAll(io.LimitReader(a.Body, limit+1))
		a.Body.Close()
		switch {
		case err != nil:
			broken = st.c.unreachable(a.url, err)
			if ctx.Err() != nil {
				return got{ref: o, err: context.Cause(ctx)}
			}
			continue
		case int64(len(text)) > limit:
			return got{ref: ref, large: true}
		}
		if c.Kind != model.KindFiles && isPage(mediaType(a.Header.Get("Content-Type"))) && !bytes.Contains(bytes.ToUpper(text), []byte("BEGIN:")) {
			return got{ref: o, err: notTheFile("a web page, as for a login: " + excerpt(bytes.NewReader(text)))}
		}
		if why := told.measure(int64(len(text))); why != "" {
			if n < strangers {
				continue
			}
			return got{ref: o, err: notTheFile(why)}
		}
		st.seeVersion(o.ID, text)
		return got{ref: ref, content: paced(text)}
	}
	return got{ref: o, err: st.c.giveUp(broken)}
}

// open asks for an object, by other spellings of its name where it is not
// found.
func (st *Store) open(ctx context.Context, c model.ObjectCollection, o model.ObjectRef) (*answer, error) {
	u, err := st.objectURL(c, o.ID)
	if err != nil {
		return nil, err
	}
	r := request{method: http.MethodGet, url: u, header: http.Header{"Accept-Encoding": {"identity"}}}
	if st.newer[o.ID] {
		r.header.Set("Accept", newerCards)
	}
	a, err := st.c.do(ctx, r)
	if statusOf(err) != 0 && r.header.Get("Accept") != "" {
		st.noNewer.Store(true) // some fail on such a header
		r.header.Del("Accept")
		a, err = st.c.do(ctx, r)
	}
	if statusOf(err) != http.StatusNotFound {
		return a, err
	}
	for _, path := range spellings(u.EscapedPath()) {
		r.url = withPath(u, path)
		if b, berr := st.c.do(ctx, r); berr == nil {
			return b, nil
		}
	}
	return nil, err
}

// resuming is a stream that goes on where a broken connection ended, if the
// server can give the rest of the same version (RFC 9110 §14).
type resuming struct {
	ctx   context.Context
	st    *Store
	url   *url.URL
	body  io.ReadCloser
	etag  string
	at    int64
	size  int64 // -1: unknown
	tries int
}

// Read implements io.Reader.
func (r *resuming) Read(p []byte) (int, error) {
	for {
		n, err := r.body.Read(p)
		r.at += int64(n)
		if n > 0 {
			r.tries = 0
			return n, nil
		}
		if err == nil || errors.Is(err, io.EOF) && (r.size < 0 || r.at == r.size) {
			return 0, err
		}
		if r.ctx.Err() != nil {
			return 0, context.Cause(r.ctx)
		}
		if err := r.resume(err); err != nil {
			return 0, err
		}
	}
}

func (r *resuming) resume(cause error) error {
	r.body.Close()
	lost := &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Account: r.st.acc.Login, Item: lastSegment(r.url.EscapedPath()),
		Err: fmt.Errorf("the connection broke after %d octets: %w", r.at, cause), Remedy: "run the same command again"}
	if r.tries++; r.tries >= reach.Attempts || r.etag == "" || strings.HasPrefix(r.etag, "W/") {
		return lost
	}
	a, err := r.st.c.do(r.ctx, request{method: http.MethodGet, url: r.url,
		header: http.Header{"Accept-Encoding": {"identity"}, "Range": {fmt.Sprintf("bytes=%d-", r.at)}, "If-Range": {r.etag}}})
	if err != nil {
		return lost
	}
	r.body = a.Body
	if a.StatusCode != http.StatusPartialContent || !strings.HasPrefix(a.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", r.at)) {
		return lost // it has changed, or the server knows no ranges
	}
	return nil
}
