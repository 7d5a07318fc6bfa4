package share

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
)

// owner is one account whose mailboxes others use.
type owner struct {
	Options
	acc    model.Account
	people *people
	groups *groups
	res    AccountResult

	dst      destination.Sharer
	have     map[string]map[string]destination.Rights // at the destination, by mailbox
	accounts map[string]string                        // IDs at the destination, by login; "" is not there yet
	expected map[string]map[string]destination.Rights // by reader's login and mailbox
	// standsFor are the groups of this run, by their IDs at the destination.
	standsFor map[string]*group
	unlisted  int // public mailboxes that have no list
	// fresh are mailboxes that readers may read now and could not before: paths
	// at the source by ID at the destination, by login.
	fresh   map[string]map[string][]string
	ownSeen int // mailboxes of which each reader has a \Seen of his own
	// given are the calendars, address books and folders that are shared.
	given []givenObjects
}

func (w *owner) run(ctx context.Context) error {
	row, err := w.Ledger.Account(ctx, w.acc.Login, w.acc.Address)
	if err != nil {
		return err
	}
	if row.Remote == "" {
		w.res.Absent = true
		return nil
	}
	if err := w.Courtesy.Ask(ctx); err != nil {
		return err
	}
	store, err := w.Source.Open(ctx, w.acc)
	if err != nil {
		return err
	}
	defer store.Close()
	w.fresh = map[string]map[string][]string{}
	w.accounts, w.expected, w.standsFor = map[string]string{}, map[string]map[string]destination.Rights{}, map[string]*group{}
	if err := w.objects(ctx, row.ID, store); err != nil {
		return err
	}
	if err := w.mailboxes(ctx, row.ID, store); err != nil {
		return err
	}
	if w.DryRun {
		return nil
	}
	if w.dst != nil {
		if err := w.dst.Settle(ctx); err != nil {
			if model.ClassOf(err) != model.ClassItem {
				return err
			}
			w.note("", "settle", err.Error())
		}
	}
	store.Close() // its connection: the readers' views take some, too
	if err := w.subscribe(ctx); err != nil {
		return err
	}
	if err := w.lookAtObjects(ctx); err != nil {
		return err
	}
	return w.lookAsReaders(ctx)
}

