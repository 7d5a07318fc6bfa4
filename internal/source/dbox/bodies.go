package dbox

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/hierarchy"
)

// Bodies opens the account on disk for a source that lists it otherwise, over
// IMAP. The error says why it cannot.
func (s *Source) Bodies(ctx context.Context, a model.Account) (source.Bodies, error) {
	store, err := s.open(a)
	if err != nil {
		return nil, err
	}
	return hierarchy.Bodies(ctx, store, nil) // each read looks at UIDVALIDITY
}
