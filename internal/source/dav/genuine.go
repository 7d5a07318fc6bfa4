package dav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"

	"mailhaul.org/mailhaul/internal/model"
)

// A proxy that has forgotten its login answers a GET with a page to log in, and
// the status of success (200); a web server may run a file instead of giving it.
// For a calendar object or card that shows at once. A file may be anything, so
// what is told of it has to show: the version that was listed is the file;
// anything else is looked up again, and must be what the server says of it now.

// CodeNotTheFile: what the server gives in place of a file is not what it lists.
const CodeNotTheFile = "notTheFile"

// strangers is how often a file is asked for that comes otherwise than it is
// listed: somebody may be changing it.
const strangers = 3

// facts are what a server says of a file beside its content.
type facts struct {
	etag     string // without quotes and W/
	version  string
	length   int64 // octets; -1: not told
	media    string
	modified string
}

// listedFacts are those of a listing.
func listedFacts(r *response) facts {
	f := facts{length: -1, media: mediaType(r.text(dav("getcontenttype"))), modified: r.text(dav("getlastmodified"))}
	f.etag = version(r.text(dav("getetag")), "", "")
	f.version = version(r.text(dav("getetag")), f.modified, r.text(dav("getcontentlength")))
	if n, err := strconv.ParseInt(r.text(dav("getcontentlength")), 10, 64); err == nil && n >= 0 {
		f.length = n
	}
	return f
}

// givenFacts are those of an answer to GET.
func givenFacts(a *answer) facts {
	h := a.Header
	return facts{etag: version(h.Get("ETag"), "", ""), version: version(h.Get("ETag"), h.Get("Last-Modified"), h.Get("Content-Length")),
		length: a.ContentLength, media: mediaType(h.Get("Content-Type")), modified: h.Get("Last-Modified")}
}

func mediaType(text string) string {
	t, _, _ := mime.ParseMediaType(text) // what cannot be read says nothing
	return t
}

// cutUnseen: the answer ends with its connection, so that one that is cut off
// looks like a whole one (RFC 9112 §6.3).
func cutUnseen(a *answer) bool {
	return a.ContentLength < 0 && a.ProtoMajor < 2 && len(a.TransferEncoding) == 0
}

// genuine looks at what a GET gives for a file, before it is read. It returns
// what the server says of the file now, where that had to be asked for, and why
// the answer is not the file; empty: it is. A version that was listed is enough.
func (st *Store) genuine(ctx context.Context, o model.ObjectRef, a *answer) (told *facts, why string, err error) {
	given := givenFacts(a)
	if given.version != "" && given.version == o.Version && !cutUnseen(a) {
		return nil, "", nil
	}
	now, err := st.lookAgain(ctx, a.asked)
	if statusOf(err) == http.StatusNotFound || statusOf(err) == http.StatusGone {
		return nil, "", err
	} else if statusOf(err) != 0 || errors.Is(err, errXML) {
		return nil, fmt.Sprintf("it is not what was listed, and of the file the server says nothing any more: %v", err), nil
	} else if err != nil {
		return nil, "", err
	}
	return &now, now.stranger(given, a), nil
}

// stranger says why an answer is not the file of which f is said. Entity tags
// alone do not tell: some servers give a file with another one than they list it
// with (SharePoint adds "pub").
func (f *facts) stranger(given facts, a *answer) string {
	if given.length >= 0 {
		if why := f.measure(given.length); why != "" {
			return why
		}
	}
	if f.etag != "" && f.etag == given.etag {
		return ""
	}
	media := f.media
	if media == "" {
		media = mediaType(mime.TypeByExtension(path.Ext(a.asked.Path)))
	}
	moved := pathKey(a.url.EscapedPath()) != pathKey(a.asked.EscapedPath())
	listed, said := modified(f.modified), modified(given.modified)
	switch {
	case isPage(given.media) && media != "" && !isPage(media):
		return fmt.Sprintf("a web page (%s) in place of %s, as for a login", given.media, media)
	case f.etag != "" && given.etag != "" && (f.length < 0 || listed.IsZero() || !listed.Equal(said)):
		return fmt.Sprintf("the server lists it with the entity tag %q and gives it with %q", f.etag, given.etag)
	case f.length >= 0: // as many octets, which no page has by accident
		return ""
	case moved:
		return fmt.Sprintf("the server leads from it to %s, as for a login", a.url.EscapedPath())
	case isPage(given.media) && len(a.Header.Values("Set-Cookie")) > 0:
		return "a web page with a cookie, as for a login"
	}
	return ""
}

func isPage(media string) bool { return media == "text/html" || media == "application/xhtml+xml" }

// measure says why so many octets are not the file; nothing where nothing is told.
func (f *facts) measure(octets int64) string {
	if f == nil || f.length < 0 || f.length == octets {
		return ""
	}
	return fmt.Sprintf("the server lists it with %d octets and gives %d", f.length, octets)
}

// lookAgain asks what the server says of a file now.
func (st *Store) lookAgain(ctx context.Context, u *url.URL) (f facts, err error) {
	f.length = -1
	found := 0
	_, _, err = st.c.multistatus(ctx, request{method: "PROPFIND", url: u, depth: "0", body: document(dav("propfind"), objectProps)}, func(_ *url.URL, r *response) error {
		switch r.status {
		case 0, http.StatusOK:
			f, found = listedFacts(r), http.StatusOK
		default:
			found = r.status
		}
		return nil
	})
	if err == nil && found != http.StatusOK {
		err = &statusError{method: "PROPFIND", path: u.EscapedPath(), code: max(found, http.StatusNotFound)}
	}
	return f, err
}

// notTheFile refuses what came in place of a file.
func notTheFile(why string) error {
	return &model.Fault{Class: model.ClassItem, Code: CodeNotTheFile, Err: fmt.Errorf("what came in its place is not it: %s", why),
		Remedy: "look at it at the source with this login; a proxy may ask for another login (write the server's own address into source.dav), or the web server may run the file instead of giving it"}
}

// measured is a stream that must have as many octets as are listed.
type measured struct {
	io.Reader
	told *facts
	n    int64
}

// Read implements io.Reader.
func (m *measured) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.n += int64(n)
	if errors.Is(err, io.EOF) {
		if why := m.told.measure(m.n); why != "" {
			return n, notTheFile(why)
		}
	}
	return n, err
}
