package dbox

import (
	"context"
	"io"
	"path/filepath"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
)

// Rights implements source.Rights: a mailbox's list lies beside its messages.
func (s *Store) Rights(_ context.Context, c model.Collection) ([]model.Grant, error) {
	if c.Container {
		return nil, nil
	}
	m := dovecotacl.Mailbox{Path: c.Path, Dir: s.at.messagesIn(c.Native), Inbox: s.at.messagesIn("INBOX"),
		Root: filepath.Join(s.at.root, s.at.mailboxes), Owner: s.acc.Login}
	grants, err := s.src.opts.ACL.List(m, func(path string) (io.ReadCloser, error) { return s.at.open(path) })
	if err != nil {
		return nil, confined.Named(s.acc.Login, c.Native, err)
	}
	return grants, nil
}

// SpecificRights implements source.SpecificRights.
func (s *Store) SpecificRights(context.Context) (bool, error) { return true, nil }

var _ interface {
	source.Rights
	source.SpecificRights
} = (*Store)(nil)
