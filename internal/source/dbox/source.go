package dbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/dovecotacl"
	"mailhaul.org/mailhaul/internal/source/dovecotindex"
	"mailhaul.org/mailhaul/internal/source/location"
)

// Options say where the mail is.
type Options struct {
	// Location is Dovecot's mail_location, a template of the accounts' mail:
	// "mdbox:/srv/mail/%d/%n/mdbox:ALT=/archive/%d/%n". Without a driver the
	// format is detected. An account whose directory entry names a location
	// of sdbox or mdbox that is there uses that instead.
	Location string
	// Attachments is mail_attachment_dir, a template, or empty: attachments
	// are in the messages.
	Attachments string
	// Escape is the escape character of Dovecot's plugin listescape in names
	// of mailboxes on disk ("\\"), or empty: it is not in use.
	Escape string
	// Rebuild: also an account of which no mailbox has an index is put together
	// from its messages, without flags. Otherwise it stops, because a location
	// without the INDEX= that it should have looks the same.
	Rebuild bool
	// ACL are the settings of Dovecot's access control lists.
	ACL dovecotacl.Settings
}

// Source is a file system of sdboxes and mdboxes. Its methods may be called
// concurrently.
type Source struct {
	opts  Options
	shape dovecotindex.Shape // the usual one, but in tests
}

// New returns a source; it touches nothing yet.
func New(o Options) *Source { return &Source{opts: o} }

// Close implements source.Source.
func (s *Source) Close() error { return nil }

// String names the source in logs.
func (s *Source) String() string { return "dbox " + s.opts.Location }

// Accounts implements source.Source: every directory that the location can
// name and that holds an sdbox or mdbox is an account's.
func (s *Source) Accounts(ctx context.Context) iter.Seq2[model.Account, error] {
	return location.Accounts(ctx, s.root(), func(path string, _ *model.Account) (bool, error) { return dboxAt(path) })
}

// codeNone is the code of the Fault for an account without mail in these formats.
const codeNone = "noDbox"

// Open implements source.Source. An account without mail in these formats is a
// Fault of ClassAccount with code "noDbox".
func (s *Source) Open(ctx context.Context, a model.Account) (source.Store, error) {
	return s.open(a)
}

func (s *Source) open(a model.Account) (*Store, error) {
	p, err := s.place(a)
	if err != nil {
		return nil, err
	}
	f := &model.Fault{Class: model.ClassAccount, Code: codeNone, Account: a.Login}
	info, err := os.Stat(p.root)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", p.root)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Err, f.Remedy = err, "an account that never got mail has none; exclude it, or correct source.dbox.location"
		return nil, f
	case errors.Is(err, fs.ErrPermission):
		f.Err, f.Remedy = err, confined.AsOwner
		return nil, f
	case err != nil:
		f.Err = err
		return nil, f
	}
	if p.format == detect {
		if p.format = sdbox; exists(filepath.Join(p.root, storageDir)) {
			p.format = mdbox
		}
	}
	return &Store{src: s, acc: a, at: p}, nil
}

// dboxAt reports whether a directory is the root of an sdbox or mdbox.
func dboxAt(dir string) (bool, error) {
	for _, name := range []string{mailboxesDir, storageDir} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err == nil && info.IsDir() {
			return true, nil
		}
		if err != nil && !absent(err) {
			return false, err
		}
	}
	return false, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
