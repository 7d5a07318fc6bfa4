package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// Options say where the Maildirs are.
type Options struct {
	// Path is a template of the accounts' Maildirs, "/srv/mail/%d/%n/Maildir",
	// with Dovecot's variables (%u, %n, %d, %h, L and U, and the long forms).
	// An account whose directory entry names a maildir: location uses that
	// if Path is empty.
	Path string
	// Inbox is a template of the inbox where it lies elsewhere (INBOX=).
	Inbox  string
	Layout Layout
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

// Source is a file system of Maildirs. Its methods may be called
// concurrently.
type Source struct {
	opts Options
}

// New returns a source; it touches nothing yet.
func New(o Options) *Source {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Source{opts: o}
}

// Close implements source.Source.
func (s *Source) Close() error { return nil }

// Accounts implements source.Source: every directory that the template can
// name is an account.
func (s *Source) Accounts(ctx context.Context) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		pattern, login, ok := matcher(s.opts.Path)
		if !ok {
			yield(model.Account{}, model.Faultf(model.ClassFatal, "notEnumerable", "the path %q does not tell the accounts: name a passwd-file or list them", s.opts.Path))
			return
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			yield(model.Account{}, model.Faultf(model.ClassFatal, "path", "%w", err))
			return
		}
		for _, p := range paths {
			if ctx.Err() != nil {
				yield(model.Account{}, ctx.Err())
				return
			}
			name, ok := login(p)
			if !ok || !isMaildir(p) {
				continue
			}
			if !yield(model.Account{Login: name}, nil) {
				return
			}
		}
	}
}

// place is where an account's mailboxes lie.
type place struct {
	root, inbox string
	layout      Layout
}

func (s *Source) place(a model.Account) (place, error) {
	p := place{layout: s.opts.Layout}
	template, inbox := s.opts.Path, s.opts.Inbox
	if template == "" {
		path, options, ok := located(a.Location)
		if !ok {
			return p, &model.Fault{Class: model.ClassAccount, Code: "path", Account: a.Login,
				Err: errors.New("nothing tells where its Maildir is"), Remedy: "set source.maildir.path"}
		}
		template = path
		inbox = options["INBOX"]
		if options["LAYOUT"] == "fs" {
			p.layout = LayoutFS
		}
	}
	var err error
	if p.root, err = expand(template, a); err != nil {
		return p, err
	}
	if p.inbox = p.root; inbox != "" {
		p.inbox, err = expand(inbox, a)
	}
	return p, err
}

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
	if info, err := os.Stat(p.root); err != nil || !info.IsDir() {
		if err == nil {
			err = fmt.Errorf("%s is no directory", p.root)
		}
		f := &model.Fault{Class: model.ClassAccount, Code: "noMaildir", Account: a.Login, Err: err}
		if errors.Is(err, fs.ErrNotExist) {
			f.Remedy = "an account that never got mail has no Maildir; exclude it, or correct source.maildir.path"
		}
		if errors.Is(err, fs.ErrPermission) {
			f.Remedy = "run as the owner of the mail, or as root"
		}
		return nil, f
	}
	return &Store{src: s, acc: a, at: p}, nil
}

// Check implements source.Checker.
func (s *Source) Check(ctx context.Context) []model.Finding {
	pattern, _, ok := matcher(s.opts.Path)
	if !ok {
		return []model.Finding{{Level: model.LevelOK, Subject: "source: Maildir", Message: "accounts are listed elsewhere; each one's path is tried when it is opened"}}
	}
	paths, err := filepath.Glob(pattern)
	n := 0
	var denied string
	for _, p := range paths {
		if !isMaildir(p) {
			continue
		}
		n++
		if d, err := os.Open(filepath.Join(p, "cur")); err != nil {
			denied = p
		} else {
			d.Close()
		}
	}
	switch {
	case err != nil || n == 0:
		return []model.Finding{{Level: model.LevelStop, Subject: "source: Maildir", Message: "no Maildir matches " + s.opts.Path,
			Remedy: "correct source.maildir.path; %d is the domain, %n the local part of a login, %u both",
			Err:    model.Faultf(model.ClassFatal, model.CodeUnreachable, "no Maildir matches %s", s.opts.Path)}}
	case denied != "":
		return []model.Finding{{Level: model.LevelStop, Subject: "source: Maildir", Message: "not permitted to read " + denied,
			Remedy: "run as the owner of the mail, or as root",
			Err:    model.Faultf(model.ClassFatal, model.CodeAuth, "not permitted to read %s", denied)}}
	}
	return []model.Finding{{Level: model.LevelOK, Subject: "source: Maildir", Message: fmt.Sprintf("%d Maildirs can be read", n)}}
}
