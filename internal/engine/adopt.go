package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/translate"
)

// adoption takes over what the destination holds already: after the ledger was
// lost, or where another tool has copied mail before. First by the hash of a
// message; what that does not find, another tool may have changed when it
// copied it (adopt_changed.go). The reader alone uses it.
type adoption struct {
	mailbox *mailbox
	// unclaimed holds the mailbox being read, and those that several mailboxes
	// of the source go into: once imports into one are in flight, its listing
	// would show them as if nobody knew of them.
	unclaimed map[string]*unclaimed
	held      []*held // look like emails whose content must be seen
	octets    int64   // held in memory
	found     []adopted
	sums      map[Note]int64 // notes for the result, with how many messages they are about
}

// adopted is a message and the email that it already is.
type adopted struct {
	item    ledger.Item
	mailbox *mailbox
	remote  string
	repair  bool
	changed string // what another tool changed
	date    bool   // another received date
}

// adopt looks for the message among the emails of its mailbox that nobody
// knows of. It returns true when it has taken the message: then it is
// recorded by keepAdopted, or goes to add after all.
func (r *run) adopt(ctx context.Context, e *entry, add func(context.Context, *entry) error) (bool, error) {
	if !r.Adopt || e.mailbox.row.Target == "" {
		return false, nil
	}
	s, err := r.unclaimedFor(ctx, e.mailbox)
	if err != nil {
		e.body.drop()
		return false, err
	}
	if s.left == 0 {
		return false, nil
	}
	received, _ := translate.Received(e.item.Received)
	hash, repair := e.body.Hash, false
	n := s.byHash(hash, received.Unix())
	if n < 0 && e.body.Open == nil {
		// It may have been repaired when it was imported.
		h := blake3.New()
		h.Write(translate.Repair(e.body.Bytes, e.item.Received))
		h.Write(e.body.Bytes)
		h.Sum(hash[:0])
		n, repair = s.byHash(hash, received.Unix()), true
	}
	if n < 0 {
		return r.hold(ctx, e, s, add)
	}
	r.takeOver(e, s, n, adopted{repair: repair})
	return true, nil
}

// takeOver claims an email for a message, whose body is not needed any more.
func (r *run) takeOver(e *entry, s *unclaimed, n int32, a adopted) {
	u := s.claim(n)
	e.body.drop()
	a.item, a.mailbox, a.remote = e.item, e.mailbox, u.id
	a.item.Hash, a.item.Size, a.item.Sent, a.item.State = u.hash, u.size, a.item.Flags, ledger.Moved
	received, _ := translate.Received(e.item.Received)
	a.date = received.Unix() != u.received
	r.adopting.found = append(r.adopting.found, a)
}

// noteBeside tells of a mailbox that another tool seems to have made for this
// one, when its messages go into the destination's own: what is there is not
// taken over.
func (r *run) noteBeside(b *mailbox, at []destination.Mailbox) {
	for _, m := range at {
		if m.ID != b.row.Target && m.Emails > 0 && m.Parent == "" && len(b.src.Path) == 1 && strings.EqualFold(m.Name, b.src.Path[0]) {
			r.note(b.name(), "", "beside", fmt.Sprintf("the destination has a mailbox %q with %s, which another tool may have made; the messages go into %q, and what is in the other is not taken over: move it there first, if it is a copy",
				m.Name, plural.Count(m.Emails, "email"), strings.Join(b.row.TargetPath, "/")))
		}
	}
}

