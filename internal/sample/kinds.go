package sample

import (
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
)

// compose writes a whole ordinary message of about size octets, of a kind
// that occurs at that size.
func (c *composer) compose(size int) {
	size = max(size-700, 80) // the header
	n := c.r.IntN(100)
	switch {
	case size > 24<<10 && n < 75:
		c.mixed(size)
	case n < 40:
		c.plain(size)
	case n < 68:
		c.alternative(size)
	case n < 80:
		c.list(size)
	case n < 88:
		c.htmlOnly(size)
	case n < 93:
		c.forwarded(size)
	case n < 96:
		c.invitation(size)
	case n < 98:
		c.bounce(size)
	default:
		c.signed(size)
	}
}

// encodedText is a text with its charset and transfer encoding.
func (c *composer) encodedText(text string) (charset, encoding, body string) {
	charset = "utf-8"
	if old := c.lang.charset; old != "" && c.r.IntN(4) == 0 {
		if raw, ok := encodeAs(old, text); ok {
			charset, text = old, raw
		}
	}
	if isASCII(text) {
		if c.lang == english {
			charset = "us-ascii"
		}
		return charset, "7bit", text
	}
	if c.r.IntN(4) == 0 {
		return charset, "8bit", text
	}
	if c.lang == german || c.lang == french || c.lang == english {
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		_, _ = w.Write([]byte(text)) // a strings.Builder takes everything
		_ = w.Close()
		return charset, "quoted-printable", b.String()
	}
	var b strings.Builder
	enc := base64.StdEncoding.EncodeToString([]byte(text))
	for len(enc) > base64Line {
		b.WriteString(enc[:base64Line] + "\n")
		enc = enc[base64Line:]
	}
	b.WriteString(enc + "\n")
	return charset, "base64", b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// textPart writes a part with its own header.
func (c *composer) textPart(subtype, text string) {
	charset, encoding, body := c.encodedText(text)
	c.field("Content-Type", "text/%s; charset=%s", subtype, charset)
	c.field("Content-Transfer-Encoding", "%s", encoding)
	c.line("")
	c.b.WriteString(body)
}

func (c *composer) plain(size int) {
	text := c.text(size)
	if len(c.refs) > 0 {
		text += "\n> " + strings.ReplaceAll(strings.TrimSpace(c.text(200)), "\n", "\n> ") + "\n"
	}
	charset, encoding, body := c.encodedText(text)
	c.extra = append(c.extra, "Content-Transfer-Encoding: "+encoding)
	c.head(fmt.Sprintf("text/plain; charset=%s; format=flowed", charset))
	c.b.WriteString(body)
}

func (c *composer) html(n int) string {
	var b strings.Builder
	b.WriteString("<html><head><meta charset=\"utf-8\"><style>td { padding: 4px; font-family: sans-serif }</style></head><body><table>\n")
	for i := 0; b.Len() < n || i == 0; i++ {
		fmt.Fprintf(&b, "<tr><td>%d</td><td class=\"c%d\">%s</td><td>%d,%02d&nbsp;&euro;</td></tr>\n", i+1, i%4, pick(c.r, c.lang.text), c.r.IntN(900), c.r.IntN(100))
	}
	b.WriteString("</table></body></html>\n")
	return b.String()
}

func (c *composer) alternativeBody(boundary string, size int) {
	c.line("--" + boundary)
	c.textPart("plain", c.text(size/3))
	c.line("\n--" + boundary)
	c.textPart("html", c.html(size/2))
	c.line("\n--" + boundary + "--")
}

func (c *composer) alternative(size int) {
	b := c.boundary()
	c.head(fmt.Sprintf("multipart/alternative;\n boundary=%q", b))
	c.alternativeBody(b, size)
}

func (c *composer) htmlOnly(size int) {
	c.extra = append(c.extra, "List-Unsubscribe: <https://news.client.test/u/"+fmt.Sprint(c.r.IntN(1e6))+">", "X-Mailer: Newsletter 3.1")
	charset, encoding, body := c.encodedText(c.html(size * 3 / 4))
	c.extra = append(c.extra, "Content-Transfer-Encoding: "+encoding)
	c.head("text/html; charset=" + charset)
	c.b.WriteString(body)
}

// list is mail of a mailing list (RFC 2919, RFC 2369).
func (c *composer) list(size int) {
	c.subject = "[kernel] " + c.subject
	c.extra = append(c.extra, "List-Id: Kernel development <kernel.lists.univ.test>", "List-Post: <mailto:kernel@lists.univ.test>",
		"List-Unsubscribe: <mailto:kernel-request@lists.univ.test?subject=unsubscribe>", "Precedence: list", "Sender: kernel-bounces@lists.univ.test")
	c.to = person{"Kernel list", "kernel@lists.univ.test"}
	c.plain(size)
}

var attachments = []struct{ mediaType, name, magic string }{
	{"application/pdf", "Angebot 2318.pdf", "%PDF-1.7\n"},
	{"application/pdf", "Prüfbericht – Größe.pdf", "%PDF-1.4\n"},
	{"image/jpeg", "IMG_4711.jpg", "\xff\xd8\xff\xe0\x00\x10JFIF"},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Relevé d'août.docx", "PK\x03\x04"},
	{"application/zip", "図面.zip", "PK\x03\x04"},
	{"application/octet-stream", "πίνακας.dat", "\x00\x01\x02\x03"},
}

// attachment writes a part of about n octets.
func (c *composer) attachment(n int) {
	a := pick(c.r, attachments)
	c.field("Content-Type", "%s", mime.FormatMediaType(a.mediaType, map[string]string{"name": a.name}))
	c.field("Content-Transfer-Encoding", "base64")
	if c.r.IntN(2) == 0 {
		c.field("Content-Disposition", "%s", mime.FormatMediaType("attachment", map[string]string{"filename": a.name})) // RFC 2231
	} else {
		c.field("Content-Disposition", "attachment; filename=\"%s\"", c.word(a.name)) // forbidden by RFC 2047 §5, and usual
	}
	c.line("")
	raw := octets(c.r, max(n*base64Raw/(base64Line+1), 16))
	copy(raw, a.magic)
	writeBase64(&c.b, raw, "\n")
}

func (c *composer) mixed(size int) {
	b := c.boundary()
	c.head(fmt.Sprintf("multipart/mixed;\n boundary=%q", b))
	c.line("This is a multi-part message in MIME format.\n")
	c.line("--" + b)
	c.textPart("plain", c.text(600))
	files := 1 + c.r.IntN(3)
	for range files {
		c.line("--" + b)
		c.attachment((size - 1200) / files)
	}
	c.line("--" + b + "--")
}

// forwarded encloses a message (RFC 2046 §5.2.1).
func (c *composer) forwarded(size int) {
	b := c.boundary()
	inner := composer{r: c.r, m: c.m, lang: c.lang, date: c.date.AddDate(0, 0, -1), from: c.person(), to: c.from, subject: c.subject}
	inner.plain(size - 500)
	c.subject = "Fwd: " + c.subject
	c.head(fmt.Sprintf("multipart/mixed; boundary=%q", b))
	c.line("--" + b)
	c.textPart("plain", c.text(100))
	c.line("\n--" + b + "\nContent-Type: message/rfc822\nContent-Disposition: inline\n")
	c.b.Write(inner.b.Bytes())
	c.line("\n--" + b + "--")
}

// invitation is an iMIP request (RFC 6047).
func (c *composer) invitation(size int) {
	b := c.boundary()
	start := c.date.AddDate(0, 0, 7).Format("20060102T150000Z")
	c.head(fmt.Sprintf("multipart/alternative; boundary=%q", b))
	c.line("--" + b)
	c.textPart("plain", c.text(size/2))
	c.line("\n--" + b + "\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\nContent-Transfer-Encoding: 8bit\n")
	fmt.Fprintf(&c.b, "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//acme//sample//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:%x@acme.test\nDTSTAMP:%s\nDTSTART:%s\nSUMMARY:%s\n",
		c.r.Uint64(), c.date.UTC().Format("20060102T150405Z"), start, c.subject)
	fmt.Fprintf(&c.b, "ORGANIZER:mailto:%s\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:%s\nEND:VEVENT\nEND:VCALENDAR\n", c.from.address, c.to.address)
	c.line("--" + b + "--")
}

// bounce is a delivery report (RFC 3464).
func (c *composer) bounce(size int) {
	b := c.boundary()
	c.from = person{"Mail Delivery System", "MAILER-DAEMON@mail." + Domain}
	c.subject = "Undelivered Mail Returned to Sender"
	c.extra = append(c.extra, "Auto-Submitted: auto-replied")
	c.head(fmt.Sprintf("multipart/report; report-type=delivery-status;\n boundary=%q", b))
	c.line("--" + b + "\nContent-Type: text/plain; charset=us-ascii\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n")
	c.line("--" + b + "\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mail.acme.test\n\nFinal-Recipient: rfc822; nobody@client.test\nAction: failed\nStatus: 5.1.1\n")
	c.line("--" + b + "\nContent-Type: message/rfc822\n")
	inner := composer{r: c.r, m: c.m, lang: c.lang, date: c.date, from: c.to, to: person{"nobody", "nobody@client.test"}, subject: "?"}
	inner.plain(size - 600)
	c.b.Write(inner.b.Bytes())
	c.line("\n--" + b + "--")
}

// signed has a detached signature (RFC 1847): one changed octet breaks it.
func (c *composer) signed(size int) {
	b := c.boundary()
	c.head(fmt.Sprintf("multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256;\n boundary=%q", b))
	c.line("--" + b)
	c.textPart("plain", c.text(size-3000))
	c.line("\n--" + b + "\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"smime.p7s\"\n")
	writeBase64(&c.b, octets(c.r, 2048), "\n")
	c.line("--" + b + "--")
}
