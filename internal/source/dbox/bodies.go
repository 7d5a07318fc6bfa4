package dbox

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// bodies reads messages for a source that lists them otherwise.
type bodies struct {
	store *Store
	names map[string]string // on disk, by mailname.Key
}

// Bodies opens the account on disk. The error says why it cannot.
func (s *Source) Bodies(ctx context.Context, a model.Account) (source.Bodies, error) {
	store, err := s.open(a)
	if err != nil {
		return nil, err
	}
	cols, err := store.Collections(ctx)
	if err != nil {
		return nil, err
	}
	b := &bodies{store: store, names: map[string]string{}}
	for _, c := range cols {
		if !c.Container {
			b.names[mailname.Key(c.Path)] = c.Native
		}
	}
	return b, nil
}

// Read implements source.Bodies.
func (b *bodies) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	name, ok := b.names[mailname.Key(c.Path)]
	if !ok {
		for _, i := range items {
			if err := fn(i, nil, model.Faultf(model.ClassItem, model.CodeGone, "no such mailbox on disk")); err != nil {
				return err
			}
		}
		return nil
	}
	c.Native = name
	return b.store.Read(ctx, c, items, fn)
}

// Scripts implements source.Bodies.
func (b *bodies) Scripts(ctx context.Context) ([]model.Script, error) { return b.store.Scripts(ctx) }
