package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/translate"
)

const (
	// holdItems and holdOctets bound what is held in memory until the content
	// of its candidates has been seen.
	holdItems  = 100
	holdOctets = 4 << 20
	// looksAtOnce is how many candidates are read at once.
	looksAtOnce = 8
	// strippedHeader and addedHeader are how many octets of header a tool is
	// expected to remove or add at most.
	strippedHeader = 4 << 10
	addedHeader    = 16 << 10
)

// held is a message that looks like emails at the destination: same identity,
// other content.
type held struct {
	entry     *entry
	unclaimed *unclaimed
	message   *translate.Message
	looked    map[int32]bool // candidates that were compared
	weak      []weakMatch
}

// weakMatch is an email that is the message with more than marks of tools
// added. It may be the copy of a message that follows, of the same identity.
type weakMatch struct {
	email   int32
	changes string
}

// hold keeps a message back if emails of the destination look like it.
func (r *run) hold(ctx context.Context, e *entry, s *unclaimed, add func(context.Context, *entry) error) (bool, error) {
	message, err := e.body.parsed()
	if err != nil {
		e.body.drop()
		return false, model.SpoolFault(err)
	}
	h := &held{entry: e, unclaimed: s, message: message, looked: map[int32]bool{}}
	if len(h.candidates()) == 0 {
		return false, nil
	}
	a := &r.adopting
	a.held = append(a.held, h)
	a.octets += int64(len(e.body.Bytes))
	if len(a.held) >= holdItems || a.octets >= holdOctets {
		return true, r.decideHeld(ctx, add)
	}
	return true, nil
}

// parsed takes the message apart.
func (b *body) parsed() (*translate.Message, error) {
	if b.Open == nil {
		return translate.ReadMessage(bytes.NewReader(b.Bytes))
	}
	r, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return translate.ReadMessage(r)
}

// candidates are the emails that may be the message, the likeliest first: with
// its Message-ID or, where it has none, its sender, subject and date; of about
// its size; and not known to have another body. Whether they are it, their
// content tells: this only bounds how many are read.
func (h *held) candidates() []int32 {
	value := func(name string) string { v, _ := h.message.Last(name); return v }
	message, sender, date := key(value("Message-ID")), key(value("From"), value("Subject")), key(value("Date"))
	a := h.message
	least := a.Size - a.CRLF - a.CR - a.NUL - a.Blanks - strippedHeader
	most := a.Size + a.LF + a.CR + addedHeader
	body := bodyKey(a)
	received, _ := translate.Received(h.entry.item.Received)
	var out []int32
	chain, k := chainMessage, message
	if message == 0 {
		chain, k = chainSender, sender
	}
	h.unclaimed.walk(chain, k, func(n int32, u *unclaimedEmail) bool {
		switch {
		case u.size < least, u.size > most,
			message == 0 && date != 0 && u.date != date, // one that has none may be given one
			u.body != 0 && u.body != body && a.NUL == 0, h.looked[n]:
		default:
			out = append(out, n)
		}
		return true
	})
	all := h.unclaimed.all
	slices.SortStableFunc(out, func(x, y int32) int {
		same := func(n int32) int {
			if all[n].received == received.Unix() {
				return 0
			}
			return 1
		}
		return cmp.Compare(same(x), same(y))
	})
	return out
}

// bodyKey tells bodies apart without comparing them; NULs count as what
// Dovecot shows in their place, which tools copy.
func bodyKey(a *translate.Message) uint64 { return binary.LittleEndian.Uint64(a.Widened[:]) | 1 }

// decideHeld reads the candidates of what is held, and takes them over or gives
// the messages to add. Each candidate is read once for every message that has
// its identity and body, and once for the others together.
func (r *run) decideHeld(ctx context.Context, add func(context.Context, *entry) error) error {
	left := r.adopting.held
	for len(left) > 0 {
		looks := map[int32]*look{}
		for _, h := range left {
			if n := next(h, looks); n >= 0 && looks[n] == nil {
				looks[n] = &look{email: n, unclaimed: h.unclaimed}
			}
		}
		if len(looks) == 0 {
			break
		}
		if err := r.look(ctx, looks); err != nil {
			return err
		}
		left = slices.DeleteFunc(left, func(h *held) bool { return r.compare(h, looks) })
		r.adopting.held = left
	}
	for len(left) > 0 {
		h := left[0]
		left = left[1:]
		r.adopting.held = left
		if i := slices.IndexFunc(h.weak, func(w weakMatch) bool { return !h.unclaimed.all[w.email].claimed }); i >= 0 {
			r.takeOver(h.entry, h.unclaimed, h.weak[i].email, adopted{changed: h.weak[i].changes})
			continue
		}
		if err := add(ctx, h.entry); err != nil {
			return err
		}
	}
	r.adopting.held, r.adopting.octets = nil, 0
	return nil
}

// next chooses the candidate to look at: one that nobody has chosen in this
// round, if there is one.
func next(h *held, looks map[int32]*look) int32 {
	all := h.candidates()
	if len(all) == 0 {
		return -1
	}
	for _, n := range all {
		if looks[n] == nil {
			return n
		}
	}
	return all[0]
}

// look is one email whose content is read.
type look struct {
	email     int32
	unclaimed *unclaimed
	message   *translate.Message // nil: it is gone
}

// look reads the content of emails, some at once.
func (r *run) look(ctx context.Context, looks map[int32]*look) error {
	start := r.Now()
	defer func() { r.pace.waiting(sideDestination, r.Now().Sub(start)) }()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(looksAtOnce)
	for _, l := range looks {
		g.Go(func() error {
			err := r.dst.Content(ctx, l.unclaimed.all[l.email].id, func(body io.Reader) (err error) {
				l.message, err = translate.ReadMessage(body)
				return err
			})
			if model.CodeOf(err) == destination.CodeNotFound {
				l.message, err = nil, nil
			}
			return err
		})
	}
	return g.Wait()
}

// compare judges the candidates that were read. It reports whether one of them
// was taken over.
func (r *run) compare(h *held, looks map[int32]*look) bool {
	for _, n := range h.candidates() {
		l := looks[n]
		if l == nil {
			continue
		}
		h.looked[n] = true
		if l.message == nil {
			continue
		}
		h.unclaimed.all[n].body = bodyKey(l.message)
		changes, ok := translate.Copied(h.message, l.message)
		switch {
		case ok && changes.Marks:
			r.takeOver(h.entry, h.unclaimed, n, adopted{changed: changes.String()})
			return true
		case ok:
			h.weak = append(h.weak, weakMatch{email: n, changes: changes.String()})
		}
	}
	return false
}
