package pcp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/contentline"
)

// Version changes whenever the event does.
func (e Event) Version() string {
	h := fnv.New64a()
	io.WriteString(h, e.line)
	return fmt.Sprintf("%x", h.Sum64())
}

// errNoTime: an event has to take place.
var errNoTime = errors.New("the event has no time")

// ICalendar is the event with its message as an iCalendar object (RFC 5545). Each
// of several times is an event of its own; the first has the server's ID as its
// UID.
func (e Event) ICalendar(message io.Reader) ([]byte, error) {
	if len(e.Times) == 0 {
		return nil, errNoTime
	}
	m, err := mail.ReadMessage(message)
	if err != nil {
		return nil, fmt.Errorf("its message: %w", err)
	}
	var c content
	if err := c.read(textHeader(m.Header), m.Body, 0); err != nil {
		return nil, fmt.Errorf("its message: %w", err)
	}
	stamp := e.Times[0].Start
	if at, err := m.Header.Date(); err == nil {
		stamp = at.UTC()
	}
	out := []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//mailhaul.org//Courier webmail//EN\r\n")
	for i, t := range e.Times {
		uid := e.ID
		if i > 0 {
			uid = fmt.Sprintf("%s-%d", e.ID, i+1)
		}
		lines := []contentline.Line{contentline.New("UID", contentline.Escape(uid)), instant("DTSTAMP", stamp), instant("DTSTART", t.Start), instant("DTEND", t.End)}
		if s := decoded(m.Header.Get("Subject")); s != "" {
			lines = append(lines, contentline.New("SUMMARY", contentline.Escape(s)))
		}
		if s := strings.TrimSpace(c.text.String()); s != "" {
			lines = append(lines, contentline.New("DESCRIPTION", contentline.Escape(s)))
		}
		if e.Cancelled {
			lines = append(lines, contentline.New("STATUS", "CANCELLED"))
		}
		lines = append(lines, e.people(m.Header)...)
		lines = append(lines, c.attached...)
		out = append(out, "BEGIN:VEVENT\r\n"...)
		for _, l := range lines {
			out = l.Append(out)
		}
		out = append(out, "END:VEVENT\r\n"...)
	}
	return append(out, "END:VCALENDAR\r\n"...), nil
}

func instant(name string, t time.Time) contentline.Line {
	return contentline.New(name, t.Format("20060102T150405Z"))
}

// people are who invited whom. A copy that somebody else has placed names nobody.
func (e Event) people(h mail.Header) (lines []contentline.Line) {
	if len(e.Participants) == 0 {
		return nil
	}
	if from, err := (&mail.AddressParser{WordDecoder: words}).Parse(h.Get("From")); err == nil {
		lines = append(lines, person("ORGANIZER", from.Name, from.Address))
	}
	for _, p := range e.Participants {
		lines = append(lines, person("ATTENDEE", "", p))
	}
	return lines
}

func person(as, name, address string) contentline.Line {
	if name == "" {
		return contentline.New(as, "mailto:"+address)
	}
	return contentline.New(as, "mailto:"+address, contentline.Param{Name: "CN", Values: []string{name}})
}

// words decodes headers (RFC 2047) of any character set.
var words = &mime.WordDecoder{CharsetReader: func(charset string, r io.Reader) (io.Reader, error) {
	b, err := io.ReadAll(r)
	s, _ := contentline.Decode(b, charset)
	return strings.NewReader(s), err
}}

// decoded is a header as text.
func decoded(raw string) string {
	s, err := words.DecodeHeader(raw)
	if err != nil {
		s = raw
	}
	s, _ = contentline.Decode([]byte(s), "")
	return strings.TrimSpace(s)
}

// content is what a message consists of.
type content struct {
	text     strings.Builder
	attached []contentline.Line
}

type textHeader interface{ Get(name string) string }

// maxParts is how deep parts may lie in others.
const maxParts = 10

// read takes a message or a part of one in: plain text is the description, all
// else is attached.
func (c *content) read(h textHeader, body io.Reader, depth int) error {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind, params = "text/plain", nil
	}
	disposition, dparams, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" && depth < maxParts {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := c.read(p.Header, p, depth+1); err != nil {
				return err
			}
		}
	}
	octets, err := io.ReadAll(transferred(h.Get("Content-Transfer-Encoding"), body))
	if err != nil {
		return err
	}
	if kind == "text/plain" && disposition != "attachment" {
		s, _ := contentline.Decode(octets, params["charset"])
		if c.text.Len() > 0 {
			c.text.WriteString("\n\n")
		}
		c.text.WriteString(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")))
		return nil
	}
	about := []contentline.Param{{Name: "FMTTYPE", Values: []string{kind}}, {Name: "ENCODING", Values: []string{"BASE64"}}, {Name: "VALUE", Values: []string{"BINARY"}}}
	for _, name := range []string{dparams["filename"], params["name"]} {
		if name = decoded(name); name != "" {
			about = append(about, contentline.Param{Name: "X-FILENAME", Values: []string{name}})
			break
		}
	}
	c.attached = append(c.attached, contentline.New("ATTACH", base64.StdEncoding.EncodeToString(octets), about...))
	return nil
}

// transferred undoes the encoding for the transfer (RFC 2045 §6).
func transferred(encoding string, r io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	}
	return r
}
