package sandbox

import (
	"bytes"
	"encoding/xml"
)

// element is an element of a request's document.
type element struct {
	xml.Name
	attributes []xml.Attr
	children   []*element
	text       string
}

// readXML reads a document; nil for one that is none.
func readXML(body []byte) *element {
	dec := xml.NewDecoder(bytes.NewReader(body))
	var open []*element
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil
		}
		switch t := tok.(type) {
		case xml.StartElement:
			e := &element{Name: t.Name, attributes: t.Attr}
			if n := len(open); n > 0 {
				open[n-1].children = append(open[n-1].children, e)
			}
			open = append(open, e)
		case xml.EndElement:
			if len(open) == 1 {
				return open[0]
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if n := len(open); n > 0 {
				open[n-1].text += string(t)
			}
		}
	}
}

// child is the first child of a local name; an empty one where there is none.
func (e *element) child(local string) *element {
	for _, c := range e.children {
		if c.Local == local {
			return c
		}
	}
	return &element{}
}

func (e *element) has(local string) bool { return e.child(local).Local != "" }

func (e *element) attribute(local string) string {
	for _, a := range e.attributes {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// tag writes an element of one of the namespaces of an answer, or one that
// declares its own.
func tag(name xml.Name, inner string) string {
	open, end := name.Local, name.Local
	switch name.Space {
	case nsDAV:
		open, end = "D:"+open, "D:"+end
	case nsCalDAV:
		open, end = "A:"+open, "A:"+end
	case nsCardDAV:
		open, end = "B:"+open, "B:"+end
	default:
		open += ` xmlns="` + escapeText(name.Space) + `"`
	}
	if inner == "" {
		return "<" + open + "/>"
	}
	return "<" + open + ">" + inner + "</" + end + ">"
}

// propstats writes what a resource has of the properties asked for, and which of
// them it does not have (RFC 4918 §9.1). value gives a property's content.
func propstats(props []*element, value func(*element) (string, bool)) string {
	have, missing := "", ""
	for _, p := range props {
		if v, ok := value(p); ok {
			have += tag(p.Name, v)
		} else {
			missing += tag(p.Name, "")
		}
	}
	return propstat(have, "200 OK") + propstat(missing, "404 Not Found")
}

func propstat(props, status string) string {
	if props == "" {
		return ""
	}
	return "<D:propstat><D:prop>" + props + "</D:prop><D:status>HTTP/1.1 " + status + "</D:status></D:propstat>"
}

func davResponse(href, inner string) string {
	return "<D:response><D:href>" + escapeText(href) + "</D:href>" + inner + "</D:response>"
}

func davGone(href string) string {
	return davResponse(href, "<D:status>HTTP/1.1 404 Not Found</D:status>")
}
