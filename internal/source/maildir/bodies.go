package maildir

import (
	"context"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// Bodies reads messages from disk for a source that lists them otherwise,
// over IMAP. It is used by one goroutine at a time.
type Bodies struct {
	store *Store
	dirs  map[string]string // by mailname.Key
}

// Bodies opens the account's Maildir. The error says why there is none.
func (s *Source) Bodies(ctx context.Context, a model.Account) (source.Bodies, error) {
	store, err := s.open(a)
	if err != nil {
		return nil, err
	}
	cols, err := store.Collections(ctx)
	if err != nil {
		return nil, err
	}
	b := &Bodies{store: store, dirs: map[string]string{}}
	for _, c := range cols {
		if !c.Container {
			b.dirs[mailname.Key(c.Path)] = c.Native
		}
	}
	return b, nil
}

// Read is like Store.Read, for a mailbox named by its path. A mailbox that
// the disk does not have, or has in another generation of UIDs, gives every
// item as gone.
func (b *Bodies) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	dir, ok := b.dirs[mailname.Key(c.Path)]
	if ok {
		list, err := b.store.header(dir)
		ok = err == nil && list.validity == c.UIDValidity
		if x := b.store.idx; x != nil && x.dir == dir && x.validity != c.UIDValidity {
			b.store.idx = nil
		}
	}
	if !ok {
		for _, i := range items {
			if err := fn(i, nil, model.Faultf(model.ClassItem, model.CodeGone, "no such mailbox on disk")); err != nil {
				return err
			}
		}
		return nil
	}
	return b.store.Read(ctx, model.Collection{Native: dir, Path: c.Path}, items, fn)
}

// Scripts returns the account's Sieve scripts on disk.
func (b *Bodies) Scripts(ctx context.Context) ([]model.Script, error) { return b.store.Scripts(ctx) }
