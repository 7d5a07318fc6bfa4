package dav

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// Bounds of what is taken from a server.
const (
	// maxResponse is the most octets of one response element; a larger object
	// is read by GET.
	maxResponse = 32 << 20
	// maxNodes is the most elements of one response.
	maxNodes = 50_000
	// maxDepth is how deep elements may be nested.
	maxDepth = 64
)

// node is an element of an answer.
type node struct {
	name xml.Name
	text string
	// attribute is the value of the attribute name, the only one that counts
	// (RFC 4791 §9.6.1).
	attribute string
	kids      []*node
}

// kid returns the first child of this name; nil has none.
func (n *node) kid(name xml.Name) *node {
	if n != nil {
		for _, k := range n.kids {
			if k.name == name {
				return k
			}
		}
	}
	return nil
}

// has reports whether there is a child of this name.
func (n *node) has(name xml.Name) bool { return n.kid(name) != nil }

// href is the text of the first href in n.
func (n *node) href() string {
	if h := n.kid(dav("href")); h != nil {
		return strings.TrimSpace(h.text)
	}
	return ""
}

// hrefs are the texts of all hrefs in n.
func (n *node) hrefs() (out []string) {
	if n != nil {
		for _, k := range n.kids {
			if h := strings.TrimSpace(k.text); k.name == dav("href") && h != "" {
				out = append(out, h)
			}
		}
	}
	return out
}

// response is one of a multistatus (RFC 4918 §14.24).
type response struct {
	href string
	// status is that of the resource as a whole; 0 where properties have
	// theirs.
	status int
	// props are the properties that the server gave.
	props map[xml.Name]*node
	// refused is the status of the last property that it did not give.
	refused int
}

// text is the trimmed value of a property, or empty.
func (r *response) text(name xml.Name) string {
	if p := r.props[name]; p != nil {
		return strings.TrimSpace(p.text)
	}
	return ""
}

// is reports whether the resource is of this type.
func (r *response) is(name xml.Name) bool { return r.props[dav("resourcetype")].has(name) }

// errXML marks an answer that is no multistatus, or stopped being one.
var errXML = errors.New("the answer is no XML of WebDAV")

// reader reads a multistatus response by response. Nothing is ever expanded:
// what has a document type definition is refused.
type reader struct {
	d      *xml.Decoder
	budget *budget
	nodes  int
}

func newReader(r io.Reader) *reader {
	b := &budget{r: r, left: maxResponse}
	d := xml.NewDecoder(b)
	d.Entity = xml.HTMLEntity // some servers take XML for HTML; no other entity is known
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		e, err := htmlindex.Get(label)
		if err != nil {
			return nil, err
		}
		return e.NewDecoder().Reader(in), nil
	}
	return &reader{d: d, budget: b}
}

// budget bounds what is read until it is filled again.
type budget struct {
	r    io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("%w: one response has more than %d MiB", errXML, maxResponse>>20)
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	return n, err
}

// readError is one of the connection, not of what came over it.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// token is the next one that counts.
func (r *reader) token() (xml.Token, error) {
	t, err := r.d.Token()
	if err != nil {
		if _, ok := errors.AsType[*readError](err); ok || errors.Is(err, errXML) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", errXML, err)
	}
	if _, ok := t.(xml.Directive); ok {
		return nil, fmt.Errorf("%w: it has a document type definition", errXML)
	}
	return t, nil
}

// element reads what belongs to a start that has been read.
func (r *reader) element(start xml.StartElement, depth int) (*node, error) {
	if r.nodes++; depth > maxDepth || r.nodes > maxNodes {
		return nil, fmt.Errorf("%w: it has too many elements", errXML)
	}
	n := &node{name: start.Name}
	for _, a := range start.Attr {
		if a.Name.Local == "name" {
			n.attribute = a.Value
		}
	}
	var text strings.Builder
	for {
		t, err := r.token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			k, err := r.element(t, depth+1)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, k)
		case xml.EndElement:
			n.text = text.String()
			return n, nil
		}
	}
}

// multistatus calls fn for each response and returns the sync token after
// them. An error from fn ends it.
func (r *reader) multistatus(fn func(*response) error) (token string, err error) {
	inside := false
	for {
		t, err := r.token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if !inside {
				if t.Name != dav("multistatus") {
					return "", fmt.Errorf("%w: it begins with %s", errXML, t.Name.Local)
				}
				inside = true
				continue
			}
			r.budget.left, r.nodes = maxResponse, 0
			n, err := r.element(t, 2)
			if err != nil {
				return "", err
			}
			switch n.name {
			case dav("response"):
				for _, resp := range newResponses(n) {
					if err := fn(resp); err != nil {
						return "", err
					}
				}
			case dav("sync-token"):
				token = strings.TrimSpace(n.text)
			}
		case xml.EndElement:
			return token, nil
		}
	}
}

// newResponses are what one element says of each resource that it names: what
// has only a status may be said of many at once (RFC 4918 §14.24).
func newResponses(n *node) []*response {
	first := newResponse(n)
	all := []*response{first}
	hrefs := n.hrefs()
	for _, href := range hrefs[min(1, len(hrefs)):] {
		r := *first
		r.href = href
		all = append(all, &r)
	}
	return all
}

func newResponse(n *node) *response {
	r := &response{href: n.href(), props: map[xml.Name]*node{}}
	if s := n.kid(dav("status")); s != nil {
		r.status = statusCode(s.text)
	}
	for _, k := range n.kids {
		if k.name != dav("propstat") {
			continue
		}
		code := 200 // some leave it out
		if s := k.kid(dav("status")); s != nil {
			code = statusCode(s.text)
		}
		if code/100 != 2 {
			r.refused = code
			continue
		}
		if props := k.kid(dav("prop")); props != nil {
			for _, p := range props.kids {
				r.props[p.name] = p
			}
		}
	}
	return r
}

// statusCode reads "HTTP/1.1 404 Not Found"; 0 where it cannot.
func statusCode(line string) int {
	for f := range strings.FieldsSeq(line) {
		if n, err := strconv.Atoi(f); err == nil && len(f) == 3 {
			return n
		}
	}
	return 0
}