// keepAdopted decides about what is held and writes what was found into the
// ledger. The flags at the destination stay as they are: whoever changed them
// there meant to.
func (r *run) keepAdopted(ctx context.Context, add func(context.Context, *entry) error) error {
	if err := r.decideHeld(ctx, add); err != nil {
		return err
	}
	found := r.adopting.found
	r.adopting.found = nil
	if len(found) == 0 {
		return nil
	}
	err := r.step(ctx, "adopt", func(t *ledger.Tx) error {
		for _, a := range found {
			if err := r.putAdopted(t, a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.tally(func() {
		r.res.Counts.Adopted += int64(len(found))
		for _, a := range found {
			if a.changed != "" {
				r.res.Counts.AdoptedChanged++
			}
		}
	})
	r.Progress.Moved(r.acc, int64(len(found)), 0)
	for _, a := range found {
		if a.changed != "" {
			r.sum(1, a.mailbox.name(), ledger.NoteAdoptedChanged, "taken over as another tool has copied and changed them: "+a.changed)
		}
		if a.date {
			r.sum(1, a.mailbox.name(), ledger.NoteAdoptedDate, "taken over with the received date that another tool has given them")
		}
	}
	return nil
}

// sum counts messages that the same is to be said of: the ledger has it
// message by message, the result in one line for each mailbox.
func (r *run) sum(n int64, mailbox, code, text string) {
	if r.adopting.sums == nil {
		r.adopting.sums = map[Note]int64{}
	}
	r.adopting.sums[Note{Mailbox: mailbox, Code: code, Text: text}] += n
}

// tellSums puts what was counted into the result, when the account is done.
func (r *run) tellSums() {
	notes := slices.SortedFunc(maps.Keys(r.adopting.sums), func(a, b Note) int {
		return cmp.Or(cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text))
	})
	for _, n := range notes {
		r.note(n.Mailbox, "", n.Code, plural.Count(r.adopting.sums[n], "message")+" "+n.Text)
	}
}

func (r *run) putAdopted(t *ledger.Tx, a adopted) error {
	i := a.item
	i.Remote = a.remote
	if err := t.PutItem(i); err != nil {
		return err
	}
	if err := t.ClearNote(r.row.ID, i.Collection, ledger.NoteItem(i.UID), "refused"); err != nil {
		return err
	}
	_, clamped := translate.Received(i.Received)
	for _, n := range []struct {
		is         bool
		code, text string
	}{
		{a.repair, "repaired", repairText},
		{clamped, "date", dateText(i)},
		{a.changed != "", ledger.NoteAdoptedChanged, a.changed},
		{a.date, ledger.NoteAdoptedDate, adoptedDateText},
	} {
		if n.is {
			if err := r.putNote(t, i, n.code, n.text); err != nil {
				return err
			}
		}
	}
	return nil
}

const adoptedDateText = "its received date at the destination is the one that the other copy was given"

// unclaimedFor returns the emails of a mailbox's target that nobody knows of. It must
// have been listed before anything is imported there.
func (r *run) unclaimedFor(ctx context.Context, b *mailbox) (*unclaimed, error) {
	a := &r.adopting
	if a.mailbox != b && a.mailbox != nil && !slices.ContainsFunc(r.mailboxes, func(o *mailbox) bool {
		return o != a.mailbox && o.row.Target == a.mailbox.row.Target
	}) {
		r.closeUnclaimed(a.mailbox.row.Target)
	}
	a.mailbox = b
	if s := a.unclaimed[b.row.Target]; s != nil {
		return s, nil
	}
	s, err := r.listUnclaimed(ctx, b.row.Target)
	if err != nil {
		return nil, err
	}
	s.name = b.name()
	if a.unclaimed == nil {
		a.unclaimed = map[string]*unclaimed{}
	}
	a.unclaimed[b.row.Target] = s
	return s, nil
}

// closeUnclaimed forgets a mailbox, and says what it holds twice.
func (r *run) closeUnclaimed(target string) {
	s := r.adopting.unclaimed[target]
	if s == nil {
		return
	}
	delete(r.adopting.unclaimed, target)
	if n := s.duplicates(); n > 0 {
		r.tally(func() { r.res.Counts.Duplicates += n })
		r.sum(n, s.name, "duplicates", "at the destination are there once more than at the source, by content or by Message-ID, sender, subject and date; they are left alone")
	}
}

// adoptionDone follows the load: every mailbox has been read.
func (r *run) adoptionDone(context.Context) error {
	for target := range r.adopting.unclaimed {
		r.closeUnclaimed(target)
	}
	return nil
}

// dropHeld frees what is still held when the reader ends with an error.
func (r *run) dropHeld() {
	for _, h := range r.adopting.held {
		h.entry.body.drop()
	}
	r.adopting.held, r.adopting.octets = nil, 0
}

// listUnclaimed lists a mailbox of the destination, without the emails that the
// ledger knows.
func (r *run) listUnclaimed(ctx context.Context, target string) (*unclaimed, error) {
	s := &unclaimed{}
	for o, err := range r.dst.Outlines(ctx, target) {
		if err != nil {
			return nil, err
		}
		s.put(o)
	}
	rows, err := r.Ledger.Collections(ctx, r.row.ID)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, c := range rows {
		// While messages are recognised by their content, emails may be moved
		// between mailboxes; the listing is older than the ledger then.
		if c.Target != target && !r.vanished {
			continue
		}
		for i, err := range r.Ledger.Items(ctx, c.ID) {
			if err != nil {
				return nil, err
			}
			if i.Remote != "" && s.has(i.Remote) {
				known[i.Remote] = true
			}
		}
	}
	s.index(known)
	return s, nil
}
