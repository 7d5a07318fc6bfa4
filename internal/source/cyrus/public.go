package cyrus

import (
	"context"
	"fmt"
	"slices"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// openPublic opens the mailboxes that belong to nobody. They are read as the
// user whose \Seen is wanted, or as nobody.
func (s *Source) openPublic(m *mailboxes, a model.Account) (source.Store, error) {
	st := &Store{src: s, acc: a}
	if a.Public.Seen == "" {
		return st, nil
	}
	st.user = s.userOf(a.Public.Seen)
	st.inbox = inboxOf(st.user, s.opts.Layout.Virtual)
	e, ok := m.find(st.inbox.String())
	if !ok {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "noMailbox", Account: a.Login,
			Err: fmt.Errorf("%s, whose \\Seen is to be carried, has no mailbox", a.Public.Seen), Remedy: "name another login in source.public.seen, or nobody"}
	}
	st.inboxID = e.id
	return st, nil
}

// CountPublic is how many mailboxes with mail belong to nobody.
func (s *Source) CountPublic() (n int, err error) {
	m, err := s.mailboxes()
	if err != nil {
		return 0, err
	}
	for _, e := range m.shared {
		if e.content(s.opts.Layout.SieveFolder) == kindMail {
			n++
		}
	}
	return n, nil
}

// publicPath is the hierarchy of a mailbox that belongs to nobody. Those of
// another than the default domain are below that domain's name.
func (s *Source) publicPath(e entry) []string {
	path := s.path(e.name.levels())
	if e.name.domain != "" {
		path = slices.Insert(path, 0, e.name.domain)
	}
	return path
}

// seenAside reports that what is told depends on a user's seen state, which
// changes without a trace in the index.
func (st *Store) seenAside() bool { return st.acc.Public != nil && st.user != "" }

func (st *Store) publicFingerprint(c model.Collection) string {
	if st.seenAside() {
		return ""
	}
	return c.Fingerprint
}

// OwnSeen implements source.OwnSeen.
func (st *Store) OwnSeen(_ context.Context, c model.Collection) (bool, error) {
	e, err := st.entry(c)
	if err != nil {
		return false, err
	}
	h, err := st.src.indexHeader(e)
	return err == nil && !h.sharedSeen, nil // what cannot be read, Changes tells
}

var _ source.OwnSeen = (*Store)(nil)
