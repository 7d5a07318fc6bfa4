package dovecotusers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mailhaul.org/mailhaul/internal/directory/ldapusers"
	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/model"
)

type ldapConn struct {
	doveconf.LDAP
	conn *ldapusers.Conn
}

// forLDAP connects for a database whose driver is ldap.
func (c *connections) forLDAP(ctx context.Context, ch *chain, l *link) error {
	key := l.Args
	if key == "" {
		key = l.Kind + " " + l.Name
	}
	conn := c.ldap[key]
	if conn == nil {
		var conf doveconf.LDAP
		var err error
		if l.Args == "" {
			conf, err = c.settings.LDAP(l.Database)
		} else {
			conf, err = readExternal(c.open, l.Database, doveconf.ParseLDAP)
		}
		if err != nil {
			return err
		}
		trust, err := c.trust(conf.CA, conf.Unverified)
		if err != nil {
			return err
		}
		conn = &ldapConn{LDAP: conf}
		conn.conn, err = ldapusers.Dial(ctx, ldapusers.Server{URLs: conf.URIs, StartTLS: conf.StartTLS, TLS: trust, BindDN: conf.DN, Password: conf.Password, Reach: c.reach.Another()})
		if err != nil {
			return err
		}
		c.ldap[key] = conn
	}
	b := &ldapBackend{ldapConn: conn, chain: ch, search: conn.User, base: conn.Base, scope: conn.Scope, raw: l.Args == ""}
	l.scheme = conn.Scheme
	if l.Kind == "passdb" {
		b.search = conn.Pass
		if conn.AuthBind {
			l.opaque = true
			password := doveconf.LDAPField{Name: "password", Text: "%{ldap:userPassword}"}
			b.search.Fields = append(slices.Clone(b.search.Fields), password)
			if b.raw {
				l.Overrides = append(slices.Clone(l.Overrides), doveconf.Value{Key: password.Name, Text: password.Text})
			}
			l.scheme = "PLAIN" // the directory's own notation (RFC 4519 §2.41)
			if conn.BindDN != "" {
				b.base, b.scope, b.search.Filter = conn.BindDN, string(ldapusers.BaseOnly), "(objectClass=*)"
			}
		}
	}
	l.backend = b
	return nil
}

// ldapBackend asks with Dovecot's filters.
type ldapBackend struct {
	*ldapConn
	chain       *chain
	search      doveconf.LDAPSearch
	base, scope string
	// raw answers are attributes: the fields of 2.4 are those of the database
	// itself, and refer to them.
	raw bool
}

// attribute finds the attributes that a text refers to.
var attribute = regexp.MustCompile(`ldap(?:_multi)?:([A-Za-z0-9.;-]+)`)

func attributes(fields []doveconf.LDAPField) []string {
	var out []string
	for _, f := range fields {
		for _, m := range attribute.FindAllStringSubmatch(f.Text, -1) {
			out = append(out, m[1])
		}
	}
	if len(out) == 0 {
		return []string{"1.1"} // none (RFC 4511 §4.5.1.8)
	}
	return out
}

func (b *ldapBackend) list(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if b.Iterate.Filter == "" || !named(b.Iterate.Fields, "user", "username") {
			yield("", fmt.Errorf("%w: it has no iterate_filter with the field user", errCannotList))
			return
		}
		base, err := b.chain.expander("", nil).Expand(b.Base)
		if err != nil {
			yield("", model.Faultf(model.ClassFatal, "directory", "the base of Dovecot's LDAP settings: %w", err))
			return
		}
		search := ldapusers.Search{Base: base, Scope: ldapusers.Scope(b.Scope), Deref: b.Deref, Filter: b.Iterate.Filter, Attributes: attributes(b.Iterate.Fields)}
		for e, err := range b.conn.Search(ctx, search) {
			if err != nil {
				yield("", err)
				return
			}
			fields, err := b.fields(b.Iterate.Fields, e, "")
			login := fields["user"]
			if login == "" && fields["username"] != "" {
				if login = fields["username"]; fields["domain"] != "" {
					login += "@" + fields["domain"]
				}
			}
			if err == nil && login == "" {
				err = model.Faultf(model.ClassAccount, "directory", "%s: the entry has no name to log in with (Dovecot's iterate_attrs)", e.DN)
			}
			if !yield(login, err) {
				return
			}
		}
	}
}

// inFlight searches keep the connection busy, as many as Dovecot's own.
const inFlight = 8

func (b *ldapBackend) lookup(ctx context.Context, users []string) []answer {
	out := make([]answer, len(users))
	var wait sync.WaitGroup
	next := make(chan int)
	for range min(inFlight, len(users)) {
		wait.Go(func() {
			for i := range next {
				out[i].fields, out[i].err = b.one(ctx, users[i])
			}
		})
	}
	for i := range users {
		next <- i
	}
	close(next)
	wait.Wait()
	return out
}

func (b *ldapBackend) one(ctx context.Context, user string) (map[string]string, error) {
	e := b.chain.expander(user, nil)
	e.Quote = ldapusers.Escape
	filter, err := e.Expand(b.search.Filter)
	if err != nil {
		return nil, err
	}
	base, err := e.Expand(b.base)
	if err != nil {
		return nil, err
	}
	var found []ldapusers.Entry
	for entry, err := range b.conn.Search(ctx, ldapusers.Search{Base: base, Scope: ldapusers.Scope(b.scope), Deref: b.Deref, Filter: filter, Attributes: attributes(b.search.Fields)}) {
		if err != nil {
			return nil, err
		}
		found = append(found, entry)
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
	default:
		return nil, fmt.Errorf("the filter %s finds several entries, as %s and %s", filter, found[0].DN, found[1].DN)
	}
	if b.raw {
		fields := map[string]string{"": ""}
		for _, name := range attributes(b.search.Fields) {
			if v := found[0].First(name); v != "" {
				fields[strings.ToLower(name)] = v
			}
		}
		return fields, nil
	}
	return b.fields(b.search.Fields, found[0], user)
}

// fields makes Dovecot's fields of an entry.
func (b *ldapBackend) fields(fields []doveconf.LDAPField, e ldapusers.Entry, user string) (map[string]string, error) {
	out := map[string]string{"": ""}
	var errs []error
	for _, f := range fields {
		if f.Needs != "" && e.First(f.Needs) == "" {
			continue
		}
		v, err := b.chain.expander(user, func(name string) (string, bool) {
			switch {
			case strings.HasPrefix(name, "ldap:"):
				return e.First(strings.TrimPrefix(name, "ldap:")), true
			case name == "ldap_dn":
				return e.DN, true
			}
			return "", false
		}).Expand(f.Text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.Name, err))
			continue
		}
		out[f.Name] = v
	}
	return out, errors.Join(errs...)
}
