package vcard

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
	"mailhaul.org/mailhaul/internal/model"
)

// Remark names a repair, or something that could not be kept.
type Remark = contentline.Remark

// Card is one prepared card.
type Card struct {
	UID string
	// Kind is "individual", "group", "org", "location" or what else the card
	// says of itself, in lower case.
	Kind string
	// Text is the card: UTF-8, folded, CRLF, version 3.0 or 4.0.
	Text []byte
	// Digest is a hash of its meaning. It does not depend on the order of
	// properties (but of full names, of which clients show the first), folding,
	// letter case where that means nothing, names of groups, the way a photo is
	// encoded, REV and PRODID.
	Digest [32]byte
}

// Prepare cuts a text into cards and repairs what a server would refuse or
// lose. Cards without UID get one made from their content: the same content
// gets the same UID in every run, and so do equal cards in two texts.
//
// A prepared text is left as it is when it is prepared again. The error is an
// item Fault when the text holds no card.
func Prepare(raw []byte) ([]Card, []Remark, error) {
	p := read(raw)
	if len(p.cards) == 0 {
		return nil, p.remarks, model.Faultf(model.ClassItem, "notCard", "the text holds no card")
	}
	var out []Card
	seen := map[string][32]byte{}
	for _, c := range p.cards {
		if card, ok := p.finish(c, seen); ok {
			out = append(out, card)
		}
	}
	return out, p.remarks, nil
}

// Digest is that of the only card in a text, as Prepare would tell it; false:
// there is none, or there are several, or it has no UID.
func Digest(raw []byte) (sum [32]byte, ok bool) {
	p := read(raw)
	if len(p.cards) != 1 || p.cards[0].text("UID") == "" {
		return sum, false
	}
	return p.repaired(p.cards[0]), true
}

// read takes a text apart into cards.
func read(raw []byte) *preparation {
	lines, remarks := contentline.Read(raw)
	p := &preparation{remarks: remarks}
	for _, l := range lines {
		p.line(l)
	}
	for len(p.open) > 0 {
		c := p.open[len(p.open)-1]
		p.remark("end", c.number, "END:VCARD is missing; the text may have been cut off")
		p.close(math.MaxInt)
	}
	return p
}

// card is one being read.
type card struct {
	lines       []contentline.Line
	number, end int // its first line and its last, as far as is known
}

func (c *card) property(name string) (contentline.Line, bool) {
	i := slices.IndexFunc(c.lines, func(l contentline.Line) bool { return l.Is(name) })
	if i < 0 {
		return contentline.Line{}, false
	}
	return c.lines[i], true
}

func (c *card) text(name string) string {
	l, _ := c.property(name)
	return strings.TrimSpace(contentline.Unescape(l.Value))
}

func (c *card) all(name string) (lines []contentline.Line) {
	for _, l := range c.lines {
		if l.Is(name) {
			lines = append(lines, l)
		}
	}
	return lines
}

// set replaces the first property of that name, or adds it at the top.
func (c *card) set(name, value string) {
	for i, l := range c.lines {
		if l.Is(name) {
			c.lines[i] = l.WithValue(value)
			return
		}
	}
	c.lines = slices.Insert(c.lines, 0, contentline.New(name, value))
}

// write is the whole text.
func (c *card) write() []byte {
	size := 64
	for _, l := range c.lines {
		size += l.Size()
	}
	b := contentline.New("BEGIN", "VCARD").Append(make([]byte, 0, size))
	for _, l := range c.lines {
		if l.Is("VERSION") { // first, as RFC 6350 §6.7.9 wants it
			b = l.Append(b)
		}
	}
	for _, l := range c.lines {
		if !l.Is("VERSION") {
			b = l.Append(b)
		}
	}
	return contentline.New("END", "VCARD").Append(b)
}

type preparation struct {
	open    []*card // more than one: a card inside of AGENT
	cards   []*card
	remarks []Remark
}

func (p *preparation) remark(code string, line int, format string, args ...any) {
	p.remarks = append(p.remarks, Remark{Code: code, Text: fmt.Sprintf(format, args...), Line: line})
}

