package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
	"mailhaul.org/mailhaul/internal/source/location"
)

// Options say where the Maildirs are.
type Options struct {
	// Path is a template of the accounts' Maildirs, "/srv/mail/%d/%n/Maildir",
	// with Dovecot's variables (%u, %n, %d, %h, L and U, and the long forms).
	// An account whose directory entry names a maildir: location that is
	// there uses that instead.
	Path string
	// Inbox is a template of the inbox where it lies elsewhere (INBOX=).
	Inbox string
	// Control is a template of the directory of dovecot-uidlist,
	// dovecot-keywords and subscriptions where these are not with the mail
	// (CONTROL=).
	Control string
	// Index is a template of the directory of Dovecot's indexes where these
	// are not with the mail (INDEX=): they know more than 26 keywords.
	Index string
	// Layout is detected for each account if empty.
	Layout Layout
	// Server is ServerCourier, or empty: look for each mailbox whose files
	// are there.
	Server string
	// SpoolDir takes the index of a mailbox too large for memory; empty means the
	// system's directory for temporary files.
	SpoolDir string
	// ACL are the settings of Dovecot's access control lists.
	ACL dovecotacl.Settings
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// Source is a file system of Maildirs. Its methods may be called
// concurrently.
type Source struct {
	opts      Options
	sectioned int // see the constant
	limit     limit
}

// New returns a source; it touches nothing yet.
func New(o Options) *Source {
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, p := range []*string{&o.Path, &o.Inbox, &o.Control, &o.Index} {
		*p = location.Absolute(*p)
	}
	return &Source{opts: o, sectioned: sectioned, limit: limit{files: inMemory, dir: o.SpoolDir}}
}

// Close implements source.Source.
func (s *Source) Close() error { return nil }

// Open implements source.Source. An account without Maildir is a Fault of
// ClassAccount with code "noMaildir".
func (s *Source) Open(ctx context.Context, a model.Account) (source.Store, error) {
	return s.open(a)
}

func (s *Source) open(a model.Account) (*Store, error) {
	p, err := s.place(a)
	if err != nil {
		return nil, err
	}
	p.limit = s.limit
	if info, err := os.Stat(p.root); err != nil || !info.IsDir() {
		if err == nil {
			err = fmt.Errorf("%s is no directory", p.root)
		}
		f := &model.Fault{Class: model.ClassAccount, Code: "noMaildir", Account: a.Login, Err: err}
		if errors.Is(err, fs.ErrNotExist) {
			f.Remedy = "an account that never got mail has no Maildir; exclude it, or correct source.maildir.path"
		}
		if errors.Is(err, fs.ErrPermission) {
			f.Remedy = confined.AsOwner
		}
		return nil, f
	}
	if err = p.detect(); err != nil {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "unreadable", Account: a.Login, Err: err, Remedy: confined.AsOwner}
	}
	if inbox := filepath.Join(p.root, "INBOX"); p.layout == LayoutFS && p.inbox == p.root && !isMaildir(p.root) && isMaildir(inbox) {
		p.inbox = inbox
	}
	return &Store{src: s, acc: a, at: p}, nil
}
