package sandbox

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// davCall is one request of WebDAV (RFC 4918), CalDAV (RFC 4791) or CardDAV
// (RFC 6352), worked off with the server's lock held.
type davCall struct {
	s          *Server
	tok        token
	a          *account
	h          *home // nil: files
	method     string
	header     http.Header
	path       string // as it was asked for
	collection string // segment of the path; empty: the home itself
	name       string // the same, of an object
	body       []byte
}

// davAnswer is what a request is answered with.
type davAnswer struct {
	status int
	header map[string]string
	body   []byte
}

func davStatus(status int) *davAnswer { return &davAnswer{status: status} }

func (r *davAnswer) write(w http.ResponseWriter) {
	for k, v := range r.header {
		w.Header().Set(k, v)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body)
}

// davMethods are the methods, each with the permission that it needs and what
// answers it. What the permission begins with depends on the kind.
var davMethods map[string]struct {
	permission string
	handle     func(*davCall) *davAnswer
}

func init() {
	davMethods = map[string]struct {
		permission string
		handle     func(*davCall) *davAnswer
	}{
		"GET": {"Get", davGet}, "PUT": {"Put", davPut}, "DELETE": {"Delete", davDelete}, "MOVE": {"Move", davMove},
		"MKCOL": {"MkCol", davMake}, "MKCALENDAR": {"MkCol", davMake}, "PROPPATCH": {"PropPatch", davPropPatch}, "PROPFIND": {"PropFind", davPropFind},
		"REPORT": {"", davReport},
	}
}

// serveDAV answers below /dav/cal, /dav/card and /dav/file. Collections of files
// are for JMAP; by WebDAV there are only their contents.
func (s *Server) serveDAV(w http.ResponseWriter, r *http.Request, tok token) {
	body, ok := readBody(r, tok.limit(s.limitsNow().MaxDAVRequest))
	if !ok {
		davStatus(http.StatusRequestEntityTooLarge).write(w)
		return
	}
	call := Call{Method: r.Method, Login: tok.name}
	if s.fault(w, call) {
		return
	}
	answer := s.dav(tok, r, body)
	call.After = true
	if answer.status/100 == 2 && r.Method != "GET" && r.Method != "PROPFIND" && r.Method != "REPORT" {
		call.Objects = 1
	}
	if s.fault(w, call) {
		return
	}
	answer.write(w)
}

func (s *Server) dav(tok token, r *http.Request, body []byte) *davAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &davCall{s: s, tok: tok, method: r.Method, header: r.Header, path: r.URL.EscapedPath(), body: body}
	if !d.find(d.path) {
		return davStatus(http.StatusNotFound)
	}
	m, ok := davMethods[d.method]
	if !ok {
		return davStatus(http.StatusMethodNotAllowed)
	}
	if d.h == nil {
		return d.file()
	}
	if m.permission != "" && !tok.can(d.h.kind.dav.permission+m.permission) {
		return davStatus(http.StatusForbidden)
	}
	return m.handle(d)
}

// find reads a path, "/dav/cal/<account>/<collection>/<name>"; names are taken as
// they are written. false: there is no such account, or the login may not see
// it.
func (d *davCall) find(path string) bool {
	parts := strings.SplitN(strings.TrimPrefix(path, "/dav/"), "/", 3)
	if len(parts) < 2 {
		return false
	}
	if d.a = d.s.davAccount(parts[1]); d.a == nil || !d.tok.owns(d.a.id) {
		return false
	}
	rest := ""
	if len(parts) == 3 {
		rest = parts[2]
	}
	if parts[0] == "file" {
		d.name = strings.TrimSuffix(rest, "/")
		return true
	}
	for _, kind := range homeKinds {
		if parts[0] == kind.segment {
			d.h = d.s.home(d.a, kind)
			d.collection, d.name, _ = strings.Cut(rest, "/")
			return !strings.Contains(d.name, "/")
		}
	}
	return false
}

// davAccount finds an account by its address or "_" and its number.
func (s *Server) davAccount(segment string) *account {
	if number, is := strings.CutPrefix(segment, "_"); is {
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil
		}
		return s.accounts[uint32(n)]
	}
	address, err := url.PathUnescape(segment)
	if err != nil {
		return nil
	}
	return s.byAddress(strings.ToLower(address))
}

// href is the path of something as the server writes it: by address.
func (d *davCall) href(segments ...string) string {
	address := strings.ReplaceAll(url.PathEscape(d.s.addressOf(d.a)), "@", "%40")
	return "/dav/" + d.h.kind.segment + "/" + address + "/" + strings.Join(segments, "/")
}

// at is the collection that the path names, and the object; nil where there is
// none.
func (d *davCall) at() (*collection, *object) {
	c := d.h.at(d.collection)
	if c == nil {
		return nil, nil
	}
	return c, c.objects[d.name]
}

// refuse answers with a precondition that failed (RFC 4918 §16), in the kind's
// own namespace.
func (d *davCall) refuse(condition, inner string) *davAnswer {
	w := d.h.kind.dav
	name := w.prefix + ":" + condition
	if condition == "quota-not-exceeded" {
		name = "D:" + condition
	}
	element := "<" + name + "/>"
	if inner != "" {
		element = "<" + name + ">" + inner + "</" + name + ">"
	}
	return d.xml(http.StatusPreconditionFailed, "D:error", element)
}

// xml answers with a document.
func (d *davCall) xml(status int, root, inner string) *davAnswer {
	w := d.h.kind.dav
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><` + root + ` xmlns:D="` + nsDAV + `" xmlns:A="` + nsCalDAV + `"`)
	if w.namespace == nsCardDAV {
		b.WriteString(` xmlns:B="` + nsCardDAV + `"`)
	}
	b.WriteString(">" + inner + "</" + root + ">")
	return &davAnswer{status, map[string]string{"Content-Type": "application/xml; charset=utf-8"}, b.Bytes()}
}

// escapeText writes text for XML.
func escapeText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
