package sandbox

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// davMake makes a calendar or a book (RFC 4791 §5.3.1, RFC 5689).
func davMake(d *davCall) *davAnswer {
	switch {
	case d.collection == "" || d.h.at(d.collection) != nil:
		return davStatus(http.StatusMethodNotAllowed)
	case d.name != "":
		return davStatus(http.StatusConflict)
	}
	c := d.h.make(d.a, d.collection)
	// The owner calls it by its path if somebody else makes it.
	c.looks[d.a.id] = &look{name: c.segment, visible: true, availability: "all"}
	done := ""
	if root := readXML(d.body); root != nil {
		for _, p := range root.child("set").child("prop").children {
			d.describe(c, p)
			done += tag(p.Name, "")
		}
	}
	root := "A:mkcalendar-response"
	if d.method == "MKCOL" {
		root = "D:mkcol-response"
	}
	answer := d.xml(http.StatusCreated, root, propstat(done, "200 OK"))
	answer.header["ETag"] = quoted(c.etag())
	return answer
}

// davPropPatch changes properties (RFC 4918 §9.2).
func davPropPatch(d *davCall) *davAnswer {
	c, _ := d.at()
	root := readXML(d.body)
	switch {
	case c == nil || d.name != "":
		return davStatus(http.StatusNotFound)
	case root == nil:
		return davStatus(http.StatusBadRequest)
	}
	done := ""
	for _, change := range root.children {
		for _, p := range change.child("prop").children {
			if change.Local == "remove" {
				c.dead = slices.DeleteFunc(c.dead, func(have deadProperty) bool { return have.space == p.Space && have.name == p.Local })
			} else {
				d.describe(c, p)
			}
			done += tag(p.Name, "")
		}
	}
	d.h.touched(d.a, c)
	answer := d.xml(http.StatusMultiStatus, "D:multistatus", davResponse(d.path, propstat(done, "200 OK")))
	answer.header["ETag"] = quoted(c.etag())
	return answer
}

// describe sets one property of a collection. Its name is the login's own; what
// the server does not know it keeps.
func (d *davCall) describe(c *collection, p *element) {
	switch {
	case p.Space == nsDAV && p.Local == "resourcetype":
	case p.Space == nsDAV && p.Local == "displayname":
		l := d.h.look(c, d.a.id, d.tok.account)
		l.name = p.text
		c.looks[d.tok.account] = &l
	case p.Space == nsCalDAV && p.Local == "supported-calendar-component-set":
		c.components = nil
		for _, comp := range p.children {
			c.components = append(c.components, strings.ToUpper(comp.attribute("name")))
		}
	default:
		c.dead = slices.DeleteFunc(c.dead, func(have deadProperty) bool { return have.space == p.Space && have.name == p.Local })
		c.dead = append(c.dead, deadProperty{p.Space, p.Local, p.text})
	}
}

// davPropFind tells properties of the home and its collections, or of a
// collection and its objects.
func davPropFind(d *davCall) *davAnswer {
	c, o := d.at()
	if d.collection != "" && c == nil || d.name != "" && o == nil {
		return davStatus(http.StatusNotFound)
	}
	var props []*element
	if root := readXML(d.body); root != nil {
		props = root.child("prop").children
	}
	if len(props) == 0 {
		for _, name := range []string{"displayname", "getetag", "resourcetype", "sync-token"} {
			props = append(props, &element{Name: xml.Name{Space: nsDAV, Local: name}})
		}
	}
	deep := d.header.Get("Depth") == "1"
	var out strings.Builder
	switch {
	case o != nil:
		out.WriteString(d.aboutObject(o, props))
	case c != nil:
		out.WriteString(d.aboutCollection(c, props))
		if deep {
			for _, o := range c.sorted() {
				out.WriteString(d.aboutObject(o, props))
			}
		}
	default:
		out.WriteString(davResponse(d.href(), propstats(props, func(p *element) (string, bool) {
			switch p.Local {
			case "displayname":
				return escapeText(d.s.addressOf(d.a)), true
			case "resourcetype":
				return "<D:collection/>", true
			}
			return "", false
		})))
		if deep {
			for _, doc := range sortedKeys(d.h.collections) {
				out.WriteString(d.aboutCollection(d.h.collections[doc], props))
			}
		}
	}
	return d.xml(http.StatusMultiStatus, "D:multistatus", out.String())
}

// allComponents are what a calendar says it takes unless it was told otherwise.
var allComponents = []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "VALARM", "STANDARD", "DAYLIGHT", "VAVAILABILITY", "AVAILABLE", "PARTICIPANT", "VLOCATION", "VRESOURCE"}

func (d *davCall) aboutCollection(c *collection, props []*element) string {
	kind := d.h.kind
	return davResponse(d.href(c.segment, ""), propstats(props, func(p *element) (string, bool) {
		switch {
		case p.Space == nsDAV && p.Local == "displayname":
			return escapeText(d.h.look(c, d.a.id, d.tok.account).name), true
		case p.Space == nsDAV && p.Local == "getetag":
			return escapeText(quoted(c.etag())), true
		case p.Space == nsDAV && p.Local == "resourcetype":
			return "<D:collection/>" + tag(xml.Name{Space: kind.dav.namespace, Local: kind.dav.resourceType}, ""), true
		case p.Space == nsDAV && p.Local == "sync-token":
			return d.syncToken(d.now()), true
		case p.Space == nsCalDAV && p.Local == "supported-calendar-component-set" && kind == calendarKind:
			list := c.components
			if len(list) == 0 {
				list = allComponents
			}
			inner := ""
			for _, name := range list {
				inner += fmt.Sprintf("<A:comp name=%q/>", escapeText(name))
			}
			return inner, true
		}
		for _, have := range c.dead {
			if have.space == p.Space && have.name == p.Local {
				return escapeText(have.value), true
			}
		}
		return "", false
	}))
}

// now is the last change of all that the home holds.
func (d *davCall) now() uint64 { return max(d.h.log.item, d.h.log.container) }

func (d *davCall) syncToken(change uint64) string {
	return fmt.Sprintf("urn:stalwart:davsync:%x", change)
}
