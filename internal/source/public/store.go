package public

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
)

// tree is one of the joined trees.
type tree struct {
	source.Store
	path []string // above its mailboxes
	own  Own      // of the reader whose flags are carried; nil: of nobody
}

// store is several trees as one account. Flags are those that the mailboxes
// keep for all readers, and those of the reader who was asked for.
type store struct {
	acc   model.Account
	trees []tree
	log   *slog.Logger
	// unlisted: no lists are in use.
	unlisted bool
	// ownFlags: as Disk.OwnFlags.
	ownFlags bool
}

// everything is what users may do where no lists are in use.
var everything = []model.Grant{{Identifier: "anyone", Rights: model.ParseRights("lrswikxte")}}

// Close implements source.Store.
func (s *store) Close() error {
	for _, t := range s.trees {
		t.Close()
	}
	return nil
}

// Collections implements source.Store. A tree has no inbox: what lies in its
// root is no mailbox to anybody (Dovecot lists none without "inbox = yes").
// Roles and subscriptions are somebody's.
func (s *store) Collections(ctx context.Context) ([]model.Collection, error) {
	var out []model.Collection
	have := map[string]bool{}
	for i, t := range s.trees {
		all, err := t.Store.Collections(ctx)
		if err != nil {
			return nil, err
		}
		for n := range t.path {
			level := model.Collection{Kind: model.KindMail, ID: "level:" + strings.Join(t.path[:n+1], "\x00"), Path: slices.Clone(t.path[:n+1]),
				Container: true, Items: -1, Octets: -1}
			if !have[level.ID] {
				have[level.ID] = true
				out = append(out, level)
			}
		}
		for _, c := range all {
			if len(c.Path) == 1 && c.Path[0] == "INBOX" {
				if c.Items > 0 {
					s.log.Warn("messages in the root of public mailboxes are nobody's to see and are left out", "account", s.acc.Login, "folder", c.Native, "messages", c.Items)
				}
				continue
			}
			c.Native, c.Path = strconv.Itoa(i)+":"+c.Native, slices.Concat(t.path, c.Path)
			if len(s.trees) > 1 {
				c.ID = strconv.Itoa(i) + ":" + c.ID
			}
			c.Role, c.Subscribed = model.RoleNone, false
			if t.own != nil {
				c.Fingerprint = "" // what one reader does leaves no trace in the mailbox
			}
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b model.Collection) int { return slices.Compare(a.Path, b.Path) })
	return out, nil
}

// tree finds whose mailbox it is, and what that calls it.
func (s *store) tree(c model.Collection) (tree, model.Collection, error) {
	number, native, ok := strings.Cut(c.Native, ":")
	i, err := strconv.Atoi(number)
	if !ok || err != nil || i < 0 || i >= len(s.trees) || len(c.Path) < len(s.trees[i].path) {
		return tree{}, c, &model.Fault{Class: model.ClassAccount, Code: model.CodeGone, Account: s.acc.Login, Collection: strings.Join(c.Path, "/"),
			Err: fmt.Errorf("no such mailbox: %w", fs.ErrNotExist)}
	}
	t := s.trees[i]
	c.Native, c.Path = native, c.Path[len(t.path):]
	return t, c, nil
}

// Changes implements source.Store.
func (s *store) Changes(ctx context.Context, c model.Collection, since string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) {
		t, c, err := s.tree(c)
		var flags Flags
		if err == nil {
			flags, err = s.flags(ctx, t, c)
		}
		if err != nil {
			yield(model.Change{}, err)
			return
		}
		if t.own != nil {
			since = ""
		}
		for ch, err := range t.Store.Changes(ctx, c, since) {
			if flags != nil {
				ch.Item.Flags = flags(ch.Item)
			}
			if !yield(ch, err) {
				return
			}
		}
	}
}

// flags are those to tell of a mailbox's messages; nil: those that it keeps.
func (s *store) flags(ctx context.Context, t tree, c model.Collection) (Flags, error) {
	switch {
	case t.own != nil:
		f, err := t.own(ctx, t.Store, c)
		if err != nil {
			return nil, confined.Named(s.acc.Login, strings.Join(c.Path, "/"), err)
		}
		return f, nil
	case s.ownFlags:
		return func(model.Item) model.Flags { return model.Flags{} }, nil
	case s.acc.Public.OwnSeen:
		return func(i model.Item) model.Flags {
			i.Flags.System &^= model.Seen
			return i.Flags
		}, nil
	}
	return nil, nil
}

// Read implements source.Store.
func (s *store) Read(ctx context.Context, c model.Collection, items []model.ItemRef, fn func(model.ItemRef, *source.Content, error) error) error {
	t, c, err := s.tree(c)
	if err != nil {
		return err
	}
	return t.Store.Read(ctx, c, items, fn)
}

// Rights implements source.Rights.
func (s *store) Rights(ctx context.Context, c model.Collection) ([]model.Grant, error) {
	if c.Container && c.Native == "" {
		return nil, nil // a level
	}
	if s.unlisted {
		return everything, nil
	}
	t, c, err := s.tree(c)
	if err != nil {
		return nil, err
	}
	if r, ok := t.Store.(source.Rights); ok {
		return r.Rights(ctx, c)
	}
	return nil, nil
}

// SpecificRights implements source.SpecificRights.
func (s *store) SpecificRights(ctx context.Context) (bool, error) {
	for _, t := range s.trees {
		if r, ok := t.Store.(source.SpecificRights); ok {
			return r.SpecificRights(ctx)
		}
	}
	return false, nil
}

// OwnSeen implements source.OwnSeen, as the account says.
func (s *store) OwnSeen(context.Context, model.Collection) (bool, error) {
	return s.ownFlags || s.acc.Public.OwnSeen, nil
}

// Scripts implements source.Scripts: nobody's have none.
func (s *store) Scripts(context.Context) ([]model.Script, error) { return nil, nil }

var _ interface {
	source.Store
	source.Scripts
	source.Rights
	source.SpecificRights
	source.OwnSeen
} = (*store)(nil)
