package sample

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
)

// The builders write a message exactly as it lies on disk.

func raw(text string) func(*composer) {
	return func(c *composer) { c.b.WriteString(text) }
}

// simple begins a well-formed message.
func (c *composer) simple(subject, contentType string) {
	c.from, c.to, c.subject = c.person(), person{c.m.acc.Name, c.m.acc.Login}, subject
	c.head(contentType)
	c.toLF()
}

// toLF undoes what parts of the standard library write.
func (c *composer) toLF() {
	text := bytes.ReplaceAll(bytes.Clone(c.b.Bytes()), []byte("\r\n"), []byte("\n"))
	c.b.Reset()
	c.b.Write(text)
}

func usual(subject string) func(*composer) {
	return func(c *composer) {
		c.simple(subject, "text/plain; charset=utf-8")
		c.b.WriteString(c.text(400))
	}
}

func storedWith(end string) func(*composer) {
	return func(c *composer) {
		usual("Every line ends the same way on disk")(c)
		text := strings.ReplaceAll(c.b.String(), "\n", end)
		c.b.Reset()
		c.b.WriteString(text)
	}
}

func storedMixed(c *composer) {
	usual("Lines end in two ways on disk")(c)
	lines := strings.Split(c.b.String(), "\n")
	c.b.Reset()
	for i, l := range lines[:len(lines)-1] {
		c.b.WriteString(l + [...]string{"\n", "\r\n", "\n"}[i%3])
	}
}

func bareCR(c *composer) {
	c.simple("Carriage returns alone", "text/plain")
	c.b.WriteString("progress 10%\rprogress 50%\rprogress 100%\r\r\ntwo of them before a line feed\nand one at the end\r")
}

func nulOctets(c *composer) {
	c.simple("NUL octets", "text/plain")
	c.b.WriteString("before\x00after\n\x00\x00\x00\nand \x80 and \xff\n")
}

func eightBitHeader(c *composer) {
	c.b.WriteString("From: J\xfcrgen M\xfcller <juergen@kunde.test>\nTo: K\xe4the\n <kaethe@kunde.test>\nSubject: \xc4nderung f\xfcr \x80 100\nDate: Mon, 3 Feb 2020 10:00:00 +0100\n\nGr\xfc\xdfe\n")
}

func utf8Header(c *composer) {
	c.b.WriteString("From: Jürgen Müller <jürgen@müller.test>\nTo: 田中 千代 <chiyo@acme.test>\nSubject: κείμενο без кодировки بلا ترميز\nDate: Mon, 3 Feb 2020 10:00:00 +0100\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nπ ≈ 3\n")
}

func wrongCharset(c *composer) {
	c.simple("It says UTF-8 and is not", "text/plain; charset=utf-8")
	c.b.WriteString("Gr\xfc\xdfe \xc3( \xf8\x88\x80\x80\x80 \xed\xa0\x80\n")
}

func utf16Text(c *composer) {
	c.simple("UTF-16 without an encoding", "text/plain; charset=utf-16le")
	for _, u := range utf16.Encode([]rune("\ufeffΚαλημέρα, UTF-16!\r\nzweite Zeile 😀\r\n")) {
		c.b.WriteByte(byte(u))
		c.b.WriteByte(byte(u >> 8))
	}
}

func binaryAttachment(c *composer) {
	c.simple("Binary transfer encoding", "multipart/mixed; boundary=bin")
	c.b.WriteString("--bin\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: binary\n\n")
	c.b.Write(octets(c.r, 20_000)) // every octet occurs, LF and CR among them
	c.b.WriteString("\n--bin--\n")
}

func longLine(c *composer) {
	c.simple("A line of 300,000 octets", "text/html; charset=us-ascii")
	c.b.WriteString("<p>" + strings.Repeat("0123456789 ", 300_000/11) + "</p>\n")
}

func manyFields(c *composer) {
	for i := range 2000 {
		c.field(fmt.Sprintf("X-Hop-%04d", i), "relay%d.client.test; pass=%x", i, c.r.Uint32())
	}
	c.simple("Two thousand header fields", "text/plain")
	c.line("text")
}

func manyRecipients(c *composer) {
	c.b.WriteString("To: r00000@list.client.test")
	for i := 1; i < 20_000; i++ {
		fmt.Fprintf(&c.b, ",\n r%05d@list.client.test", i)
	}
	c.b.WriteString("\nFrom: office@client.test\nDate: Mon, 3 Feb 2020 10:00:00 +0100\nSubject: To everybody\n\nHello, all of you!\n")
}

func longField(c *composer) {
	c.b.WriteString("From: a@client.test\nSubject: " + strings.Repeat("long ", 20_000) + "\nReferences: " + strings.Repeat("<x@client.test> ", 2000) + "\n\ntext\n")
}

func deepMultipart(c *composer) {
	const depth = 120
	c.simple("Parts in parts, 120 deep", "multipart/mixed; boundary=d0")
	for i := range depth {
		fmt.Fprintf(&c.b, "--d%d\nContent-Type: multipart/mixed; boundary=d%d\n\n", i, i+1)
	}
	fmt.Fprintf(&c.b, "--d%d\nContent-Type: text/plain\n\nthe bottom\n", depth)
	for i := depth; i >= 0; i-- {
		fmt.Fprintf(&c.b, "--d%d--\n", i)
	}
}

func deepMessages(c *composer) {
	for i := range 40 {
		fmt.Fprintf(&c.b, "From: a%d@client.test\nSubject: Fwd %d\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n", i, i)
	}
	c.b.WriteString("From: z@client.test\nSubject: the first one\n\ntext\n")
}

func wideMultipart(c *composer) {
	c.simple("Twelve hundred parts", "multipart/mixed; boundary=w")
	for i := range 1200 {
		fmt.Fprintf(&c.b, "--w\nContent-Type: text/plain\n\npart %d\n", i)
	}
	c.b.WriteString("--w--\n")
}

func winmail(c *composer) {
	c.simple("Angebot", "multipart/mixed; boundary=tnef")
	c.b.WriteString("--tnef\nContent-Type: text/plain\n\nSee attachment.\n--tnef\nContent-Type: application/ms-tnef; name=\"winmail.dat\"\nContent-Transfer-Encoding: base64\n\n")
	body := octets(c.r, 3000)
	copy(body, "\x78\x9f\x3e\x22")
	writeBase64(&c.b, body, "\n")
	c.b.WriteString("--tnef--\n")
}

func dated(date string) func(*composer) {
	return func(c *composer) {
		fmt.Fprintf(&c.b, "From: %s\nTo: %s\nMessage-ID: <%x@client.test>\nDate: %s\nSubject: %s\n\nThe date field says %s\n",
			c.person().address, c.m.acc.Login, c.r.Uint64(), date, "Dates", date)
	}
}
