package icalendar

import (
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// fact is one value of one property in one spelling: two objects with the
// same facts mean the same.
type fact struct {
	name   string // upper case
	params string // ";NAME=value…", sorted, without those that only spell
	value  string
	text   string // all of it
}

func (f fact) String() string { return f.text }

// bookkeeping are properties that say nothing to the user: who wrote the text
// and when.
var bookkeeping = []string{"DTSTAMP", "LAST-MODIFIED", "PRODID", "VERSION", "METHOD", "JSID"}

// facts of a component but those of some names, without those of its children,
// sorted.
func facts(c *Component, z *zones, but ...string) []fact {
	all := make([]fact, 0, len(c.Lines))
	for _, l := range c.Lines {
		if !l.Is(bookkeeping...) && !l.Is(but...) {
			all = appendFacts(all, l, z)
		}
	}
	slices.SortFunc(all, func(a, b fact) int { return strings.Compare(a.text, b.text) })
	// The same twice means no more than once.
	return slices.CompactFunc(all, func(a, b fact) bool { return a.text == b.text })
}

// appendFacts appends the values of one line.
func appendFacts(out []fact, l contentline.Line, z *zones) []fact {
	name := strings.ToUpper(l.Name)
	k := kindOf(l)
	params := canonicalParams(l)
	add := func(v string) {
		if v != "" && !isDefault(name, v) {
			out = append(out, fact{name, params, v, name + params + ":" + v})
		}
	}
	switch k {
	case kindText:
		add(strings.TrimRight(contentline.Unescape(l.Value), " \t"))
	case kindList:
		for _, v := range contentline.Split(l.Value, ',') {
			add(strings.TrimSpace(contentline.Unescape(v)))
		}
	case kindEnum:
		add(strings.ToUpper(strings.TrimSpace(l.Value)))
	case kindDate:
		for v := range strings.SplitSeq(l.Value, ",") {
			add(canonicalDate(v, l.First("TZID"), z))
		}
	case kindDuration:
		if d, ok := parseDuration(l.Value); ok {
			add(d.String())
		} else {
			add(canonicalDate(l.Value, l.First("TZID"), z))
		}
	case kindRecur:
		add(canonicalRecur(l.Value))
	case kindAddress:
		add(canonicalAddress(l.Value))
	case kindNumber:
		if n, err := strconv.Atoi(strings.TrimSpace(l.Value)); err == nil {
			add(strconv.Itoa(n))
		} else {
			add(strings.TrimSpace(l.Value))
		}
	case kindURI:
		if isBase64(l) {
			add(octets(strings.Join(strings.Fields(l.Value), ""), true))
		} else {
			// An address is not escaped (RFC 5545 §3.3.13), but servers do.
			add(canonicalData(contentline.Unescape(strings.TrimSpace(l.Value))))
		}
	default:
		v := strings.TrimSpace(l.Value)
		if l.Is("GEO") {
			v = canonicalGeo(v)
		}
		add(v)
	}
	return out
}

// canonicalGeo writes two numbers without zeros at their ends, which some
// servers add and others leave out.
func canonicalGeo(s string) string {
	parts := strings.Split(s, ";")
	for i, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil {
			return s
		}
		parts[i] = strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strings.Join(parts, ";")
}

// isDefault: saying it changes nothing (RFC 5545 §3.8.1.3, §3.8.1.9,
// §3.8.2.7, §3.8.7.4).
func isDefault(name, value string) bool {
	switch name {
	case "CLASS":
		return value == "PUBLIC"
	case "TRANSP":
		return value == "OPAQUE"
	case "SEQUENCE", "PRIORITY":
		return value == "0"
	case "CALSCALE":
		return value == "GREGORIAN"
	}
	return false
}

// canonicalDate is a DATE, DATE-TIME or PERIOD with its zone's own name.
func canonicalDate(s, tzid string, z *zones) string {
	start, end, period := strings.Cut(s, "/")
	m, ok := parseMoment(start, tzid)
	if !ok {
		return strings.TrimSpace(s)
	}
	v := m.String()
	if m.TZID != "" && !m.AllDay {
		v += "@" + z.name(m.TZID)
	}
	if period {
		if d, ok := parseDuration(end); ok {
			end = d.String()
		}
		v += "/" + strings.ToUpper(strings.TrimSpace(end))
	}
	return v
}

// canonicalAddress: schemes and the hosts of mail addresses have no case; in
// practice neither has the rest (RFC 5546 §1.3 compares mailto without it).
func canonicalAddress(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		return "mailto:" + strings.ToLower(strings.TrimSpace(s[7:]))
	}
	return s
}

// defaultParams say nothing when they are written (RFC 5545 §3.2).
var defaultParams = map[string]string{
	"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "FALSE",
	"RELATED": "START", "FBTYPE": "BUSY", "RELTYPE": "PARENT",
}

// canonicalParams writes the parameters sorted, without those that the value
// shows already.
func canonicalParams(l contentline.Line) string {
	if len(l.Params) == 0 {
		return ""
	}
	var all []string
	for _, p := range l.Params {
		name := strings.ToUpper(p.Name)
		switch name {
		case "TZID", "VALUE", "CHARSET", "ENCODING":
			continue // part of the value
		case "JSID", "DERIVED":
			// A name within the object, and the mark of what repeats a
			// component (RFC 9073 §5.3), which JMAP servers add.
			continue
		}
		values := slices.Clone(p.Values)
		for i, v := range values {
			switch {
			case defaultParams[name] != "" || name == "RANGE" || name == "SCHEDULE-AGENT":
				values[i] = strings.ToUpper(strings.TrimSpace(v))
			case name == "SENT-BY" || name == "MEMBER" || strings.HasPrefix(name, "DELEGATED-"):
				values[i] = canonicalAddress(v)
			default:
				values[i] = canonicalData(v)
			}
		}
		slices.Sort(values)
		v := strings.Join(values, ",")
		if v == "" || v == defaultParams[name] {
			continue
		}
		all = append(all, ";"+name+"="+v)
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// canonical writes a component with its children in one spelling.
func canonical(c *Component, z *zones) string {
	var b strings.Builder
	b.WriteString("BEGIN:" + c.Name + "\n")
	for _, f := range facts(c, z) {
		b.WriteString(f.text)
		b.WriteByte('\n')
	}
	children := make([]string, 0, len(c.Children))
	for _, child := range c.Children {
		children = append(children, canonical(child, z))
	}
	slices.Sort(children)
	for _, s := range children {
		b.WriteString(s)
	}
	b.WriteString("END:" + c.Name + "\n")
	return b.String()
}
