package hierarchy

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// Reader is a store on disk that reads messages and scripts.
type Reader interface {
	source.Store
	source.Scripts
}

// bodies finds the mailboxes of a store by their paths.
type bodies struct {
	Reader
	names map[string]string // on disk, by mailname.Key
	fresh func(name string, uidValidity uint32) bool
}

// Bodies lets a store read for a source that lists mailboxes otherwise, over
// IMAP. fresh reports whether a mailbox on disk is of a generation of UIDs; nil:
// the store looks itself. What is not gives every item as gone.
func Bodies(ctx context.Context, store Reader, fresh func(name string, uidValidity uint32) bool) (source.Bodies, error) {
	cols, err := store.Collections(ctx)
	if err != nil {
		return nil, err
	}
	b := &bodies{Reader: store, names: map[string]string{}, fresh: fresh}
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
	if ok && b.fresh != nil {
		ok = b.fresh(name, c.UIDValidity)
	}
	if !ok {
		for _, i := range items {
			if err := fn(i, nil, model.Faultf(model.ClassItem, model.CodeGone, "no such mailbox on disk")); err != nil {
				return err
			}
		}
		return nil
	}
	c.Native = name
	return b.Reader.Read(ctx, c, items, fn)
}
