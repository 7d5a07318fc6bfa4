package icalendar

import (
	"slices"
	"strings"
	"unicode/utf8"

	"mailhaul.org/mailhaul/internal/contentline"
)

// repair mends what servers lose in one object.
func (p *preparation) repair(o *Component) {
	for i, l := range o.Lines {
		if l.Is("ATTACH", "IMAGE") && isBase64(l) {
			if text, ok := asURI(l); ok {
				p.remark("attachment", o.Text("UID"), l.Number, "an attachment of plain text becomes a data: URI; as it was, the server would take its text for its address")
				o.Lines[i] = text
			}
		}
	}
	for i, l := range o.Lines {
		if l.Is("URL", "ATTACH", "CONFERENCE", "IMAGE", "SOURCE") && kindOf(l) == kindURI && isLink(l.Value) && strings.ContainsAny(l.Value, `,;\`) {
			p.remark("address", o.Text("UID"), l.Number, "%s: commas and semicolons of the link become %%2C and %%3B, since servers put backslashes before them, which breaks it", l.Name)
			o.Lines[i] = l.WithValue(linkEncoder.Replace(contentline.Unescape(l.Value)))
		}
	}
	for i, l := range o.Lines {
		if k := kindOf(l); k != kindText && k != kindList {
			continue
		}
		if v := contentline.EscapeStray(l.Value); v != l.Value {
			p.remark("backslash", o.Text("UID"), l.Number, "%s: backslashes that escape nothing are written as two, since servers drop them", l.Name)
			o.Lines[i] = l.WithValue(v)
		}
	}
	p.dates(o)
	o.Lines = slices.DeleteFunc(o.Lines, func(l contentline.Line) bool {
		empty := l.Is("RRULE", "EXRULE") && strings.TrimSpace(l.Value) == ""
		if empty {
			p.remark("rule", o.Text("UID"), l.Number, "%s says nothing; left out, as servers make a broken rule of it", l.Name)
		}
		return empty
	})
	for _, child := range o.Children {
		p.repair(child)
	}
}

// dates writes those in the extended form of ISO 8601, "2026-03-02T10:00:00Z", as
// RFC 5545 §3.3.5 wants them: no client reads the others.
func (p *preparation) dates(o *Component) {
	for i, l := range o.Lines {
		if strings.IndexByte(l.Value, '-') < 0 || !l.Is("DTSTART", "DTEND", "DUE", "COMPLETED", "RECURRENCE-ID", "EXDATE", "RDATE") {
			continue
		}
		values := strings.Split(l.Value, ",")
		changed := false
		for n, v := range values {
			if m, ok := parseMoment(v, l.First("TZID")); ok && strings.IndexByte(v, '-') >= 0 {
				values[n], changed = m.String(), true
				if m.AllDay && l.First("VALUE") == "" {
					l = l.WithParams(append(slices.Clip(l.Params), contentline.Param{Name: "VALUE", Values: []string{"DATE"}}))
				}
			}
		}
		if changed {
			p.remark("date", o.Text("UID"), l.Number, "%s was written as ISO 8601 has it, not as iCalendar: %s", l.Name, contentline.Shorten(l.Value))
			o.Lines[i] = l.WithValue(strings.Join(values, ","))
		}
	}
}

var linkEncoder = strings.NewReplacer(",", "%2C", ";", "%3B", `\`, "%5C", "\n", "%0A")

func isLink(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// asURI writes an inline attachment that is text as a data: URI (RFC 2397).
// Others stay: clients know them better as they are.
func asURI(l contentline.Line) (contentline.Line, bool) {
	content := strings.Join(strings.Fields(l.Value), "")
	b, err := decodeBase64(content)
	if err != nil || len(b) == 0 || !utf8.Valid(b) {
		return l, false
	}
	media := l.First("FMTTYPE")
	return l.Without("ENCODING", "VALUE").WithValue("data:" + media + ";base64," + content), true
}