func (p *preparation) line(l contentline.Line) {
	var c *card
	if len(p.open) > 0 {
		c = p.open[len(p.open)-1]
	}
	card2 := strings.EqualFold(strings.TrimSpace(l.Value), "VCARD")
	switch {
	case l.Is("BEGIN") && card2:
		if c != nil && !c.agent() {
			p.remark("end", l.Number, "END:VCARD is missing before the next card")
			p.close(l.Number - 1)
		}
		p.open = append(p.open, &card{number: l.Number})
	case l.Is("END") && card2:
		if c == nil {
			p.remark("end", l.Number, "END:VCARD closes nothing; left out")
			return
		}
		p.close(l.Number)
	case c == nil:
		p.remark("outside", l.Number, "stands outside of any card; left out: %s", contentline.Shorten(l.String()))
	case cut(l):
		p.remark("data", l.Number, "the data of %s is lost at the source, which keeps only what stood before it; kept as %s", l.Name, unreadableName)
		c.lines = append(c.lines, contentline.New(unreadableName, contentline.Escape(l.String())))
	case l.Name != "":
		c.lines = append(c.lines, l)
	default:
		p.unreadable(c, l)
	}
}

// cut: a data: URI without its data. Radicale 3.1 cuts them at the comma.
func cut(l contentline.Line) bool {
	return l.Is("PHOTO", "LOGO", "SOUND", "KEY") && isDataURI(strings.TrimSpace(l.Value)) && !strings.Contains(l.Value, ",")
}

// agent: the last line is an AGENT whose card follows (vCard 2.1 §2.4.2).
func (c *card) agent() bool {
	if len(c.lines) == 0 {
		return false
	}
	l := c.lines[len(c.lines)-1]
	return l.Is("AGENT") && strings.TrimSpace(l.Value) == ""
}

// close ends the innermost card. One inside of AGENT becomes its value, as
// RFC 2426 §3.5.4 writes it.
func (p *preparation) close(end int) {
	c := p.open[len(p.open)-1]
	c.end = end
	p.open = p.open[:len(p.open)-1]
	if len(p.open) == 0 {
		p.cards = append(p.cards, c)
		return
	}
	outer := p.open[len(p.open)-1]
	n := len(outer.lines) - 1
	p.remark("agent", c.number, "the card inside of AGENT becomes its value")
	outer.lines[n] = outer.lines[n].WithValue(contentline.Escape(string(c.write())))
}

// unreadableName is the property that keeps a line that cannot be read.
const unreadableName = "X-MAILHAUL-UNREADABLE"

// unreadable keeps a line without a name: as part of the text before it,
// which had a line break of its own, else by itself.
func (p *preparation) unreadable(c *card, l contentline.Line) {
	if n := len(c.lines); n > 0 && c.lines[n-1].Is("NOTE", "LABEL", "ADR", "TITLE", "ORG", "FN") {
		last := c.lines[n-1]
		p.remark("line", l.Number, "is no property; joined to the text of %s before it: %s", last.Name, contentline.Shorten(l.Value))
		c.lines[n-1] = last.WithValue(last.Value + `\n` + contentline.Escape(contentline.Unescape(l.Value)))
		return
	}
	p.remark("line", l.Number, "is no property; kept as %s: %s", unreadableName, contentline.Shorten(l.Value))
	c.lines = append(c.lines, contentline.New(unreadableName, contentline.Escape(l.Value)))
}

// repaired repairs all of a card but its UID, and returns its digest.
func (p *preparation) repaired(c *card) [32]byte {
	p.version(c)
	p.androidLabels(c)
	p.backslashes(c)
	p.name(c)
	p.appleGroup(c)
	return digest(c)
}

// finish repairs a card and makes it ready.
func (p *preparation) finish(c *card, seen map[string][32]byte) (Card, bool) {
	sum := p.repaired(c)
	uid := c.text("UID")
	if uid == "" {
		uid = uuid(sum)
		for n := 2; ; n++ {
			if _, taken := seen[uid]; !taken {
				break
			}
			uid = fmt.Sprintf("%s-%d", uuid(sum), n)
		}
		p.remark("uid", c.number, "had no UID; gets one made from its content")
		c.set("UID", uid)
		sum = digest(c)
	} else if other, taken := seen[uid]; taken {
		if other == sum {
			p.remark("twice", c.number, "the same card stands twice in the text; left out once")
			return Card{}, false
		}
		old := uid
		for n := 2; ; n++ {
			uid = fmt.Sprintf("%s-%d", old, n)
			if _, taken := seen[uid]; !taken {
				break
			}
		}
		p.remark("uid", c.number, "another card has the same UID; becomes %s", uid)
		c.set("UID", contentline.Escape(uid))
		sum = digest(c)
	}
	seen[uid] = sum
	for i := range p.remarks {
		if r := &p.remarks[i]; r.UID == "" && r.Line >= c.number && r.Line <= c.end {
			r.UID = uid
		}
	}
	kind := strings.ToLower(c.text("KIND"))
	if kind == "" {
		kind = "individual"
	}
	return Card{UID: uid, Kind: kind, Text: c.write(), Digest: sum}, true
}

// uuid writes a hash as clients write UIDs of cards.
func uuid(sum [32]byte) string {
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
