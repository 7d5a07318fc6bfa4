package dovecotusers

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/doveconf"
	"mailhaul.org/mailhaul/internal/doveconf/variables"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// newChain makes the databases that the settings name. Connections are made
// now, so that what is wrong with them is told once.
func newChain(ctx context.Context, o Options) (*chain, error) {
	s := o.Settings
	facts := s.Facts()
	c := &chain{dialect: s.Dialect(), realm: facts.DefaultDomain, home: s.Get("mail_home"), quota: facts.Quota, domain: cmp.Or(o.Domain, facts.DefaultDomain),
		format: cmp.Or(s.Get("auth_username_format"), map[variables.Dialect]string{variables.V23: "%Lu", variables.V24: "%{user | lower}"}[s.Dialect()])}
	conns := &connections{settings: s, open: o.Open, sql: map[string]*sqlConn{}, ldap: map[string]*ldapConn{}, reach: o.Reach}
	c.close = conns.close
	for _, kind := range []string{"passdb", "userdb"} {
		for _, d := range s.Databases(kind) {
			if d.Master {
				continue // administrators, without mailboxes
			}
			l := link{Database: d}
			var err error
			switch d.Driver {
			case "sql":
				err = conns.forSQL(ctx, c, &l)
			case "ldap":
				err = conns.forLDAP(ctx, c, &l)
			case "passwd-file":
				l.scheme = s.DefaultScheme(d)
				l.backend, err = newFile(c, d, l.scheme, o.Open)
			case "passwd", "shadow":
				l.backend = newSystem(d.Kind, d.Driver, o.Open)
			case "pam":
				// It knows the passwords of the host's users, as a rule.
				l.backend, l.opaque = newSystem(d.Kind, "shadow", o.Open), true
			case "static":
				l.backend, l.opaque = static{c, d}, d.Kind == "passdb"
			case "prefetch":
				l.backend = nobody{}
			default: // bsdauth, checkpassword, lua, dict, oauth2, imap …
				l.backend, l.opaque = nobody{}, true
				if d.Driver != "oauth2" {
					c.notes = append(c.notes, fmt.Sprintf("only Dovecot's %s %s knows its users: what it tells is not read", kind, d.Driver))
				}
			}
			if err != nil {
				c.close()
				return nil, err
			}
			switch {
			case d.Deny:
				c.denied = append(c.denied, l)
			case kind == "passdb":
				c.passdbs = append(c.passdbs, l)
			default:
				c.userdbs = append(c.userdbs, l)
			}
		}
	}
	if len(c.passdbs)+len(c.userdbs) == 0 {
		c.close()
		return nil, model.Faultf(model.ClassFatal, "directory", "Dovecot's configuration has neither a passdb nor a userdb: is it the output of doveconf -n -P?")
	}
	return c, nil
}

// readExternal reads a file that a setting of 2.3 names.
func readExternal[T any](open func(string) (io.ReadCloser, error), d doveconf.Database, parse func(io.Reader, string) (T, error)) (T, error) {
	var none T
	f, err := open(strings.TrimSpace(d.Args))
	if err != nil {
		return none, &model.Fault{Class: model.ClassFatal, Code: "directory", Err: fmt.Errorf("%s %s: %w", d.Kind, d.Name, err),
			Remedy: "it holds a password: run as root, or as a user who may read it"}
	}
	defer f.Close()
	return parse(f, d.Args)
}

// connections are shared by the passdb and userdb of one server.
type connections struct {
	settings doveconf.Settings
	open     func(string) (io.ReadCloser, error)
	sql      map[string]*sqlConn
	ldap     map[string]*ldapConn
	reach    *reach.Server
}

func (c *connections) close() {
	for _, s := range c.sql {
		s.db.Close()
	}
	for _, l := range c.ldap {
		l.conn.Close()
	}
}

// anyOf tries equal servers in their order and keeps the first that is
// reached.
func anyOf[S, C any](servers []S, dial func(S) (C, error)) (conn C, err error) {
	for _, s := range servers {
		if conn, err = dial(s); err == nil || model.CodeOf(err) != model.CodeUnreachable {
			return conn, err
		}
	}
	return conn, err
}

// each gives an answer to every user.
func each(users []string, fn func(user string) (map[string]string, error)) []answer {
	out := make([]answer, len(users))
	for i, u := range users {
		out[i].fields, out[i].err = fn(u)
	}
	return out
}

// named reports whether a list of fields has one of these.
func named(fields []doveconf.LDAPField, names ...string) bool {
	return slices.ContainsFunc(fields, func(f doveconf.LDAPField) bool { return slices.Contains(names, f.Name) })
}