// mailboxes carries the lists of the account's mailboxes.
func (w *owner) mailboxes(ctx context.Context, account int64, store source.Store) error {
	lists, ok := store.(source.Rights)
	if !ok {
		w.note("", "unknown", "this source does not tell who may use whose mailboxes")
		return nil
	}
	at, err := w.Destination.Open(ctx, w.acc.Address)
	if err != nil {
		return err
	}
	if w.dst, ok = at.(destination.Sharer); !ok {
		w.note("", "unknown", "this destination cannot share mailboxes")
		return nil
	}
	if w.have, err = w.dst.Shares(ctx); err != nil {
		return err
	}
	targets, err := w.targets(ctx, account)
	if err != nil {
		return err
	}
	err = eachList(ctx, store, lists, func(c model.Collection, grants []model.Grant, specific bool, err error) error {
		if err != nil && model.ClassOf(err) == model.ClassItem {
			w.note(name(c.Path), "unreadable", fmt.Sprintf("its list cannot be read, and nothing is changed: %v", err))
			return nil
		}
		if err != nil {
			return err
		}
		t, moved := targets[c.ID]
		if !moved {
			if len(read(grants).users)+len(read(grants).groups) > 1 {
				w.note(name(c.Path), "notMoved", "the mailbox has not been moved yet: its shares follow it")
			}
			return nil
		}
		if err := w.mailbox(ctx, c, t, grants, specific); err != nil {
			return err
		}
		if w.acc.Public != nil && len(grants) == 0 {
			w.unlisted++
		}
		if own, ok := store.(source.OwnSeen); ok && w.acc.Public != nil {
			each, err := own.OwnSeen(ctx, c)
			if err != nil {
				return err
			}
			if each {
				w.ownSeen++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.tellPublic()
	return nil
}

// eachList hands over the list of each mailbox, or why it cannot be read.
func eachList(ctx context.Context, store source.Store, lists source.Rights, fn func(c model.Collection, grants []model.Grant, specific bool, err error) error) error {
	cols, err := store.Collections(ctx)
	if err != nil {
		return err
	}
	specific := false
	if s, ok := store.(source.SpecificRights); ok {
		if specific, err = s.SpecificRights(ctx); err != nil {
			return err
		}
	}
	for _, c := range cols {
		if c.Kind != model.KindMail || c.Container {
			continue
		}
		grants, err := lists.Rights(ctx, c)
		if err := fn(c, grants, specific, err); err != nil {
			return err
		}
	}
	return nil
}

func name(path []string) string { return strings.Join(path, "/") }

// targets are the ledger's rows of the account's mailboxes that have arrived,
// by their identity at the source.
func (w *owner) targets(ctx context.Context, account int64) (map[string]ledger.Collection, error) {
	rows, err := w.Ledger.Collections(ctx, account)
	if err != nil {
		return nil, err
	}
	out := map[string]ledger.Collection{}
	for _, c := range rows {
		if c.Kind == model.KindMail && c.Target != "" && !c.Retired {
			out[c.SourceID] = c
		}
	}
	return out, nil
}

func (w *owner) note(mailbox, code, text string) {
	w.res.Notes = append(w.res.Notes, Note{Mailbox: mailbox, Code: code, Text: text})
}

// mailbox carries the list of one mailbox.
func (w *owner) mailbox(ctx context.Context, c model.Collection, t ledger.Collection, grants []model.Grant, specific bool) error {
	want, err := w.wanted(ctx, name(c.Path), read(grants), specific)
	if err != nil {
		return err
	}
	was, err := w.Ledger.Shares(ctx, t.ID)
	if err != nil {
		return err
	}
	is := w.have[t.Target]
	ids := map[string]bool{}
	for id := range want {
		ids[id] = true
	}
	for id := range was {
		ids[id] = true
	}
	set, common := map[string]destination.Rights{}, map[string]destination.Rights{}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		reader, err := w.reader(ctx, id)
		if err != nil {
			return err
		}
		old := destination.Rights(was[id])
		switch {
		case is[id] == want[id]:
			common[id] = want[id]
		case is[id] == old:
			set[id], common[id] = want[id], want[id]
			w.res.Changes = append(w.res.Changes, Change{Mailbox: name(c.Path), Reader: w.address(reader), From: is[id], To: want[id]})
		default:
			w.res.Kept++
			if want[id] != old {
				w.note(name(c.Path), "kept", fmt.Sprintf("%s has %q at the destination, where it was changed; the source says %q now", w.address(reader), is[id], want[id]))
			}
			want[id] = is[id]
		}
		if want[id] != 0 {
			w.res.Shares++
			if err := w.expect(ctx, id, t.Target, want[id]); err != nil {
				return err
			}
		}
	}
	if w.DryRun {
		return nil
	}
	if err := w.dst.Share(ctx, t.Target, set); err != nil {
		if model.ClassOf(err) != model.ClassItem {
			return err
		}
		w.note(name(c.Path), "refused", fmt.Sprintf("the destination refuses to share it with %s: %v; it allows %d for one mailbox; mailhaul check --fix raises x:Sharing maxShares as far as the lists need",
			plural.Count(len(want), "account"), err, w.Destination.Limits().MaxShares))
		return nil
	}
	for id, rights := range set {
		if is[id]&destination.MayRead == 0 && rights&destination.MayRead != 0 {
			if err := w.opens(ctx, id, t.Target, c.Path); err != nil {
				return err
			}
		}
	}
	return w.Ledger.Write(ctx, func(tx *ledger.Tx) error {
		for id, rights := range common {
			if err := tx.PutShare(t.ID, id, uint16(rights)); err != nil {
				return err
			}
		}
		return nil
	})
}

// wanted works out what the destination should have, by account ID there, and
// notes what it cannot.
func (w *owner) wanted(ctx context.Context, mailbox string, l list, specific bool) (map[string]destination.Rights, error) {
	var failed error
	ids := map[*group]string{}
	usable := func(g *group) bool {
		id, note, err := w.groups.ensure(ctx, g)
		if err != nil {
			failed = err
		}
		if note != "" {
			w.note(mailbox, "group", g.address+": "+note)
		}
		ids[g] = id
		return id != ""
	}
	a := l.allot(w.acc, w.people, specific, w.Destination.Limits().MaxShares, usable)
	if failed != nil {
		return nil, failed
	}
	want := map[string]destination.Rights{}
	for _, g := range a.groups {
		w.standsFor[ids[g.group]] = g.group
		want[ids[g.group]] |= g.rights
		for _, x := range g.lost {
			w.note(mailbox, "rights", g.address+" "+x.text)
		}
	}
	w.notes(mailbox, l, a)
	for _, r := range a.users {
		for _, x := range r.lost {
			w.note(mailbox, "rights", w.address(r.login)+" "+x.text)
		}
		if r.rights == 0 {
			continue
		}
		id, err := w.find(ctx, r.login)
		if err != nil {
			return nil, err
		}
		if id == "" {
			w.res.Waiting = append(w.res.Waiting, Wait{Mailbox: mailbox, Reader: w.address(r.login)})
			continue
		}
		want[id] = r.rights
	}
	return want, nil
}

// address is how reports call an account.
func (w *owner) address(login string) string {
	if a, ok := w.people.byID[strings.ToLower(login)]; ok && a.Address != "" {
		return a.Address
	}
	return login
}

// find returns an account's ID at the destination; empty while it is not there.
func (w *owner) find(ctx context.Context, login string) (string, error) {
	if id, ok := w.accounts[login]; ok {
		return id, nil
	}
	a := w.people.byID[strings.ToLower(login)]
	if a.Address == "" || a.Excluded != "" {
		w.accounts[login] = ""
		return "", nil
	}
	at, err := w.Destination.Open(ctx, a.Address)
	switch {
	case err == nil:
		w.accounts[login] = at.ID()
	case model.CodeOf(err) == destination.CodeNoAccount:
		w.accounts[login] = ""
	default:
		return "", err
	}
	return w.accounts[login], nil
}

// reader is the login of an account at the destination.
func (w *owner) reader(ctx context.Context, id string) (string, error) {
	if g := w.standsFor[id]; g != nil {
		return g.address, nil
	}
	for login, known := range w.accounts {
		if known == id {
			return login, nil
		}
	}
	login, err := w.Ledger.LoginOf(ctx, id)
	if login == "" && err == nil {
		login, err = w.groups.called(ctx, id)
	}
	if login == "" {
		login = "account " + id
	}
	return login, err
}
