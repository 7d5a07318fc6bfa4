package sample

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"mime"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// composer writes one message with LF; what the standard library adds as CRLF
// is made LF when the message is stored.
type composer struct {
	b    bytes.Buffer
	r    *rand.Rand
	m    *Mailbox
	lang *language
	date time.Time

	id, subject string
	from, to    person
	refs        []string
	extra       []string // more header fields
}

type person struct{ name, address string }

// domains of the people that the organisation writes to.
var domains = []string{"kunde.test", "client.test", "lieferant.test", "supplier.test", "bank.test", "stadt.test", "univ.test"}

func (c *composer) person() person {
	given, g, _ := strings.Cut(pick(c.r, c.lang.given), "|")
	family, f, _ := strings.Cut(pick(c.r, c.lang.family), "|")
	return person{given + " " + family, g + "." + f + "@" + pick(c.r, domains)}
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (c *composer) line(s string) {
	c.b.WriteString(s)
	c.b.WriteByte('\n')
}

func (c *composer) field(name, format string, args ...any) {
	c.b.WriteString(name)
	c.b.WriteString(": ")
	fmt.Fprintf(&c.b, format, args...)
	c.b.WriteByte('\n')
}

// dateFormat is that of RFC 5322 §3.3.
const dateFormat = "Mon, 2 Jan 2006 15:04:05 -0700"

// word encodes a header text (RFC 2047). Half of all programs choose B.
func (c *composer) word(s string) string {
	if c.lang == japanese && c.r.IntN(2) == 0 {
		if raw, ok := encodeAs("iso-2022-jp", s); ok {
			return mime.BEncoding.Encode("iso-2022-jp", raw)
		}
	}
	e := mime.QEncoding
	if c.lang != german && c.lang != french {
		e = mime.BEncoding
	}
	return strings.ReplaceAll(e.Encode("utf-8", s), "?= =?", "?=\n =?")
}

func (c *composer) mailbox(p person) string {
	w := c.word(p.name)
	if w == p.name {
		return fmt.Sprintf("%s <%s>", p.name, p.address)
	}
	return fmt.Sprintf("%s\n <%s>", w, p.address)
}

// head writes the header with that Content-Type, or none, and the empty line
// behind it.
func (c *composer) head(contentType string) {
	sent := c.date.In(c.lang.zone)
	c.field("Return-Path", "<%s>", c.from.address)
	c.field("Delivered-To", "%s", c.to.address)
	c.field("Received", "from mail.%s (mail.%[1]s [192.0.2.%d])\n\tby mail.%s (Postfix) with ESMTPS id %X\n\tfor <%s>; %s",
		c.from.address[strings.IndexByte(c.from.address, '@')+1:], 1+c.r.IntN(250), Domain, c.r.Uint32(), c.to.address, c.date.Add(time.Second).Format(dateFormat))
	if c.id == "" {
		c.id = fmt.Sprintf("<%x.odd@mail.%s>", c.r.Uint64(), Domain)
	}
	c.field("Message-ID", "%s", c.id)
	if len(c.refs) > 0 {
		c.field("In-Reply-To", "%s", c.refs[len(c.refs)-1])
		c.field("References", "%s", strings.Join(c.refs, "\n "))
	}
	c.field("Date", "%s", sent.Format(dateFormat))
	c.field("From", "%s", c.mailbox(c.from))
	c.field("To", "%s", c.mailbox(c.to))
	c.field("Subject", "%s", c.word(c.subject))
	for _, e := range c.extra {
		c.line(e)
	}
	if contentType != "" {
		c.field("MIME-Version", "1.0")
		c.field("Content-Type", "%s", contentType)
	}
	c.b.WriteByte('\n')
}

// boundary of a multipart; each level of a message has its own.
func (c *composer) boundary() string {
	return fmt.Sprintf("----=_Part_%d_%x", c.r.IntN(1000), c.r.Uint64())
}

// text draws about n octets of sentences, in lines.
func (c *composer) text(n int) string {
	var b strings.Builder
	b.WriteString(c.lang.hello + ",\n\n")
	n -= len(c.lang.bye) + len(c.from.name) + b.Len()
	for i := 1; b.Len() < n || i == 1; i++ {
		b.WriteString(pick(c.r, c.lang.text))
		switch {
		case i%7 == 0:
			b.WriteString("\n\n")
		case i%3 == 0:
			b.WriteString("\n")
		default:
			b.WriteString(" ")
		}
	}
	b.WriteString("\n\n" + c.lang.bye + "\n" + c.from.name + "\n")
	return b.String()
}

// encodeAs encodes text in an old charset, if it can hold it.
func encodeAs(charset, text string) (string, bool) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return "", false
	}
	raw, err := e.NewEncoder().String(text)
	return raw, err == nil
}
