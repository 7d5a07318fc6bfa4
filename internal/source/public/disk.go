package public

import (
	"context"
	"errors"
	"log/slog"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/dovecot"
	"mailhaul.org/mailhaul/internal/source/mailname"
)

// Disk is a disk with public mailboxes on it. Of the public account it opens
// these, of everybody else what the disk without them does.
type Disk struct {
	dovecot.Disk
	// OpenTree opens one of model.Public's Roots.
	OpenTree func(ctx context.Context, root model.PublicRoot) (source.Store, error)
	// Unlisted: no access control lists are in use. Everybody may do what the
	// file system permits the server.
	Unlisted bool
	// OwnFlags: each reader has all flags of his own, in copies elsewhere (a
	// Courier's shared Maildirs); those in the trees are nobody's.
	OwnFlags bool
	// Own tells what one reader has for himself in a tree; nil, and a nil Own:
	// nothing.
	Own func(root model.PublicRoot, reader model.Account) Own
	Log *slog.Logger // may be nil
}

// Open implements source.Source.
func (d *Disk) Open(ctx context.Context, a model.Account) (source.Store, error) {
	if a.Public == nil {
		return d.Disk.Open(ctx, a)
	}
	return d.open(ctx, a)
}

func (d *Disk) open(ctx context.Context, a model.Account) (*store, error) {
	if len(a.Public.Roots) == 0 {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "path", Account: a.Login, Err: errors.New("nothing tells where the public mailboxes are"),
			Remedy: "name their locations in source.public.locations"}
	}
	log := d.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &store{acc: a, log: log, unlisted: d.Unlisted, ownFlags: d.OwnFlags}
	for _, root := range a.Public.Roots {
		t, err := d.OpenTree(ctx, root)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.trees = append(s.trees, tree{t, root.Path, d.own(root, a)})
	}
	return s, nil
}

// CheckAccounts passes on to a disk that can.
func (d *Disk) CheckAccounts(ctx context.Context, accounts []model.Account) []model.Finding {
	if c, ok := d.Disk.(interface {
		CheckAccounts(ctx context.Context, accounts []model.Account) []model.Finding
	}); ok {
		return c.CheckAccounts(ctx, accounts)
	}
	return nil
}

// Bodies implements dovecot.Disk.
func (d *Disk) Bodies(ctx context.Context, a model.Account) (source.Bodies, error) {
	if a.Public == nil {
		return d.Disk.Bodies(ctx, a)
	}
	s, err := d.open(ctx, a)
	if err != nil {
		return nil, err
	}
	all, err := s.Collections(ctx)
	if err != nil {
		return nil, err
	}
	b := &bodies{store: s, at: map[string]model.Collection{}}
	for _, c := range all {
		if !c.Container {
			b.at[mailname.Key(c.Path)] = c
		}
	}
	return b, nil
}

// bodies are the messages of the trees, for mailboxes that are listed over
// IMAP.
type bodies struct {
	*store
	at map[string]model.Collection // by mailname.Key of the path
}

// Read implements source.Bodies.
func (b *bodies) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	have, ok := b.at[mailname.Key(c.Path)]
	if !ok || have.UIDValidity != c.UIDValidity {
		for _, i := range items {
			if err := fn(i, nil, model.Faultf(model.ClassItem, model.CodeGone, "no such mailbox on disk")); err != nil {
				return err
			}
		}
		return nil
	}
	return b.store.Read(ctx, have, items, fn)
}
