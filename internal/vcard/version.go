package vcard

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/plural"
)

// version makes a card one of version 3.0 or 4.0, which CardDAV knows (RFC
// 6352 §5.1).
func (p *preparation) version(c *card) {
	lines := c.all("VERSION")
	v := ""
	if len(lines) > 0 {
		v = strings.TrimSpace(lines[0].Value)
	}
	if len(lines) > 1 {
		first := true
		c.lines = slices.DeleteFunc(c.lines, func(l contentline.Line) bool {
			again := l.Is("VERSION") && !first
			first = first && !l.Is("VERSION")
			return again
		})
	}
	old := v == "2.1" || v == "" && slices.ContainsFunc(c.lines, isOld)
	for i, l := range c.lines {
		if old || l.IsQuotedPrintable() || hasBare(l) {
			c.lines[i] = p.modern(l, old)
		}
	}
	switch {
	case v == "3.0" || v == "4.0":
	case v == "":
		p.remark("version", c.number, "has no VERSION; becomes 3.0")
		c.set("VERSION", "3.0")
	default:
		p.remark("version", c.number, "VERSION:%s becomes 3.0, which clients of CardDAV read", contentline.Shorten(v))
		c.set("VERSION", "3.0")
	}
}

func hasBare(l contentline.Line) bool {
	return slices.ContainsFunc(l.Params, func(p contentline.Param) bool { return p.Name == "" })
}

func isOld(l contentline.Line) bool { return l.IsQuotedPrintable() || hasBare(l) }

// structured are the properties whose values have components.
var structured = []string{"N", "ADR", "ORG", "GENDER", "CLIENTPIDMAP"}

// modern rewrites one line of vCard 2.1, or one of a later version that uses
// its means.
func (p *preparation) modern(l contentline.Line, old bool) contentline.Line {
	var params []contentline.Param
	var types []string
	charset, encoding := "", ""
	add := func(name, v string) {
		switch u := strings.ToUpper(v); name {
		case "ENCODING":
			encoding = u
		case "CHARSET":
			charset = v
		case "TYPE":
			types = append(types, v)
		case "VALUE":
			if u == "URL" {
				v = "uri" // RFC 2426 §3.1.4
			}
			if u != "INLINE" {
				params = append(params, contentline.Param{Name: "VALUE", Values: []string{v}})
			}
		}
	}
	for _, q := range l.Params {
		name := strings.ToUpper(q.Name)
		for _, v := range q.Values {
			switch u := strings.ToUpper(v); {
			case name != "":
			case u == "QUOTED-PRINTABLE" || u == "BASE64" || u == "8BIT" || u == "7BIT":
				add("ENCODING", v)
				continue
			case u == "URL" || u == "INLINE" || u == "CONTENT-ID" || u == "CID":
				add("VALUE", v)
				continue
			default:
				add("TYPE", v)
				continue
			}
			add(name, v)
		}
		switch name {
		case "", "ENCODING", "CHARSET", "TYPE", "VALUE":
		default:
			params = append(params, q)
		}
	}
	if len(types) > 0 {
		params = append(params, contentline.Param{Name: "TYPE", Values: types})
	}
	value := l.Value
	switch encoding {
	case "QUOTED-PRINTABLE":
		text, n, ok := contentline.QuotedPrintable(value, charset)
		if !ok {
			p.remark("charset", l.Number, "%s: not all of its quoted-printable text could be read in %q", l.Name, charset)
		}
		if n > 0 {
			p.remark("control", l.Number, "%s: %s left out", l.Name, plural.Count(n, "control character"))
		}
		value = modernText(l.Name, text)
	case "BASE64", "B":
		params = append(params, contentline.Param{Name: "ENCODING", Values: []string{"b"}})
		value = strings.Join(strings.Fields(value), "")
	default:
		if old && !slices.ContainsFunc(l.Param("VALUE"), func(v string) bool { return strings.EqualFold(v, "uri") || strings.EqualFold(v, "url") }) {
			value = modernText(l.Name, value)
		}
	}
	return contentline.Line{Group: l.Group, Name: l.Name, Params: params, Value: value, Number: l.Number}
}

// modernText escapes as RFC 2426 does what vCard 2.1 writes plainly, where
// only the semicolon needs a backslash.
func modernText(name, value string) string {
	upper := strings.ToUpper(name)
	switch upper {
	case "URL", "UID", "TEL", "EMAIL", "VERSION", "REV", "BDAY", "GEO", "TZ", "PHOTO", "LOGO", "SOUND", "KEY":
		return contentline.Escape(contentline.Unescape(value))
	}
	if upper == "AGENT" {
		return value // escaped already
	}
	if !slices.Contains(structured, upper) {
		if upper == "CATEGORIES" {
			return value
		}
		return contentline.Escape(contentline.Unescape(value))
	}
	parts := contentline.Split(value, ';')
	for i, s := range parts {
		parts[i] = contentline.Escape(contentline.Unescape(s))
	}
	return strings.Join(parts, ";")
}

// name makes sure of FN, which every version from 3.0 on wants.
func (p *preparation) name(c *card) {
	if c.text("FN") != "" {
		return
	}
	fn := ""
	if n, ok := c.property("N"); ok {
		parts := contentline.Split(n.Value, ';')
		for len(parts) < 5 {
			parts = append(parts, "")
		}
		fn = strings.Join(strings.Fields(strings.ReplaceAll(contentline.Unescape(strings.Join([]string{parts[3], parts[1], parts[2], parts[0], parts[4]}, " ")), ",", " ")), " ")
	}
	for _, other := range []string{"NICKNAME", "ORG", "EMAIL", "TEL"} {
		if fn == "" {
			fn = strings.Trim(strings.ReplaceAll(c.text(other), ";", " "), " ")
		}
	}
	if fn == "" {
		fn = "?"
	}
	p.remark("fn", c.number, "has no FN; gets %q", contentline.Shorten(fn))
	if _, ok := c.property("FN"); ok {
		c.set("FN", contentline.Escape(fn))
		return
	}
	c.lines = append(c.lines, contentline.New("FN", contentline.Escape(fn)))
}

// appleGroup says in the standard's words (RFC 6350 §6.1.4, §6.6.5) what
// Apple's clients say in their own, and leaves theirs in place, since they
// read no other.
func (p *preparation) appleGroup(c *card) {
	if kind := c.text("X-ADDRESSBOOKSERVER-KIND"); strings.EqualFold(kind, "group") {
		if _, ok := c.property("KIND"); !ok {
			p.remark("group", c.number, "Apple's group gets KIND and MEMBER beside X-ADDRESSBOOKSERVER-KIND and -MEMBER")
			c.lines = append(c.lines, contentline.New("KIND", "group"))
		}
	} else {
		return
	}
	have := map[string]bool{}
	for _, l := range c.all("MEMBER") {
		have[strings.TrimSpace(l.Value)] = true
	}
	for _, l := range c.all("X-ADDRESSBOOKSERVER-MEMBER") {
		if v := strings.TrimSpace(l.Value); v != "" && !have[v] {
			have[v] = true
			c.lines = append(c.lines, contentline.New("MEMBER", v))
		}
	}
}
