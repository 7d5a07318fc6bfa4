package sample

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// message makes the i-th message.
func (m *Mailbox) message(i int) Message {
	s := &m.slots[i]
	msg := Message{UID: s.uid, Received: time.Unix(s.received, 0).UTC(), fresh: s.fresh}
	msg.Flags.System = s.system
	for k, name := range m.keywords {
		if s.keywords&(1<<k) != 0 {
			msg.Flags.Keywords = append(msg.Flags.Keywords, name)
			msg.letters += string(rune('a' + k))
		}
	}
	slices.Sort(msg.Flags.Keywords)
	unique := fmt.Sprintf("%d.M%dP%d", s.received, 1000+(i*7919)%900000, 1000+m.number*100_000+int(s.uid)%100_000)
	switch {
	case s.large:
		msg.large = m.org.largeMessage(m.acc, msg.Received)
		msg.storedSize, msg.Size = msg.large.size(1), msg.large.size(2)
		msg.Oddity = "large"
	case s.odd > 0:
		d := &oddities[s.odd-1]
		c := m.composer(m.org.random("oddity", int(s.odd)), msg.Received)
		d.build(c)
		msg.stored, msg.Oddity, msg.shared = bytes.Clone(c.b.Bytes()), d.name, d.shared
		if d.shared {
			unique = fmt.Sprintf("%d.M%dP77", s.received, s.odd)
		}
	default:
		msg.stored = m.ordinary(i, msg.Received)
	}
	if msg.large == nil {
		msg.Content = toCRLF(msg.stored)
		msg.storedSize, msg.Size = int64(len(msg.stored)), int64(len(msg.Content))
	}
	msg.base = unique + ".mail"
	if !m.spec.foreign {
		msg.base += fmt.Sprintf(",S=%d,W=%d", msg.storedSize, msg.Size)
	}
	msg.GUID = msg.base
	if i%17 == 3 && !msg.shared {
		// Brought by dsync from another server, which knew another GUID.
		msg.ownGUID = true
		msg.GUID = hex.EncodeToString(octets(m.org.random("guid", m.acc.number, m.number, i), 16))
	}
	return msg
}

func (m *Mailbox) composer(r *rand.Rand, received time.Time) *composer {
	return &composer{r: r, m: m, lang: m.acc.lang, date: received.Add(-time.Duration(2+r.IntN(90)) * time.Second)}
}

// ordinary makes a well-formed message, as it lies on disk.
func (m *Mailbox) ordinary(i int, received time.Time) []byte {
	r := m.org.random("message", m.acc.number, m.number, i)
	c := m.composer(r, received)
	if r.IntN(6) == 0 {
		c.lang = languages[r.IntN(len(languages))]
	}
	c.id = m.messageID(i)
	root := m.thread(c, i)
	rootR := m.org.random("subject", m.acc.number, m.number, root)
	c.subject = fmt.Sprintf("%s (%d)", m.acc.lang.subjects[rootR.IntN(len(m.acc.lang.subjects))], 1+root)
	if len(c.refs) > 0 {
		c.subject = m.acc.lang.reply + c.subject
	}
	other := c.person()
	self := person{m.acc.Name, m.acc.Login}
	if c.from, c.to = other, self; m.Role == model.RoleSent || m.Role == model.RoleDrafts {
		c.from, c.to = self, other
	}
	c.compose(messageSize(r, m.org.Options.MessageSize))
	return store(c.b.Bytes(), r)
}

// messageSize draws from a log-normal distribution with that mean: mail is
// many small messages and few large ones, which hold most of the octets.
func messageSize(r *rand.Rand, mean int) int {
	const sigma = 1.2
	mu := math.Log(float64(mean)) - sigma*sigma/2
	return min(int(math.Exp(mu+sigma*r.NormFloat64())), 100*mean)
}

// messageID is the Message-ID of the i-th message, so that answers can name
// it without making it.
func (m *Mailbox) messageID(i int) string {
	return fmt.Sprintf("<%012x.%x@mail.%s>", m.org.random("id", m.acc.number, m.number, i).Uint64()>>16, i, Domain)
}

// thread gives the message the references to those that it answers (RFC 5322
// §3.6.4) and returns the number of the first one of the thread.
func (m *Mailbox) thread(c *composer, i int) (root int) {
	root = i
	for len(c.refs) < 12 {
		r := m.org.random("answers", m.acc.number, m.number, root)
		p := root - 1 - r.IntN(3)
		if r.IntN(100) >= 45 || p < 0 || m.slots[p].odd > 0 || m.slots[p].large {
			break
		}
		c.refs = append(c.refs, m.messageID(p))
		root = p
	}
	slices.Reverse(c.refs)
	if in := m.acc.Mailboxes[0]; m.Role == model.RoleSent && len(c.refs) == 0 && in.Len() > 0 && i%3 > 0 {
		// What is sent often answers what came.
		c.refs = []string{in.messageID(i % in.Len())}
	}
	return root
}

// store gives the text, which has LF, the ends of lines that it has on disk:
// Dovecot's LF mostly, CRLF as some delivery agents leave it, or both in one
// message, as a filter that adds header fields leaves it.
func store(text []byte, r *rand.Rand) []byte {
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	switch r.IntN(10) {
	case 0, 1:
		return toCRLF(text)
	case 2:
		head, body, _ := bytes.Cut(text, []byte("\n\n"))
		return slices.Concat(head, []byte("\n\r\n"), toCRLF(body))
	}
	return text
}

// toCRLF is what an IMAP server shows: a CR before every LF that has none.
func toCRLF(text []byte) []byte {
	out := make([]byte, 0, len(text)+bytes.Count(text, []byte{'\n'}))
	for {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return append(out, text...)
		}
		out = append(out, text[:i]...)
		if i == 0 || text[i-1] != '\r' {
			out = append(out, '\r')
		}
		out = append(out, '\n')
		text = text[i+1:]
	}
}

// largeMessage is a film in an attachment.
func (o *Organisation) largeMessage(a *Account, received time.Time) *large {
	c := a.Mailboxes[0].composer(o.random("large"), received)
	c.from, c.to, c.subject, c.id = c.person(), person{a.Name, a.Login}, "The film of the opening", "<film.large@mail."+Domain+">"
	c.head("multipart/mixed; boundary=\"film\"")
	c.line("This is a message in MIME format.\n\n--film\nContent-Type: text/plain; charset=us-ascii\n\nEnjoy!\n\n--film")
	c.line("Content-Type: video/mp4; name=\"opening.mp4\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"opening.mp4\"\n")
	head := string(bytes.ReplaceAll(c.b.Bytes(), []byte("\r\n"), []byte("\n")))
	return newLarge(head, "--film--\n", o.Options.Large, o.Options.Seed)
}
