package dovecotusers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// Options say whose users to read.
type Options struct {
	// Settings are what doveconf -n -P prints.
	Settings doveconf.Settings
	// Domain completes bare names to addresses; the login stays bare.
	Domain string
	// Open opens the files that the settings name; nil means os.Open.
	Open func(path string) (io.ReadCloser, error)
	// Reach says how long databases and directories are waited for; nil: not at all.
	Reach *reach.Server
}

// batch is how many users are asked about at once.
const batch = 100

// Read yields the accounts of all userdbs, each once. What cannot be asked at
// all is a model.ClassFatal error and the end. What is wrong with one account
// is an error that names it, and the next ones follow; model.ClassItem
// concerns only one of its fields, and the account is yielded, too.
func Read(ctx context.Context, o Options) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		if o.Open == nil {
			o.Open = func(path string) (io.ReadCloser, error) { return os.Open(path) }
		}
		c, err := newChain(ctx, o)
		if err != nil {
			yield(model.Account{}, err)
			return
		}
		defer c.close()
		for _, n := range c.notes {
			if !yield(model.Account{}, &model.Fault{Class: model.ClassItem, Code: "directory", Err: errors.New(n)}) {
				return
			}
		}
		// All logins first: a database gives its one connection to one query
		// at a time.
		var logins []string
		for login, err := range c.logins(ctx) {
			if err == nil {
				logins = append(logins, login)
				continue
			}
			if !yield(model.Account{}, err) || model.ClassOf(err) == model.ClassFatal {
				return
			}
		}
		for some := range slices.Chunk(logins, batch) {
			for _, u := range c.ask(ctx, some) {
				if !c.give(u, yield) {
					return
				}
			}
		}
	}
}

// give turns what the chain learnt of a user into an account. It reports
// whether to go on.
func (c *chain) give(u *user, yield func(model.Account, error) bool) bool {
	if u.err != nil {
		return yield(model.Account{}, wrong(u.login, model.ClassAccount, u.err))
	}
	a := model.Account{Login: u.login, Password: u.password, Disabled: u.disabled, Name: cmp.Or(u.user["gecos"], u.pass["gecos"])}
	fields := maps.Clone(u.user)
	for _, name := range []string{"nologin", "nopassword", "proxy", "proxy_maybe", "host"} {
		if v, ok := u.pass[name]; ok {
			fields[name] = v
		}
	}
	problems := directory.SetDovecotFields(&a, fields)
	if v := u.user["exclude"]; v != "" {
		a.Excluded = v
	}
	if a.Home == "" && c.home != "" {
		home, err := c.expander(u.name, nil).Expand(c.home)
		if err != nil {
			problems = append(problems, fmt.Errorf("mail_home: %w", err))
		}
		a.Home = home
	}
	if a.Quota == 0 && fields["quota_rule"] == "" {
		a.Quota = c.quota
	}
	a.Home = strings.Replace(a.Home, "/./", "/", 1) // where Dovecot would chroot to
	directory.Complete(&a, c.domain)
	if !yield(a, nil) {
		return false
	}
	for _, p := range problems {
		if !yield(model.Account{}, wrong(u.login, model.ClassItem, p)) {
			return false
		}
	}
	return true
}

func wrong(login string, class model.Class, err error) error {
	return &model.Fault{Class: class, Code: "directory", Account: login, Err: err}
}
