package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"mailhaul.org/mailhaul/internal/contentline"
)

func davGet(d *davCall) *davAnswer {
	c, o := d.at()
	switch {
	case o != nil:
		return &davAnswer{http.StatusOK, map[string]string{"ETag": quoted(o.etag()), "Content-Type": d.h.kind.media}, []byte(o.text)}
	case c != nil && d.name == "":
		return davStatus(http.StatusMethodNotAllowed)
	}
	return davStatus(http.StatusNotFound)
}

func quoted(s string) string { return `"` + s + `"` }

// matches checks If-Match and If-None-Match (RFC 9110 §13.1).
func (d *davCall) matches(o *object) bool {
	if want := d.header.Get("If-Match"); want != "" && (o == nil || want != "*" && want != quoted(o.etag())) {
		return false
	}
	unwanted := d.header.Get("If-None-Match")
	return unwanted == "" || o == nil || unwanted != "*" && unwanted != quoted(o.etag())
}

// davPut stores an object. Nobody is invited to anything.
func davPut(d *davCall) *davAnswer {
	c, o := d.at()
	switch {
	case d.name == "" || d.collection == "":
		return davStatus(http.StatusMethodNotAllowed)
	case c == nil:
		return davStatus(http.StatusConflict)
	case !d.matches(o):
		return davStatus(http.StatusPreconditionFailed)
	}
	limit := d.h.kind.maxSize(d.s.limits)
	if int64(len(d.body)) > limit {
		return d.refuse("max-resource-size", fmt.Sprint(limit))
	}
	uid, text, condition := d.read()
	if condition != "" {
		return d.refuse(condition, "")
	}
	if o != nil && o.text == text {
		return davStatus(http.StatusNoContent)
	}
	if o != nil && uid != o.uid {
		return d.refuse("no-uid-conflict", "<D:href>"+d.href(c.segment, o.name)+"</D:href>")
	}
	if conflict := d.conflict(c, uid, o); conflict != nil {
		return conflict
	}
	before := 0
	if o != nil {
		before = len(o.text)
	}
	if d.a.overQuota(int64(len(text) - before)) {
		return d.refuse("quota-not-exceeded", "")
	}
	status := http.StatusNoContent
	if o == nil {
		status = http.StatusCreated
	}
	o = d.s.put(d.a, d.h, c, d.name, uid, text)
	return &davAnswer{status: status, header: map[string]string{"ETag": quoted(o.etag())}}
}

// conflict refuses a UID that another object of the collection has.
func (d *davCall) conflict(c *collection, uid string, o *object) *davAnswer {
	if uid == "" {
		return nil
	}
	if other := c.holder(uid, o); other != nil {
		return d.refuse("no-uid-conflict", "<D:href>"+d.href(c.segment, other.name)+"</D:href>")
	}
	return nil
}

// read reads the body of a PUT as an object, and writes it as the server gives
// it back. condition says what is wrong with it.
func (d *davCall) read() (uid, text, condition string) {
	if d.h.kind == calendarKind {
		cal := readComponent(d.body, "VCALENDAR", false)
		if cal == nil || !utf8.Valid(d.body) {
			return "", "", d.h.kind.dav.unsupported
		}
		uid, ok := calendarUID(cal)
		if !ok {
			return "", "", "valid-calendar-object-resource"
		}
		return uid, string(cal.write(nil)), ""
	}
	card := readComponent(d.body, "VCARD", true)
	if card == nil || !utf8.Valid(d.body) {
		return "", "", d.h.kind.dav.unsupported
	}
	for i, l := range card.lines {
		if l.Is("UID") {
			card.lines[i] = l.WithValue(contentline.Unescape(l.Value))
		} else {
			card.lines[i] = binaryLine(l)
		}
	}
	return card.text("UID"), string(card.write(nil)), ""
}

// binaryLine writes a binary value of a card as the server does. One that is text it
// damages: it gives it back as text, without its encoding.
func binaryLine(l contentline.Line) contentline.Line {
	e := l.First("ENCODING")
	if !strings.EqualFold(e, "b") && !strings.EqualFold(e, "base64") {
		return l
	}
	plain := l.Without("ENCODING")
	raw, err := base64.StdEncoding.DecodeString(l.Value)
	if err == nil && utf8.Valid(raw) {
		return plain.WithValue(contentline.Escape(string(raw)))
	}
	return plain.WithParams(append(slices.Clip(plain.Params), contentline.Param{Name: "ENCODING", Values: []string{"b"}}))
}

func davDelete(d *davCall) *davAnswer {
	_, o := d.at()
	switch {
	case d.name == "":
		return davStatus(http.StatusMethodNotAllowed)
	case o == nil:
		return davStatus(http.StatusNotFound)
	case !d.matches(o):
		return davStatus(http.StatusPreconditionFailed)
	}
	d.h.remove(d.a, o)
	return davStatus(http.StatusNoContent)
}

// davMove moves an object to another collection of the account, and never over
// what is there.
func davMove(d *davCall) *davAnswer {
	_, o := d.at()
	if o == nil {
		return davStatus(http.StatusNotFound)
	}
	u, err := url.Parse(d.header.Get("Destination"))
	if err != nil {
		return davStatus(http.StatusBadRequest)
	}
	to := &davCall{s: d.s, tok: d.tok}
	if !to.find(u.EscapedPath()) || to.h != d.h || to.name == "" {
		return davStatus(http.StatusBadGateway)
	}
	c, there := to.at()
	switch {
	case c == nil:
		return davStatus(http.StatusConflict)
	case there == o:
		return davStatus(http.StatusForbidden)
	case there != nil:
		return davStatus(http.StatusPreconditionFailed)
	}
	if conflict := d.conflict(c, o.uid, o); conflict != nil {
		return conflict
	}
	d.h.move(d.a, o, c, to.name)
	return davStatus(http.StatusCreated)
}

// file gives the content of a file.
func (d *davCall) file() *davAnswer {
	if d.method != "GET" || !d.tok.can("davFileGet") {
		return davStatus(http.StatusMethodNotAllowed)
	}
	n := &fileNode{folder: true}
	for part := range strings.SplitSeq(d.name, "/") {
		if n = d.a.files.named(n.doc, part); n == nil {
			return davStatus(http.StatusNotFound)
		}
	}
	if n.folder {
		return davStatus(http.StatusMethodNotAllowed)
	}
	data, ok, err := d.s.blobs.get(n.hash)
	if err != nil || !ok {
		return davStatus(http.StatusInternalServerError)
	}
	return &davAnswer{http.StatusOK, map[string]string{"ETag": quoted(etag(string(n.hash[:]))), "Content-Type": n.media,
		"Last-Modified": n.modified.UTC().Format(http.TimeFormat)}, data}
}
