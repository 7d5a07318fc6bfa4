package sample

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// Domain is the domain of every account. Stalwart refuses domains below
// .example; .test is reserved for the purpose as well (RFC 2606 §2).
const Domain = "acme.test"

// Options say how large an organisation is. The zero value is one account
// with a few messages.
type Options struct {
	// Accounts is how many there are; below 1 counts as 1. The first twelve
	// have themes. With fewer, the difficult messages of the missing ones are
	// given to those that are there; their difficult mailboxes are not.
	Accounts int
	// Messages is the sum over all accounts. There are more when the themes
	// need more (about 220 with twelve accounts and Oddities).
	Messages int
	// Large is the size in octets, as IMAP shows it, of one large message in
	// one account; 0 means none. The message has at most 100 octets less.
	Large int64
	// Seed makes organisations of equal size different.
	Seed uint64
	// Now is the day on which the organisation is looked at: no ordinary
	// message is newer. The zero time means 2026-03-02 09:00 UTC.
	Now time.Time
	// Oddities adds the messages, names, dates and keywords that a migration
	// stumbles over. Without them all is well-formed.
	Oddities bool
	// NoLogin disables the disabled account with nologin in the passwd-file.
	// Dovecot then refuses a master login to it as well ("Login disabled for
	// this user"), so that only its Maildir can be read. Otherwise its hash is
	// locked with "!", which a master login gets past.
	NoLogin bool
	// MessageSize is the mean size of ordinary messages in octets; 0 means a
	// realistic mix around 20 KiB. No message is below about 600 octets.
	MessageSize int
}

// Organisation is a sample organisation. It is safe for concurrent use and
// must not be changed.
type Organisation struct {
	Options  Options
	Accounts []*Account

	octets func() int64
}

// New plans an organisation. It makes no message yet.
func New(o Options) *Organisation {
	o.Accounts = max(o.Accounts, 1)
	if o.Now.IsZero() {
		o.Now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	}
	o.Now = o.Now.UTC().Truncate(time.Second)
	if o.MessageSize <= 0 {
		o.MessageSize = 20 << 10
	}
	org := &Organisation{Options: o}
	for i := range o.Accounts {
		if i < len(personas) {
			org.Accounts = append(org.Accounts, org.persona(i, personas[i]))
		} else {
			org.Accounts = append(org.Accounts, org.persona(i, org.invent(i)))
		}
	}
	org.plan()
	org.octets = sync.OnceValue(org.measure)
	return org
}

// Totals returns how many accounts, mailboxes that can hold messages, and
// messages there are, and the sum of the messages' sizes as IMAP shows them
// (RFC822.SIZE). The first call makes every message once.
func (o *Organisation) Totals() (accounts, mailboxes, messages int, octets int64) {
	for _, a := range o.Accounts {
		for _, m := range a.Mailboxes {
			if !m.Container {
				mailboxes++
				messages += m.Len()
			}
		}
	}
	return len(o.Accounts), mailboxes, messages, o.octets()
}

func (o *Organisation) measure() (sum int64) {
	for _, a := range o.Accounts {
		for _, m := range a.Mailboxes {
			for msg := range m.Messages() {
				sum += msg.Size
			}
		}
	}
	return sum
}

// random returns a generator for the thing that parts name. It depends on
// nothing that was drawn before, so things can be made in any order.
func (o *Organisation) random(what string, parts ...int) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(what))
	for _, p := range parts {
		var b [8]byte
		for i := range b {
			b[i] = byte(p >> (8 * i))
		}
		h.Write(b[:])
	}
	return rand.New(rand.NewPCG(o.Options.Seed, h.Sum64()))
}
