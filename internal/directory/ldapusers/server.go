package ldapusers

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// Server says which directory to ask, and as whom.
type Server struct {
	// URLs are tried in their order: "ldap://host", "ldaps://host:636",
	// "ldapi:///run/slapd/ldapi" (a socket).
	URLs []string
	// StartTLS encrypts an ldap:// connection before anything is told.
	StartTLS bool
	// TLS verifies ldaps:// and StartTLS; nil means the system's authorities.
	TLS *tls.Config
	// BindDN and Password are the simple bind; without a DN it is anonymous.
	// To read password hashes takes a DN that may.
	BindDN, Password string
	// Reach is what is known of whether a server can be reached, and how long one is
	// waited for; nil: not at all.
	Reach *reach.Server
}

// Timeouts for a connection, and for the server to answer a request.
const (
	dialTimeout   = 10 * time.Second
	answerTimeout = 60 * time.Second
)

// Conn is a bound connection. Several goroutines may use it at once.
type Conn struct {
	ldap   *ldap.Conn
	server string // for errors
	stop   func() bool
}

// Dial connects and binds. It ends when the context does. Errors are
// model.Faults of model.ClassFatal with the codes model.CodeUnreachable or
// model.CodeAuth where that is the matter; they never hold the password.
func Dial(ctx context.Context, s Server) (c *Conn, err error) {
	err = s.Reach.Await(ctx, strings.Join(s.URLs, " "), func() error {
		c, err = s.connect(ctx)
		return err
	})
	return c, err
}

func (s Server) connect(ctx context.Context) (*Conn, error) {
	if len(s.URLs) == 0 {
		return nil, model.Faultf(model.ClassFatal, "", "no directory server is named: write ldap://host or ldaps://host")
	}
	var errs []error
	for _, u := range s.URLs {
		c, err := s.dial(u)
		if err != nil {
			errs = append(errs, err)
			if model.CodeOf(err) == model.CodeUnreachable {
				continue
			}
			break
		}
		c.stop = context.AfterFunc(ctx, func() { c.ldap.Close() })
		return c, nil
	}
	if len(errs) == 1 {
		return nil, errs[0]
	}
	return nil, &model.Fault{Class: model.ClassFatal, Code: model.CodeOf(errs[len(errs)-1]), Err: errors.Join(errs...)}
}

// Close ends the connection.
func (c *Conn) Close() error {
	c.stop()
	return c.ldap.Close()
}

func (s Server) dial(address string) (*Conn, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" && u.Scheme != "ldapi" {
		return nil, model.Faultf(model.ClassFatal, "", "%q is no address of a directory: write ldap://host or ldaps://host", address)
	}
	trust := &tls.Config{}
	if s.TLS != nil {
		trust = s.TLS.Clone()
	}
	if trust.ServerName == "" {
		trust.ServerName = u.Hostname()
	}
	conn, err := ldap.DialURL(address, ldap.DialWithDialer(&net.Dialer{Timeout: dialTimeout}), ldap.DialWithTLSConfig(trust))
	if err != nil {
		remedy := "is it running, and does it accept connections from here?"
		if u.Scheme == "ldaps" {
			remedy = "is it running, and is its certificate known here?"
		}
		return nil, &model.Fault{Class: model.ClassFatal, Code: model.CodeUnreachable, Err: fmt.Errorf("%s: %w", address, err), Remedy: remedy}
	}
	conn.SetTimeout(answerTimeout)
	c := &Conn{ldap: conn, server: address}
	if s.StartTLS && u.Scheme == "ldap" {
		if err := conn.StartTLS(trust); err != nil {
			conn.Close()
			return nil, &model.Fault{Class: model.ClassFatal, Code: "tls", Err: fmt.Errorf("%s: StartTLS: %w", address, err), Remedy: "is its certificate known here?"}
		}
	}
	if s.BindDN == "" {
		return c, nil
	}
	if s.Password == "" {
		conn.Close() // such a bind succeeds as nobody (RFC 4513 §5.1.2)
		return nil, model.Faultf(model.ClassFatal, "", "%s: there is no password for %s", address, s.BindDN)
	}
	if err := conn.Bind(s.BindDN, s.Password); err != nil {
		conn.Close()
		f := c.fault(fmt.Errorf("bind as %s: %w", s.BindDN, err))
		if _, answered := errors.AsType[*ldap.Error](err); !answered { // the connection broke
			f.Code = model.CodeUnreachable
		}
		return nil, f
	}
	return c, nil
}

// fault classifies what the server answered.
func (c *Conn) fault(err error) *model.Fault {
	f := &model.Fault{Class: model.ClassFatal, Code: "ldap", Err: fmt.Errorf("%s: %w", c.server, err)}
	switch {
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication):
		f.Code, f.Remedy = model.CodeAuth, "look at the bind DN and its password"
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultConfidentialityRequired, ldap.LDAPResultStrongAuthRequired):
		f.Remedy = "bind as somebody who may, over TLS if the server demands it"
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		f.Remedy = "does the base exist, and may this DN see it?"
	case ldap.IsErrorAnyOf(err, ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded):
		f.Remedy = "bind as somebody without that limit"
	case ldap.IsErrorAnyOf(err, ldap.ErrorNetwork, ldap.LDAPResultUnavailable):
		f.Code = model.CodeUnreachable
	case ldap.IsErrorWithCode(err, ldap.ErrorFilterCompile):
		f.Remedy = "a filter is written as (&(objectClass=inetOrgPerson)(mail=*))"
	}
	return f
}

// Escape makes a text safe within a filter (RFC 4515 §3).
func Escape(s string) string { return ldap.EscapeFilter(s) }

// Scope is how far below the base a search goes.
type Scope string

const (
	Subtree  Scope = "subtree" // the usual
	OneLevel Scope = "onelevel"
	BaseOnly Scope = "base"
)

func (s Scope) number() (int, error) {
	switch Scope(strings.ToLower(string(s))) {
	case "", Subtree:
		return ldap.ScopeWholeSubtree, nil
	case OneLevel:
		return ldap.ScopeSingleLevel, nil
	case BaseOnly:
		return ldap.ScopeBaseObject, nil
	}
	return 0, fmt.Errorf("the scope %q is unknown: write subtree, onelevel or base", s)
}

// NoSuchObject tells whether a search failed because its base does not exist.
func NoSuchObject(err error) bool {
	var e *ldap.Error
	return errors.As(err, &e) && e.ResultCode == ldap.LDAPResultNoSuchObject
}
