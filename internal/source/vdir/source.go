package vdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/confined"
	"mailhaul.org/mailhaul/internal/source/findings"
	"mailhaul.org/mailhaul/internal/source/location"
)

// Options say where things lie. Each is a template of paths
// ("/srv/cal/%d/%n", see package location), or empty. Calendars and Contacts
// lead to a folder of collections, to one collection, or to an export; Files
// leads to the root of a tree.
type Options struct {
	Calendars, Contacts, Files string
	Log                        *slog.Logger // may be nil
}

// Source is a disk. Its methods may be called concurrently.
type Source struct{ opts Options }

// New returns a source; nothing is looked at yet.
func New(o Options) *Source {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, p := range []*string{&o.Calendars, &o.Contacts, &o.Files} {
		*p = location.Absolute(*p)
	}
	return &Source{o}
}

// template is one of the options.
type template struct {
	kind model.Kind
	path string
}

func (s *Source) templates() (out []template) {
	for _, t := range []template{{model.KindCalendar, s.opts.Calendars}, {model.KindContacts, s.opts.Contacts}, {model.KindFiles, s.opts.Files}} {
		if t.path != "" {
			out = append(out, t)
		}
	}
	return out
}

// String names the source in logs.
func (s *Source) String() string {
	for _, t := range s.templates() {
		return t.path
	}
	return "vdir"
}

// Close implements source.Source.
func (s *Source) Close() error { return nil }

// Accounts implements source.Source: whoever has one of the paths.
func (s *Source) Accounts(ctx context.Context) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		seen := map[string]bool{}
		for _, t := range s.templates() {
			for a, err := range location.Accounts(ctx, t.path, func(string, *model.Account) (bool, error) { return true, nil }) {
				if err == nil && seen[a.Login] {
					continue
				}
				seen[a.Login] = true
				if !yield(a, err) {
					return
				}
			}
		}
	}
}

// Check implements source.Checker.
func (s *Source) Check(context.Context) []model.Finding {
	var out []model.Finding
	for _, t := range s.templates() {
		fixed, _, _ := strings.Cut(t.path, "%")
		dir := fixed
		if strings.Contains(t.path, "%") {
			dir = filepath.Dir(fixed + "x")
		}
		if dir == "" || dir[0] == '~' || !filepath.IsAbs(dir) {
			continue // below each home
		}
		f := model.Finding{Subject: "source: " + t.kind.String() + "s on disk", Message: dir + " can be read"}
		if _, err := os.Stat(dir); err != nil {
			f.Level, f.Message, f.Err = model.LevelStop, err.Error(), &model.Fault{Class: model.ClassFatal, Code: model.CodeUnreachable, Err: err}
			f.Remedy = "correct source.vdir"
			if errors.Is(err, fs.ErrPermission) {
				f.Remedy = confined.AsOwner
			}
		}
		out = append(out, f)
	}
	return out
}

// CheckAs tells what is there of one account.
func (s *Source) CheckAs(ctx context.Context, a model.Account) []model.Finding {
	subject := "source: disk of " + a.Login
	st, err := s.open(a)
	if err != nil {
		return []model.Finding{model.Stop(subject, err)}
	}
	all, errs, err := st.ObjectCollections(ctx)
	if err != nil {
		return []model.Finding{model.Stop(subject, err)}
	}
	count := map[model.Kind]int{}
	for _, c := range all {
		count[c.Kind]++
	}
	out := []model.Finding{{Subject: subject, Message: fmt.Sprintf("calendars %d, address books %d, folders of files %d", count[model.KindCalendar], count[model.KindContacts], count[model.KindFiles])}}
	for _, err := range errs {
		out = append(out, model.Finding{Level: model.LevelWarning, Subject: subject, Message: err.Error()})
	}
	return out
}

// Open implements source.Source.
func (s *Source) Open(_ context.Context, a model.Account) (source.Store, error) { return s.open(a) }

func (s *Source) open(a model.Account) (*Store, error) {
	st := &Store{src: s, acc: a}
	for _, t := range s.templates() {
		p, err := location.Expand(t.path, a)
		if err != nil {
			return nil, err
		}
		if rest, ok := strings.CutPrefix(p, "~"); ok && a.Home != "" {
			p = a.Home + rest
		}
		p = filepath.Clean(p)
		if !filepath.IsAbs(p) {
			return nil, &model.Fault{Class: model.ClassAccount, Code: "path", Account: a.Login, Err: fmt.Errorf("%s is no absolute path: the home directory is not known", p)}
		}
		h := home{kind: t.kind, path: p, dirs: confined.Dirs{p}}
		info, err := os.Stat(p)
		switch {
		case err != nil:
			h.err = err
		case !info.IsDir():
			h.file, h.dirs = true, confined.Dirs{filepath.Dir(p)}
		}
		st.homes = append(st.homes, h)
	}
	return st, nil
}

// home is where one kind of an account's collections lies.
type home struct {
	kind model.Kind
	path string
	file bool // an export
	dirs confined.Dirs
	err  error // it cannot be looked at
}

// at is the path of an ID below the home.
func (h home) at(id string) string {
	if id == "." {
		return h.path
	}
	var out []string
	for s := range strings.SplitSeq(id, "/") {
		d, err := url.PathUnescape(s)
		if err != nil {
			d = s
		}
		out = append(out, d)
	}
	return filepath.Join(h.path, filepath.Join(out...))
}

// join makes the ID of a name below another.
func join(id, name string) string { return path.Join(id, url.PathEscape(name)) }

// Store is one account. It is used by one goroutine at a time.
type Store struct {
	source.NoMail
	findings.Damages
	src   *Source
	acc   model.Account
	homes []home
}

func (st *Store) home(kind model.Kind) (home, error) {
	for _, h := range st.homes {
		if h.kind == kind {
			return h, nil
		}
	}
	return home{}, model.Faultf(model.ClassAccount, model.CodeGone, "there is no %s on disk", kind)
}

// Close implements source.Store.
func (st *Store) Close() error { return nil }

// fault is what an error of the disk means for a collection or an object.
func (st *Store) fault(err error, collection, item string) *model.Fault {
	f := &model.Fault{Class: model.ClassItem, Code: "unreadable", Account: st.acc.Login, Collection: collection, Item: item, Err: err}
	if code := model.CodeOf(err); code != "" {
		f.Code = code
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Code = model.CodeGone
	case errors.Is(err, fs.ErrPermission):
		f.Remedy = confined.AsOwner
	}
	return f
}

var _ interface {
	source.Source
	source.Checker
} = (*Source)(nil)

var _ interface {
	source.Store
	source.Objects
	source.Damaged
} = (*Store)(nil)
