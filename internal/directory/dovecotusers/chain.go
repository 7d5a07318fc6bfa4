package dovecotusers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/directory"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/doveconf/variables"
	"mailhaul.org/mailhaul/internal/model"
)

// backend is where one database looks.
type backend interface {
	// list yields the users, as the database names them. errCannotList is the
	// only error where it cannot.
	list(ctx context.Context) iter.Seq2[string, error]
	// lookup answers for each of the users.
	lookup(ctx context.Context, users []string) []answer
}

// answer is what a database tells of a user; without fields it does not know
// the user.
type answer struct {
	fields map[string]string
	err    error
}

var errCannotList = errors.New("it cannot list its users")

// link is a database of the chain.
type link struct {
	doveconf.Database
	backend
	scheme string
	// opaque: passwords are known to code only, nobody can be looked up.
	opaque bool
}

// chain is Dovecot's databases in their order.
type chain struct {
	dialect          variables.Dialect
	format           string // of user names
	realm            string // completes user names
	home             string // template
	quota            int64
	domain           string
	passdbs, userdbs []link
	denied           []link
	notes            []string
	close            func()
}

// user is what becomes known of a user along the chain.
type user struct {
	login string // as it is listed
	name  string // as the databases renamed it
	// pass and user are the fields that passdbs and userdbs told, without the
	// password.
	pass, user     map[string]string
	password       string
	disabled       bool
	found, stopped bool
	err            error
}

// logins yields the users of all userdbs or, where none of them can list any,
// those of the passdbs, each once.
func (c *chain) logins(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		seen, listed := map[string]bool{}, false
		var reasons []string
		for _, links := range [][]link{c.userdbs, c.passdbs} {
			if listed {
				break
			}
			for _, l := range links {
				for login, err := range l.list(ctx) {
					if errors.Is(err, errCannotList) {
						reasons = append(reasons, fmt.Sprintf("%s %s: %v", l.Kind, l.Name, err))
						break
					}
					listed = true
					if err == nil {
						if login, err = c.canonical(login); err == nil && seen[login] {
							continue
						}
						seen[login] = true
					}
					if !yield(login, err) {
						return
					}
				}
			}
		}
		if !listed {
			yield("", &model.Fault{Class: model.ClassFatal, Code: "directory", Err: fmt.Errorf("Dovecot cannot list its users: %s", strings.Join(slices.Compact(reasons), "; ")),
				Remedy: "name them in source.users: csv, list or sql"})
		}
	}
}

// canonical is what Dovecot makes of a name before it looks it up.
func (c *chain) canonical(login string) (string, error) {
	if c.realm != "" && !strings.Contains(login, "@") {
		login += "@" + c.realm
	}
	out, err := c.expander(login, nil).Expand(c.format)
	if err != nil {
		return "", model.Faultf(model.ClassFatal, "directory", "auth_username_format: %w", err)
	}
	return out, nil
}

func (c *chain) expander(login string, more func(string) (string, bool)) variables.Expander {
	return variables.Expander{Dialect: c.dialect, Value: variables.User(login, more)}
}

// ask goes along both chains with some users.
func (c *chain) ask(ctx context.Context, logins []string) []*user {
	users := make([]*user, len(logins))
	for i, l := range logins {
		users[i] = &user{login: l, name: l, pass: map[string]string{}, user: map[string]string{}}
	}
	c.along(ctx, c.passdbs, users)
	opaque := len(c.passdbs) == 0 || slices.ContainsFunc(c.passdbs, func(l link) bool { return l.opaque })
	for _, u := range users {
		// Whom no passdb knows cannot log in.
		u.disabled = u.disabled || !u.found && !opaque && u.err == nil
		u.found, u.stopped = false, false
	}
	c.along(ctx, c.userdbs, users)
	for _, u := range users {
		if !u.found && u.err == nil && len(c.userdbs) > 0 {
			u.err = errors.New("no userdb knows it, though one lists it: look with doveadm user " + u.login)
		}
	}
	for _, l := range c.denied {
		for i, a := range l.lookup(ctx, logins) {
			users[i].disabled = users[i].disabled || a.fields != nil
		}
	}
	return users
}

// along asks one database after the other about those who are not done.
func (c *chain) along(ctx context.Context, links []link, users []*user) {
	for _, l := range links {
		var asked []*user
		var names []string
		for _, u := range users {
			if u.err == nil && !u.stopped && !l.skips(u) {
				asked, names = append(asked, u), append(names, u.name)
			}
		}
		if len(asked) == 0 {
			continue
		}
		if l.Driver == "prefetch" {
			for _, u := range asked {
				u.prefetched()
			}
			continue
		}
		for i, a := range l.lookup(ctx, names) {
			u := asked[i]
			switch {
			case a.err != nil:
				u.err = fmt.Errorf("%s %s: %w", l.Kind, l.Name, a.err)
			case a.fields != nil:
				c.take(l, u, a.fields)
			}
		}
	}
}

// skips is the setting skip.
func (l link) skips(u *user) bool {
	switch l.Skip {
	case "authenticated", "found":
		return u.found
	case "unauthenticated", "notfound":
		return !u.found
	}
	return false
}

// prefetched takes a userdb's fields from the passdb's answer.
func (u *user) prefetched() {
	for name, value := range u.pass {
		if rest, ok := strings.CutPrefix(name, "userdb_"); ok {
			u.user[rest] = value
			u.found, u.stopped = true, true
		}
	}
	u.rename(u.user)
}

// take adds what a database told.
func (c *chain) take(l link, u *user, told map[string]string) {
	fields := map[string]string{}
	more := func(name string) (string, bool) {
		for _, prefix := range []string{"ldap:", "sql:", "passwd_file:", "passwd:", "userdb:", "passdb:"} {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				return told[strings.ToLower(rest)], true
			}
		}
		if name == "home" {
			return cmp.Or(fields["home"], told["home"], u.user["home"]), true
		}
		return "", false
	}
	if l.ImportAll {
		maps.Copy(fields, told)
	}
	delete(fields, "") // what only stands for "found"
	set := func(values []doveconf.Value, override bool) {
		for _, v := range values {
			name := strings.ToLower(v.Key)
			name, _, _ = strings.Cut(name, ":") // "quota_rule:protected"
			if _, ok := fields[name]; ok && !override {
				continue
			}
			text, err := c.expander(u.name, more).Expand(v.Text)
			if err != nil {
				u.err = fmt.Errorf("%s %s: %s: %w", l.Kind, l.Name, v.Key, err)
				continue
			}
			fields[name] = text
		}
	}
	set(l.Defaults, false)
	set(l.Overrides, true)
	u.rename(fields)
	into := u.user
	if l.Kind == "passdb" {
		into = u.pass
		if p, ok := fields["password"]; ok && u.password == "" {
			hash, locked := directory.Password(p, l.scheme)
			u.password, u.disabled = hash, u.disabled || locked
		}
	}
	delete(fields, "password")
	maps.Copy(into, fields)
	u.found = true
	switch l.Success {
	case "continue", "continue-ok", "continue-fail":
	default:
		u.stopped = true
	}
}

// rename is what the fields user, or username and domain, do.
func (u *user) rename(fields map[string]string) {
	switch {
	case fields["user"] != "":
		u.name = fields["user"]
	case fields["username"] != "":
		u.name = fields["username"]
		if d := fields["domain"]; d != "" {
			u.name += "@" + d
		}
	}
}
