package stalwart

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// multistatus is a 207 answer (RFC 4918 §13).
type multistatus struct {
	responses []davResponse
	syncToken string
}

type davResponse struct {
	href, status string
	propstats    []propstat
}

// propstat are properties with one status. data is an object's text.
type propstat struct {
	status, etag, displayName, syncToken, data string
	components                                 []string
	maxSize                                    int64 // octets of an object; 0: not told
}

var errXML = errors.New("it is no XML document, or is cut off")

// readMultistatus reads a 207 answer. It does so by itself, since encoding/xml
// takes longer for megabytes of cards than the server does to write them, and
// refuses control characters (XML 1.0 §2.2), which the server writes as they
// are. It knows elements by their local names, of which no two that matter are
// alike.
func readMultistatus(body []byte) (*multistatus, error) {
	m := &multistatus{}
	var open []string // local names
	var text string
	for at := 0; ; {
		n := bytes.IndexByte(body[at:], '<')
		if n < 0 {
			if len(open) > 0 || len(bytes.TrimSpace(body[at:])) > 0 {
				return nil, errXML
			}
			return m, nil
		}
		text += characters(body[at : at+n])
		at += n
		rest := body[at:]
		end := ">"
		switch {
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			end = "]]>"
		case bytes.HasPrefix(rest, []byte("<!--")):
			end = "-->"
		}
		n = bytes.Index(rest, []byte(end))
		if n < 0 {
			return nil, errXML
		}
		at += n + len(end)
		if end == "]]>" {
			text += string(rest[len("<![CDATA["):n])
			continue
		}
		tag := string(rest[1:n])
		switch {
		case tag == "" || tag[0] == '?' || tag[0] == '!':
		case tag[0] == '/':
			if len(open) == 0 {
				return nil, errXML
			}
			m.ended(open, text)
			open, text = open[:len(open)-1], ""
		default:
			name := strings.TrimSuffix(tag, "/")
			attributes := ""
			if i := strings.IndexAny(name, " \t\r\n"); i >= 0 {
				name, attributes = name[:i], name[i:]
			}
			name = name[strings.IndexByte(name, ':')+1:]
			open, text = append(open, name), ""
			m.began(open, attributes)
			if strings.HasSuffix(tag, "/") {
				open = open[:len(open)-1]
			}
		}
	}
}

func (m *multistatus) began(open []string, attributes string) {
	switch open[len(open)-1] {
	case "response":
		m.responses = append(m.responses, davResponse{})
	case "propstat":
		if r := m.response(); r != nil {
			r.propstats = append(r.propstats, propstat{})
		}
	case "comp":
		if p := m.propstat(); p != nil && open[len(open)-2] == "supported-calendar-component-set" {
			_, v, _ := strings.Cut(attributes, "name=")
			if len(v) > 1 {
				v, _, _ = strings.Cut(v[1:], v[:1])
				p.components = append(p.components, strings.ToUpper(v))
			}
		}
	}
}

func (m *multistatus) response() *davResponse {
	if len(m.responses) == 0 {
		return nil
	}
	return &m.responses[len(m.responses)-1]
}

func (m *multistatus) propstat() *propstat {
	r := m.response()
	if r == nil || len(r.propstats) == 0 {
		return nil
	}
	return &r.propstats[len(r.propstats)-1]
}

// ended takes the text of the innermost element.
func (m *multistatus) ended(open []string, text string) {
	if len(open) < 2 {
		return
	}
	name, in := open[len(open)-1], open[len(open)-2]
	r, p := m.response(), m.propstat()
	switch {
	case in == "multistatus" && name == "sync-token":
		m.syncToken = text
	case in == "response" && name == "href":
		r.href = text
	case in == "response" && name == "status":
		r.status = text
	case p == nil:
	case in == "propstat" && name == "status":
		p.status = text
	case in != "prop":
	case name == "getetag":
		p.etag = text
	case name == "displayname":
		p.displayName = text
	case name == "sync-token":
		p.syncToken = text
	case name == "max-resource-size":
		p.maxSize, _ = strconv.ParseInt(strings.TrimSpace(text), 10, 64) // 0 is none
	case name == "calendar-data", name == "address-data":
		p.data = text
	}
}

// characters is character data as text (XML 1.0 §2.11, §4.6).
func characters(b []byte) string {
	s := string(b)
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	i := strings.IndexByte(s, '&')
	if i < 0 {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for ; i >= 0; i = strings.IndexByte(s, '&') {
		out.WriteString(s[:i])
		s = s[i:]
		name, rest, ok := strings.Cut(s[1:], ";")
		c, known := entity(name)
		if !ok || !known {
			out.WriteByte('&')
			s = s[1:]
			continue
		}
		out.WriteString(c)
		s = rest
	}
	out.WriteString(s)
	return out.String()
}

func entity(name string) (string, bool) {
	switch name {
	case "lt":
		return "<", true
	case "gt":
		return ">", true
	case "amp":
		return "&", true
	case "quot":
		return `"`, true
	case "apos":
		return "'", true
	}
	if len(name) < 2 || len(name) > 9 || name[0] != '#' {
		return "", false
	}
	number, base := name[1:], 10
	if number[0] == 'x' {
		number, base = number[1:], 16
	}
	n, err := strconv.ParseUint(number, base, 32)
	if err != nil || n > utf8.MaxRune {
		return "", false
	}
	return string(rune(n)), true
}
