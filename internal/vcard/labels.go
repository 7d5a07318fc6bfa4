package vcard

import (
	"fmt"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// backslashes writes those that escape nothing as two.
func (p *preparation) backslashes(c *card) {
	for i, l := range c.lines {
		if isBinary(l) || isDataURI(l.Value) {
			continue
		}
		if v := contentline.EscapeStray(l.Value); v != l.Value {
			p.remark("backslash", l.Number, "%s: backslashes that escape nothing are written as two, since servers drop them", l.Name)
			c.lines[i] = l.WithValue(v)
		}
	}
}

// androidLabels writes the labels that Android's users give to numbers and addresses
// in the way that all clients of CardDAV read, Apple's. In its own vCard 2.1 they are
// "TEL;X-Custom(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=C3=96):1" (Android's
// com.android.vcard, VCardBuilder).
func (p *preparation) androidLabels(c *card) {
	for i := 0; i < len(c.lines); i++ {
		l := c.lines[i]
		at := slices.IndexFunc(l.Params, func(q contentline.Param) bool {
			n := len(q.Values)
			return strings.EqualFold(q.Name, customLabel) && n >= 3 && strings.EqualFold(q.Values[1], "ENCODING=QUOTED-PRINTABLE") && strings.HasSuffix(q.Values[n-1], ")")
		})
		if at < 0 {
			continue
		}
		values := l.Params[at].Values
		label, _, ok := contentline.QuotedPrintable(strings.TrimSuffix(strings.Join(values[2:], ","), ")"), values[0])
		if label = strings.TrimSpace(label); !ok || label == "" {
			continue
		}
		l = l.WithParams(slices.Delete(slices.Clone(l.Params), at, at+1))
		if l.Group == "" {
			l.Group = c.freeGroup()
		}
		c.lines[i] = l
		name := contentline.New("X-ABLabel", contentline.Escape(label))
		name.Group = l.Group
		p.remark("label", l.Number, "%s: Android's label %q becomes one as Apple has them, which clients read", l.Name, contentline.Shorten(label))
		c.lines = slices.Insert(c.lines, i+1, name)
	}
}

// customLabel is the name of the parameter as contentline writes it.
const customLabel = "X-Custom-CHARSET"

// freeGroup is the name of a group that a card does not have.
func (c *card) freeGroup() string {
	for n := 1; ; n++ {
		g := fmt.Sprintf("item%d", n)
		if !slices.ContainsFunc(c.lines, func(l contentline.Line) bool { return strings.EqualFold(l.Group, g) }) {
			return g
		}
	}
}
