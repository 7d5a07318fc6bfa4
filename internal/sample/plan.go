package sample

import (
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// slot is what is known of a message before it is made.
type slot struct {
	uid      uint32
	system   model.SystemFlags
	fresh    bool
	large    bool
	odd      int16  // 1 + index into oddities, or 0
	keywords uint32 // by bit, as in Mailbox.keywords
	received int64  // Unix seconds
}

// persona makes the account without its messages.
func (o *Organisation) persona(number int, p persona) *Account {
	pw := p.password
	if known, ok := passwords[p.local]; ok && number < len(personas) {
		pw = known
	}
	a := &Account{Login: p.local + "@" + Domain, Name: p.name, Password: pw.clear, Hash: pw.hash, Disabled: p.disabled, Quota: p.quota,
		number: number, lang: p.lang, weight: p.weight}
	if a.Disabled && !o.Options.NoLogin {
		_, body, _ := strings.Cut(a.Hash, "}")
		a.Hash = "{CRYPT}!" + body // as passwd -l does: no password fits
	}
	for _, s := range p.scripts {
		s.Content = slices.Clone(s.Content)
		a.Scripts = append(a.Scripts, s)
	}
	for _, m := range p.missing {
		a.Missing = append(a.Missing, strings.Split(m, "."))
	}
	for _, b := range p.boxes {
		if !b.odd || o.Options.Oddities {
			o.box(a, b)
		}
	}
	return a
}

// box adds a mailbox and the levels above it that are missing.
func (o *Organisation) box(a *Account, b box) *Mailbox {
	path := strings.Split(b.path, ".")
	for n := 1; n < len(path); n++ {
		if a.Mailbox(path[:n]...) == nil {
			a.Mailboxes = append(a.Mailboxes, &Mailbox{Path: path[:n:n], Container: true, org: o, acc: a, number: len(a.Mailboxes)})
		}
	}
	m := a.Mailbox(path...)
	if m == nil {
		m = &Mailbox{Path: path, org: o, acc: a, number: len(a.Mailboxes)}
		a.Mailboxes = append(a.Mailboxes, m)
	}
	r := o.random("box", a.number, m.number)
	m.Container, m.spec, m.Role, m.Subscribed, m.keywords = false, b, b.role, !b.unsubscribed, slices.Clone(b.keywords)
	// Dovecot takes the time of creation; Courier's habit of equal values in
	// one second is not Dovecot's.
	m.UIDValidity = uint32(1_262_304_000 + a.number*100_000 + m.number*7 + r.IntN(7))
	m.GUID = hex.EncodeToString(octets(r, 16))
	return m
}

// plan fills the mailboxes.
func (o *Organisation) plan() {
	if o.Options.Oddities {
		for i := range oddities {
			o.placeOddity(i)
		}
	}
	if o.Options.Large > 0 {
		a := o.home("maria")
		m := a.Mailboxes[0]
		m.slots = append(m.slots, slot{large: true, system: model.Seen, received: o.Options.Now.Add(-40 * 24 * time.Hour).Unix()})
	}
	fixed := 0
	counts := map[*Mailbox]int{}
	for _, a := range o.Accounts {
		for _, m := range a.Mailboxes {
			counts[m] = m.spec.min
			fixed += len(m.slots) + m.spec.min
		}
	}
	o.share(counts, max(0, o.Options.Messages-fixed))
	for _, a := range o.Accounts {
		for _, m := range a.Mailboxes {
			m.fill(counts[m])
		}
	}
}

// home is the account of a persona, or the one that stands in for it.
func (o *Organisation) home(local string) *Account {
	i := slices.IndexFunc(personas, func(p persona) bool { return p.local == local })
	return o.Accounts[i%len(o.Accounts)]
}

func (o *Organisation) placeOddity(i int) {
	d := &oddities[i]
	a := o.home(d.at)
	received := o.Options.Now.Add(-time.Duration(3*365*24+i*31) * time.Hour)
	if d.received != "" {
		received, _ = time.Parse(time.RFC3339, d.received) // constants; a test parses them all
	}
	paths := d.boxes
	if len(paths) == 0 {
		paths = []string{"INBOX"}
	}
	for _, p := range paths {
		m := a.Mailbox(strings.Split(p, ".")...)
		if m == nil {
			m = o.box(a, box{path: p})
		}
		s := slot{odd: int16(i + 1), system: d.flags, received: received.Unix()}
		for _, k := range d.keywords {
			n := slices.Index(m.keywords, k)
			if n < 0 {
				n = len(m.keywords)
				m.keywords = append(m.keywords, k)
			}
			s.keywords |= 1 << n
		}
		m.slots = append(m.slots, s)
	}
}

// share distributes the ordinary messages by weight, exactly.
func (o *Organisation) share(counts map[*Mailbox]int, messages int) {
	total := 0
	each := func(f func(m *Mailbox, weight int)) {
		for _, a := range o.Accounts {
			sum := 0
			for _, m := range a.Mailboxes {
				sum += m.spec.weight
			}
			for _, m := range a.Mailboxes {
				if w := m.spec.weight * a.weight; w > 0 {
					// Per mille of the account, so that many mailboxes do
					// not make an account larger.
					f(m, max(1, w*1000/sum))
				}
			}
		}
	}
	each(func(_ *Mailbox, w int) { total += w })
	seen, given := 0, 0
	each(func(m *Mailbox, w int) {
		seen += w
		upTo := messages * seen / total
		counts[m] += upTo - given
		given = upTo
	})
}

// fill plans n ordinary messages behind the odd ones, then numbers all.
func (m *Mailbox) fill(n int) {
	if m.Container {
		return
	}
	r := m.org.random("fill", m.acc.number, m.number)
	span := int64(7*365*24*3600) / int64(n+1)
	begin := m.org.Options.Now.Unix() - int64(n+1)*span
	for i := range n {
		s := slot{received: begin + int64(i)*span + r.Int64N(span)}
		s.system, s.keywords = m.someFlags(r)
		switch {
		case m.Role != model.RoleInbox:
		case i == 0:
			s.system |= model.Deleted
		case i >= n-3:
			s.system, s.keywords = 0, 0
		}
		if len(m.keywords) > 0 {
			// Every keyword is on some message.
			for k := i; k < len(m.keywords); k += n {
				s.keywords |= 1 << k
			}
		}
		// What no client has seen yet lies in new/.
		s.fresh = m.Role == model.RoleInbox && i >= n-3 && s.system == 0 && s.keywords == 0
		m.slots = append(m.slots, s)
	}
	uid := uint32(r.IntN(3))
	for i := range m.slots {
		uid++
		if r.IntN(8) == 0 {
			uid += uint32(r.IntN(30)) // expunged long ago
		}
		m.slots[i].uid = uid
	}
	m.UIDNext = uid + 1 + uint32(r.IntN(4))
}

func (m *Mailbox) someFlags(r *rand.Rand) (f model.SystemFlags, keywords uint32) {
	chance := func(percent int, flag model.SystemFlags) {
		if r.IntN(100) < percent {
			f |= flag
		}
	}
	chance(85, model.Seen)
	chance(18, model.Answered)
	chance(6, model.Flagged)
	chance(1, model.Deleted)
	if m.Role == model.RoleDrafts {
		f = f&^(model.Answered|model.Deleted) | model.Draft | model.Seen
	}
	for k := range m.keywords {
		if r.IntN(12) == 0 {
			keywords |= 1 << k
		}
	}
	return f, keywords
}
