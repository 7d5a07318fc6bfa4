package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// davReport answers queries (RFC 4791 §7.8, RFC 6352 §8.6), multigets and
// sync-collection (RFC 6578).
func davReport(d *davCall) *davAnswer {
	root := readXML(d.body)
	if root == nil {
		return davStatus(http.StatusBadRequest)
	}
	words := d.h.kind.dav
	answers := map[string]struct {
		permission string
		handle     func(*davCall, *element) *davAnswer
	}{
		words.query:       {words.permission + "Query", (*davCall).queried},
		words.multiget:    {words.permission + "MultiGet", (*davCall).multiget},
		"sync-collection": {"davSyncCollection", (*davCall).sync},
	}
	report, ok := answers[root.Local]
	switch {
	case !ok:
		return d.xml(http.StatusForbidden, "D:error", "<D:supported-report/>")
	case !d.tok.can(report.permission):
		return davStatus(http.StatusForbidden)
	}
	return report.handle(d, root)
}

// aboutObject tells properties of an object, its text among them.
func (d *davCall) aboutObject(o *object, props []*element) string {
	words := d.h.kind.dav
	return davResponse(d.href(o.in.segment, o.name), propstats(props, func(p *element) (string, bool) {
		switch {
		case p.Space == nsDAV && p.Local == "getetag":
			return escapeText(quoted(o.etag())), true
		case p.Space == nsDAV && p.Local == "getcontenttype":
			return d.h.kind.media, true
		case p.Space == nsDAV && p.Local == "resourcetype":
			return "", true
		case p.Space == words.namespace && p.Local == words.data:
			// Nothing in a text can end the section: "]]>" becomes two.
			return "<![CDATA[" + strings.ReplaceAll(partOf(o.text, p), "]]>", "]]]]><![CDATA[>") + "]]>", true
		}
		return "", false
	}))
}

// partOf is what a request wants of a text: all of it, or some properties
// (RFC 4791 §9.6, RFC 6352 §10.4).
func partOf(text string, wanted *element) string {
	if len(wanted.children) == 0 {
		return text
	}
	keep := map[string][]string{}
	root := "VCARD"
	if wanted.has("comp") {
		root = "VCALENDAR"
		wantedParts(wanted, keep)
	} else {
		keep[root] = namesOf(wanted)
	}
	c := readComponent([]byte(text), root, false)
	if c == nil {
		return text
	}
	p := c.pruned(keep)
	if p == nil {
		return ""
	}
	return string(p.write(nil))
}

func wantedParts(e *element, keep map[string][]string) {
	for _, c := range e.children {
		if c.Local == "comp" {
			keep[strings.ToUpper(c.attribute("name"))] = namesOf(c)
			wantedParts(c, keep)
		}
	}
}

func namesOf(e *element) []string {
	names := []string{}
	for _, c := range e.children {
		if c.Local == "prop" {
			names = append(names, c.attribute("name"))
		}
	}
	return names
}

// multistatus answers with objects, no more than the limit, and says if there
// may be more (RFC 6352 §8.6.2): the server says so as soon as the limit is
// reached.
func (d *davCall) multistatus(all []*object, props []*element, rest string) *davAnswer {
	var out strings.Builder
	for i, o := range all {
		out.WriteString(d.aboutObject(o, props))
		if i+1 == d.s.limits.MaxDAVResults {
			out.WriteString(d.truncated())
			break
		}
	}
	return d.xml(http.StatusMultiStatus, "D:multistatus", out.String()+rest)
}

func (d *davCall) truncated() string {
	return davResponse(d.path, "<D:status>HTTP/1.1 507 Insufficient Storage</D:status><D:error><D:number-of-matches-within-limits/></D:error>"+
		fmt.Sprintf("<D:responsedescription>The number of matches exceeds the limit of %d</D:responsedescription>", d.s.limits.MaxDAVResults))
}

func (d *davCall) queried(root *element) *davAnswer {
	c, _ := d.at()
	if c == nil {
		return d.xml(http.StatusMultiStatus, "D:multistatus", davGone(d.path))
	}
	match, ok := d.filter(root.child("filter"))
	if !ok {
		return d.refuse("supported-filter", "")
	}
	var found []*object
	for _, o := range c.sorted() {
		if match(o) {
			found = append(found, o)
		}
	}
	return d.multistatus(found, root.child("prop").children, "")
}

// filter understands what a property says (RFC 4791 §9.7, RFC 6352 §10.5), and
// no ranges of time.
func (d *davCall) filter(f *element) (match func(*object) bool, ok bool) {
	root, in := "VCARD", "VCARD"
	if d.h.kind == calendarKind {
		f = f.child("comp-filter")
		root, in = "VCALENDAR", ""
		if f.has("comp-filter") {
			f = f.child("comp-filter")
			in = f.attribute("name")
		}
	}
	if f.has("time-range") {
		return nil, false
	}
	prop := f.child("prop-filter")
	name, want := prop.attribute("name"), prop.child("text-match")
	whole := want.attribute("match-type") == "equals"
	says := func(l contentline.Line) bool {
		value := contentline.Unescape(l.Value)
		return l.Is(name) && (whole && value == want.text || !whole && strings.Contains(value, want.text))
	}
	return func(o *object) bool {
		if in == "" || in == "VCARD" && name == "" {
			return true
		}
		c := readComponent([]byte(o.text), root, false)
		if c == nil {
			return false
		}
		return slices.ContainsFunc(append([]*component{c}, c.children...), func(c *component) bool {
			return c.name == in && (name == "" || slices.ContainsFunc(c.lines, says))
		})
	}, true
}

func (d *davCall) multiget(root *element) *davAnswer {
	var found []*object
	gone := ""
	for _, e := range root.children {
		if e.Local != "href" {
			continue
		}
		at := &davCall{s: d.s, tok: d.tok}
		if at.find(strings.TrimSpace(e.text)) && at.h == d.h {
			if _, o := at.at(); o != nil {
				found = append(found, o)
				continue
			}
		}
		gone += davGone(e.text)
	}
	return d.multistatus(found, root.child("prop").children, gone)
}

// sync tells what has changed in a collection since a token. One that the server
// does not know is the beginning.
func (d *davCall) sync(root *element) *davAnswer {
	c, _ := d.at()
	if c == nil {
		return davStatus(http.StatusNotFound)
	}
	props := root.child("prop").children
	since, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(root.child("sync-token").text), "urn:stalwart:davsync:"), 16, 64)
	first := err != nil
	var changed []*object
	for _, o := range c.objects {
		if first || o.change > since {
			changed = append(changed, o)
		}
	}
	slices.SortFunc(changed, func(a, b *object) int { return cmp.Compare(a.change, b.change) })
	var out strings.Builder
	room := d.s.limits.MaxDAVResults
	if first || c.change > since {
		out.WriteString(d.aboutCollection(c, props))
		room--
	}
	until := d.now()
	for _, o := range changed {
		out.WriteString(d.aboutObject(o, props))
		if room--; room == 0 {
			until = o.change
			out.WriteString(d.truncated())
			break
		}
	}
	for _, v := range d.h.vanished {
		if !first && v.collection == c.doc && v.from <= since && v.change > since && v.change <= until && c.objects[v.name] == nil {
			out.WriteString(davGone(d.href(c.segment, v.name)))
		}
	}
	return d.xml(http.StatusMultiStatus, "D:multistatus", out.String()+"<D:sync-token>"+d.syncToken(until)+"</D:sync-token>")
}
