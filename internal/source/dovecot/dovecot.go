package dovecot

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/imap"
)

// Source is one Dovecot.
type Source struct {
	imap *imap.Source
	disk Disk
	log  *slog.Logger
}

// Disk reads the same accounts from disk: a maildir.Source, a dbox.Source.
type Disk interface {
	source.Source
	source.Checker
	fmt.Stringer
	Bodies(ctx context.Context, a model.Account) (source.Bodies, error)
}

// New combines two views of the same server. log may be nil.
func New(server *imap.Source, disk Disk, log *slog.Logger) *Source {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Source{imap: server, disk: disk, log: log}
}

// String names the source in logs.
func (s *Source) String() string { return s.imap.String() + " and " + s.disk.String() }

// Close implements source.Source.
func (s *Source) Close() error {
	s.disk.Close()
	return s.imap.Close()
}

// Accounts implements source.Source: those that the disk has.
func (s *Source) Accounts(ctx context.Context) iter.Seq2[model.Account, error] {
	return s.disk.Accounts(ctx)
}

// Check implements source.Checker.
func (s *Source) Check(ctx context.Context) []model.Finding {
	return append(s.imap.Check(ctx), s.disk.Check(ctx)...)
}

// CheckAs logs in as one account.
func (s *Source) CheckAs(ctx context.Context, a model.Account) []model.Finding {
	return s.imap.CheckAs(ctx, a)
}

// Open implements source.Source. An account that cannot be read from disk is
// read over IMAP alone.
func (s *Source) Open(ctx context.Context, a model.Account) (source.Store, error) {
	st, err := s.imap.Open(ctx, a)
	if err != nil {
		return nil, err
	}
	bodies, err := s.disk.Bodies(ctx, a)
	if err != nil {
		bodies = nil
		s.log.Warn("reading over IMAP only", "account", a.Login, "reason", err)
	}
	return &store{Store: st, bodies: bodies}, nil
}

type store struct {
	source.Store
	bodies source.Bodies // nil: the disk cannot be read
}

// Read implements source.Store.
func (s *store) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	if s.bodies == nil {
		return s.Store.Read(ctx, c, items, fn)
	}
	handed := make(map[uint64]bool, len(items))
	var stop error
	err := s.bodies.Read(ctx, c, items, func(r model.ItemRef, body *source.Content, err error) error {
		if err != nil {
			return nil // the server may have it
		}
		handed[r.UID] = true
		stop = fn(r, body, nil)
		return stop
	})
	if stop != nil || ctx.Err() != nil {
		return err
	}
	// An error of the mailbox as a whole is no reason to stop, either.
	rest := slices.DeleteFunc(slices.Clone(items), func(r model.ItemRef) bool { return handed[r.UID] })
	if len(rest) == 0 {
		return nil
	}
	return s.Store.Read(ctx, c, rest, fn)
}

// Rest implements source.Rester.
func (s *store) Rest() {
	if r, ok := s.Store.(source.Rester); ok {
		r.Rest()
	}
}

// Rights implements source.Rights: the server's word counts.
func (s *store) Rights(ctx context.Context, c model.Collection) ([]model.Grant, error) {
	return s.Store.(source.Rights).Rights(ctx, c)
}

// SpecificRights implements source.SpecificRights.
func (s *store) SpecificRights(ctx context.Context) (bool, error) {
	return s.Store.(source.SpecificRights).SpecificRights(ctx)
}

// SubscribedShared implements source.SubscribedShared.
func (s *store) SubscribedShared(ctx context.Context) ([]model.SharedCollection, error) {
	if o, ok := s.Store.(source.SubscribedShared); ok {
		return o.SubscribedShared(ctx)
	}
	return nil, nil
}

// OwnSeen implements source.OwnSeen, for the public mailboxes.
func (s *store) OwnSeen(ctx context.Context, c model.Collection) (bool, error) {
	if o, ok := s.Store.(source.OwnSeen); ok {
		return o.OwnSeen(ctx, c)
	}
	return false, nil
}

// Scripts implements source.Scripts.
func (s *store) Scripts(ctx context.Context) ([]model.Script, error) {
	scripts, err := s.Store.(source.Scripts).Scripts(ctx)
	if err != nil || scripts != nil || s.bodies == nil {
		return scripts, err
	}
	return s.bodies.Scripts(ctx)
}
