package share

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
)

// expect notes what a reader, or every member of a group who has arrived, has to
// see.
func (w *owner) expect(ctx context.Context, id, reader, mailbox string, rights destination.Rights) error {
	logins := []string{reader}
	if g := w.standsFor[id]; g != nil {
		logins = nil
		for _, m := range g.members {
			at, err := w.find(ctx, m.Login)
			if err != nil {
				return err
			}
			if at != "" && m.Login != w.acc.Login {
				logins = append(logins, m.Login)
			}
		}
	}
	for _, login := range logins {
		if w.expected[login] == nil {
			w.expected[login] = map[string]destination.Rights{}
		}
		w.expected[login][mailbox] |= rights
	}
	return nil
}

// lookAsReaders asks every reader's own view, and notes what differs.
func (w *owner) lookAsReaders(ctx context.Context) error {
	for _, login := range slices.Sorted(maps.Keys(w.expected)) {
		a, ok := w.people.byID[strings.ToLower(login)]
		if !ok {
			continue
		}
		seen, err := w.dst.SeenBy(ctx, a.Address)
		if err != nil {
			return err
		}
		for _, mailbox := range slices.Sorted(maps.Keys(w.expected[login])) {
			want := w.expected[login][mailbox]
			if want&destination.MayRead == 0 {
				continue // not shown to who may not read
			}
			if got := seen[mailbox]; got != want {
				w.note("", "differs", fmt.Sprintf("%s has %q on mailbox %s, as seen by that account; %q was meant", a.Address, got, mailbox, want))
			}
		}
	}
	return nil
}

// tellPublic says of public mailboxes which of them nothing gives to anybody, and
// what becomes of the \Seen of each reader: the destination keeps one for all.
func (w *owner) tellPublic() {
	if w.unlisted > 0 {
		w.note("", "unlisted", fmt.Sprintf("of %d mailboxes nothing tells who may use them: they are shared with nobody; share them at the destination", w.unlisted))
	}
	if w.ownSeen == 0 {
		return
	}
	fate := "all messages came unread, for everybody"
	if who := w.acc.Public.Seen; who != "" {
		fate = "for everybody, what " + w.address(who) + " has read came read, as far as that account may see the mailbox"
	}
	w.note("", "seen", fmt.Sprintf("in %d mailboxes each reader had read what he had read; the destination keeps one such mark for all readers: %s", w.ownSeen, fate))
}
