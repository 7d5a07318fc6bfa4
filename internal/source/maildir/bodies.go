package maildir

import (
	"context"
	"errors"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/hierarchy"
)

// Bodies opens the account's Maildir for a source that lists it otherwise, over
// IMAP. The error says why there is none.
func (s *Source) Bodies(ctx context.Context, a model.Account) (source.Bodies, error) {
	store, err := s.open(a)
	if err != nil {
		return nil, err
	}
	return hierarchy.Bodies(ctx, store, store.ofGeneration)
}

// ofGeneration reports whether a mailbox's UIDs are of a generation; an index of
// another one is not used any more.
func (s *Store) ofGeneration(dir string, uidValidity uint32) bool {
	list, err := s.header(dir)
	if x := s.idx; x != nil && x.dir == dir && x.validity != uidValidity {
		err = errors.Join(err, s.use(nil))
	}
	return err == nil && list.validity == uidValidity
}
