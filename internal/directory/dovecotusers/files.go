package dovecotusers

import (
	"context"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/model"
)

// fileBackend reads passwd-files and passwd(5).
type fileBackend struct {
	chain          *chain
	kind           string
	path           string // may have variables
	format, scheme string
	open           func(string) (io.ReadCloser, error)
	// usable says whether a listed account counts; nil takes all.
	usable func(model.Account) bool
	// mayFail: without the file nothing is known, and that is no error.
	mayFail bool
	files   map[string]*file
}

// file is one that was read.
type file struct {
	order    []string
	accounts map[string]model.Account
	errs     []error
}

func newFile(c *chain, d doveconf.Database, scheme string, open func(string) (io.ReadCloser, error)) (backend, error) {
	p, ok := d.PasswdFile()
	if !ok {
		return nil, model.Faultf(model.ClassFatal, "directory", "%s %s has no path that could be read", d.Kind, d.Name)
	}
	return &fileBackend{chain: c, kind: d.Kind, path: p.Path, format: p.UsernameFormat, scheme: scheme, open: open, files: map[string]*file{}}, nil
}

// newSystem is passwd or shadow: the files, not what NSS adds to them.
func newSystem(kind, driver string, open func(string) (io.ReadCloser, error)) backend {
	b := &fileBackend{kind: kind, path: "/etc/passwd", open: open, files: map[string]*file{}, usable: func(a model.Account) bool { return a.Excluded == "" }}
	if driver == "shadow" {
		b.path, b.mayFail = "/etc/shadow", true
	}
	return b
}

func (b *fileBackend) read(path string) (*file, error) {
	if f := b.files[path]; f != nil {
		return f, nil
	}
	r, err := b.open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f := &file{accounts: map[string]model.Account{}}
	for a, err := range directory.ReadPasswd(r, directory.PasswdOptions{Scheme: b.scheme, Name: path}) {
		if err != nil {
			f.errs = append(f.errs, err)
			continue
		}
		if _, twice := f.accounts[a.Login]; !twice {
			f.order = append(f.order, a.Login)
		}
		f.accounts[a.Login] = a
	}
	b.files[path] = f
	return f, nil
}

func (b *fileBackend) list(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		paths, domain, err := b.paths()
		if err != nil {
			yield("", err)
			return
		}
		for _, path := range paths {
			f, err := b.read(path)
			if err != nil && b.mayFail {
				yield("", fmt.Errorf("%w: %w", errCannotList, err))
				return
			}
			if err != nil {
				yield("", model.Faultf(model.ClassFatal, "directory", "Dovecot's %s passwd-file: %w", b.kind, err))
				return
			}
			for _, login := range f.order {
				if b.usable != nil && !b.usable(f.accounts[login]) {
					continue
				}
				if d := domain(path); d != "" && !strings.Contains(login, "@") {
					login += "@" + d
				}
				if !yield(login, nil) {
					return
				}
			}
			for _, err := range f.errs {
				if !yield("", err) {
					return
				}
			}
		}
	}
}

// domainVariable is the only one that a path can be listed by.
var domainVariable = regexp.MustCompile(`%L?d|%\{\s*(?:domain|user\s*\|\s*domain)\s*(?:\|\s*lower\s*)?\}`)

// paths finds the files of all domains, and how to tell the domain of one.
func (b *fileBackend) paths() (paths []string, domain func(string) string, err error) {
	none := func(string) string { return "" }
	if !strings.Contains(b.path, "%") {
		return []string{b.path}, none, nil
	}
	if strings.Contains(domainVariable.ReplaceAllString(b.path, ""), "%") {
		return nil, nil, fmt.Errorf("%w: the path %s is one for each user", errCannotList, b.path)
	}
	paths, err = filepath.Glob(domainVariable.ReplaceAllString(b.path, "*"))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s is no path", errCannotList, b.path)
	}
	parts := domainVariable.Split(b.path, -1)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	of, err := regexp.Compile("^" + parts[0] + "([^/]+)" + strings.Join(parts[1:], "[^/]+") + "$")
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s is no path", errCannotList, b.path)
	}
	return paths, func(path string) string {
		if m := of.FindStringSubmatch(path); m != nil {
			return m[1]
		}
		return ""
	}, nil
}

func (b *fileBackend) lookup(_ context.Context, users []string) []answer {
	return each(users, func(user string) (map[string]string, error) {
		path, key := b.path, user
		var err error
		if b.chain != nil {
			e := b.chain.expander(user, nil)
			if path, err = e.Expand(b.path); err != nil {
				return nil, err
			}
			if b.format != "" {
				if key, err = e.Expand(b.format); err != nil {
					return nil, err
				}
			}
		}
		f, err := b.read(path)
		if err != nil {
			if b.mayFail || strings.Contains(b.path, "%") { // no file for this domain
				return nil, nil
			}
			return nil, err
		}
		a, ok := f.accounts[key]
		if !ok {
			return nil, nil
		}
		return b.fields(a), nil
	})
}

// fields are what Dovecot would tell of a line.
func (b *fileBackend) fields(a model.Account) map[string]string {
	out := map[string]string{"": ""}
	set := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	set("gecos", a.Name)
	if b.kind == "passdb" {
		set("password", a.Password)
		if a.Disabled {
			set("nologin", "yes")
		}
		// Only a prefetch userdb looks at these.
		set("userdb_home", a.Home)
		set("userdb_mail", a.Location)
		set("userdb_acl_groups", strings.Join(a.Groups, ","))
		if a.Quota > 0 {
			set("userdb_quota_rule", "*:bytes="+strconv.FormatInt(a.Quota, 10))
		}
		return out
	}
	set("home", a.Home)
	set("mail", a.Location)
	set("acl_groups", strings.Join(a.Groups, ","))
	set("exclude", a.Excluded)
	if a.Quota > 0 {
		set("quota_rule", "*:bytes="+strconv.FormatInt(a.Quota, 10))
	}
	return out
}

// static knows everybody and lists nobody.
type static struct {
	chain *chain
	d     doveconf.Database
}

func (s static) list(context.Context) iter.Seq2[string, error] { return cannotList }

func (s static) lookup(_ context.Context, users []string) []answer {
	return each(users, func(user string) (map[string]string, error) {
		out := map[string]string{"": ""}
		for _, v := range s.d.StaticFields() {
			if s.d.Kind == "passdb" && slices.Contains([]string{"password", "nopassword"}, v.Key) {
				continue // one for everybody: nobody's own
			}
			text, err := s.chain.expander(user, nil).Expand(v.Text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v.Key, err)
			}
			out[v.Key] = text
		}
		return out, nil
	})
}

// nobody knows no user.
type nobody struct{}

func (nobody) list(context.Context) iter.Seq2[string, error] { return cannotList }

func (nobody) lookup(_ context.Context, users []string) []answer { return make([]answer, len(users)) }

func cannotList(yield func(string, error) bool) { yield("", errCannotList) }
