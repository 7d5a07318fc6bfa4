package maildir

import (
	"context"
	"io"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
)

// Rights implements source.Rights with Courier's lists or Dovecot's, whosever
// the mailbox is.
func (s *Store) Rights(_ context.Context, c model.Collection) ([]model.Grant, error) {
	if c.Container {
		return nil, nil
	}
	if s.at.courier(c.Native) {
		return s.courierRights(c)
	}
	m := dovecotacl.Mailbox{Path: c.Path, Dir: c.Native, Inbox: s.at.inbox, Owner: s.acc.Login}
	if s.at.root != s.at.inbox || s.acc.Public != nil {
		m.Root = s.at.root // where the inbox is the root, nothing gives defaults
	}
	grants, err := s.src.opts.ACL.List(m, func(path string) (io.ReadCloser, error) { return s.at.open(path) })
	if err != nil {
		return nil, confined.Named(s.acc.Login, c.Native, err)
	}
	return grants, nil
}

// SpecificRights implements source.SpecificRights: Dovecot's lists are read so,
// Courier's add up.
func (s *Store) SpecificRights(context.Context) (bool, error) { return !s.at.courier(s.at.inbox), nil }

var _ interface {
	source.Rights
	source.SpecificRights
} = (*Store)(nil)
