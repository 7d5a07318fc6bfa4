package share

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/plural"
)

// whom are the logins that a share with this ID is for: a reader's, or those of
// a group's members who have arrived.
func (w *owner) whom(ctx context.Context, id string) ([]string, error) {
	g := w.standsFor[id]
	if g == nil {
		login, err := w.reader(ctx, id)
		return []string{login}, err
	}
	var out []string
	for _, m := range g.members {
		at, err := w.find(ctx, m.Login)
		if err != nil {
			return nil, err
		}
		if at != "" && m.Login != w.acc.Login {
			out = append(out, m.Login)
		}
	}
	return out, nil
}

// expect notes what those whom a share is for have to see.
func (w *owner) expect(ctx context.Context, id, mailbox string, rights destination.Rights) error {
	logins, err := w.whom(ctx, id)
	for _, login := range logins {
		if w.expected[login] == nil {
			w.expected[login] = map[string]destination.Rights{}
		}
		w.expected[login][mailbox] |= rights
	}
	return err
}

// opens notes a mailbox that a share makes readable.
func (w *owner) opens(ctx context.Context, id, mailbox string, path []string) error {
	logins, err := w.whom(ctx, id)
	for _, login := range logins {
		if w.fresh[login] == nil {
			w.fresh[login] = map[string][]string{}
		}
		w.fresh[login][mailbox] = path
	}
	return err
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
		w.note("", "unlisted", fmt.Sprintf("of %s nothing tells who may use %[2]s: shared with nobody; share %[2]s at the destination", plural.Count(w.unlisted, "mailbox"), plural.Of(w.unlisted, "it", "them")))
	}
	if w.ownSeen == 0 {
		return
	}
	fate := "all messages came unread, for everybody"
	if who := w.acc.Public.Seen; who != "" {
		fate = "for everybody, what " + w.address(who) + " has read came read, as far as that account may see the mailbox"
	}
	w.note("", "seen", fmt.Sprintf("in %s each reader had read what he had read; the destination keeps one such mark for all readers: %s", plural.Count(w.ownSeen, "mailbox"), fate))
}
