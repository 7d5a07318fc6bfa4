package dav

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/source"
)

// Source is a server, or several of one organisation. Its methods may be
// called concurrently.
type Source struct {
	opts Options
	http http.RoundTripper
	// transport is at the bottom of http.
	transport *http.Transport
	refused   atomic.Int32  // logins of the master in a row
	server    *reach.Server // all of them together
	conns     openConns

	mu      sync.Mutex
	own     map[string]bool   // origins that may see credentials
	schemes map[string]string // what they ask for
	hosts   map[string]*reach.Server
}

// New returns a source; it does not connect yet.
func New(o Options) (*Source, error) {
	s := &Source{opts: o.withDefaults(), own: map[string]bool{}, schemes: map[string]string{}, hosts: map[string]*reach.Server{}}
	s.server = s.opts.Server
	s.transport = s.newTransport()
	s.http = readOnly{told{next: s.transport, log: s.opts.Log}}
	sample := model.Account{Login: "user@domain.test"}
	for _, template := range append([]string{o.URL, o.Calendars, o.Contacts, o.Files}, o.Origins...) {
		if template == "" {
			continue
		}
		text, err := Expand(template, sample)
		if err != nil {
			return nil, model.Faultf(model.ClassFatal, "url", "%w", err)
		}
		u, err := parseURL(text)
		if err != nil {
			return nil, err
		}
		if host := u.Hostname(); strings.Contains(host, "*") && (!slices.Contains(o.Origins, template) || strings.LastIndexByte(host, '*') > 0 || !strings.HasPrefix(host, "*.") || strings.Count(host, ".") < 2) {
			return nil, &model.Fault{Class: model.ClassFatal, Code: "url", Err: fmt.Errorf("%s: no server is called so", template), Remedy: "in source.dav.origins, https://*.old.test is every host with one name before old.test"}
		}
		if !Varies(hostOf(template)) { // one that varies is known when it is filled in
			s.trust(u)
		}
	}
	return s, nil
}

// hostOf is a URL's text up to its path.
func hostOf(template string) string {
	rest, _ := cutOrigin(template)
	return template[:len(template)-len(rest)]
}

// origin is scheme, host and port (RFC 6454).
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port)
}

// host is what is known of whether the server of an origin can be reached: one may
// be away while the others answer.
func (s *Source) host(origin string) *reach.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hosts[origin]
	if h == nil {
		h = s.server.Another()
		s.hosts[origin] = h
	}
	return h
}

func (s *Source) trust(u *url.URL) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own[origin(u)] = true
}

func (s *Source) trusts(u *url.URL) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.own[origin(u)] || s.own[origin(anyOf(u))]
}

// anyOf is the origin of all hosts beside a URL's: *.old.test of p01.old.test. What
// is above a whole domain is no organisation's (RFC 6125 §7.2).
func anyOf(u *url.URL) *url.URL {
	_, above, _ := strings.Cut(u.Hostname(), ".")
	if !strings.Contains(above, ".") || net.ParseIP(u.Hostname()) != nil {
		return u
	}
	all := *u
	if all.Host = "*." + above; u.Port() != "" {
		all.Host = net.JoinHostPort(all.Host, u.Port())
	}
	return &all
}

// isHost reports that a URL, of any scheme, leads to one of the servers.
func (s *Source) isHost(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for known := range s.own {
		if o, err := url.Parse(known); err == nil && strings.EqualFold(o.Hostname(), u.Hostname()) {
			return true
		}
	}
	return false
}

// learn remembers what a server asks for, so that for the next account it need
// not be asked first.
func (s *Source) learn(origin, scheme string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schemes[origin] = scheme
}

// scheme is what a server will ask for, or empty where it has to be asked: a
// digest begins with a challenge.
func (s *Source) scheme(origin string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	scheme := s.schemes[origin]
	if scheme == "" {
		scheme = s.opts.Auth
	}
	if scheme == "digest" {
		return ""
	}
	return scheme
}

// String names the source in logs.
func (s *Source) String() string {
	for _, t := range []string{s.opts.URL, s.opts.Calendars, s.opts.Contacts, s.opts.Files, s.opts.Domain} {
		if t != "" {
			return t
		}
	}
	return "DAV"
}

// goodbye is how long Close waits: that is more than it takes to close in order.
const goodbye = 5 * time.Second

// Close implements source.Source. It waits for connections that say goodbye.
func (s *Source) Close() error {
	s.transport.CloseIdleConnections()
	s.conns.wait(goodbye)
	return nil
}

// Accounts implements source.Source: DAV does not enumerate.
func (s *Source) Accounts(context.Context) iter.Seq2[model.Account, error] {
	return func(yield func(model.Account, error) bool) {
		yield(model.Account{}, &model.Fault{Class: model.ClassFatal, Code: "notEnumerable", Err: errors.New("a DAV server does not tell which accounts exist"),
			Remedy: "name a CSV file or a database in source.users, or list the accounts there"})
	}
}

// Open implements source.Source. It finds the account's homes, so that a
// wrong password shows at once.
func (s *Source) Open(ctx context.Context, a model.Account) (source.Store, error) {
	return s.open(ctx, a)
}

func (s *Source) open(ctx context.Context, a model.Account) (*Store, error) {
	st := &Store{src: s, acc: a, c: s.client(a), names: map[string][]grantee{}, readings: map[string]*reading{}, odd: oddities{}, untold: map[model.Kind]error{}, batch: firstBatch, most: batch}
	if err := st.discover(ctx); err != nil {
		return nil, err
	}
	return st, nil
}

func (s *Source) client(a model.Account) *client {
	c := &client{src: s, account: a.Login, login: a.Login, secret: a.Secret, logins: map[string]*login{}}
	if own, ok := s.opts.Secrets[a.Login]; ok {
		c.secret = own
	}
	if a.Group && s.opts.Master == "" {
		s.readAs(c, a.Readers)
	}
	if s.opts.Master != "" {
		c.login, c.secret = s.opts.Master, s.opts.Password
		user := a.Login
		if a.Group { // nobody can log in as a group: a reader does, or the master himself
			if len(a.Readers) == 0 {
				return c
			}
			user = a.Readers[0].Login
		}
		if s.opts.Separator != "" {
			c.login = user + s.opts.Separator + s.opts.Master
		}
		if s.opts.AuthorizeAs {
			c.actAs = user
		}
	} else if c.secret == "" {
		c.secret = s.opts.Password // a token that acts for everybody
	}
	return c
}

// readAs logs in as the first of a group's readers whose password is known.
func (s *Source) readAs(c *client, readers []model.Account) {
	for _, r := range readers {
		secret := r.Secret
		if own, ok := s.opts.Secrets[r.Login]; ok {
			secret = own
		}
		if secret != "" {
			c.login, c.secret = r.Login, secret
			return
		}
	}
}

// acting: the login is not the account's own.
func (st *Store) acting() bool { return st.src.opts.forAll() || st.acc.Group }

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Store is one account. It is used by one goroutine at a time.
type Store struct {
	source.NoMail
	src   *Source
	acc   model.Account
	c     *client
	homes []home
	// untold is how a server failed when it was asked where a kind's homes are,
	// and undiscovered are such kinds of which none was found otherwise.
	untold       map[model.Kind]error
	undiscovered []error
	// principal is the account's own, nil where no server told, and says what it
	// says of itself.
	principal *url.URL
	says      *found
	owner     string // pathKey of the principal
	held      held
	names     map[string][]grantee // who principals are, by path
	groups    []*url.URL           // that the account is a member of
	delegates granted              // nil: not asked yet
	// noMultiget: the server refused it once.
	noMultiget bool
	// batch is how many objects the next multiget asks for, and most how many it
	// may ask for.
	batch, most int
	readings    map[string]*reading      // by the collection's ID
	foreign     []model.ObjectCollection // those of others, if listed
	listed      bool
	// newer are cards that the server gave in an older version than they have;
	// see version.go.
	newer   map[string]bool
	noNewer atomic.Bool // it has no newer ones
	odd     oddities
}

// Close implements source.Store.
func (st *Store) Close() error {
	for _, r := range st.readings {
		r.drop()
	}
	return nil
}

// fault says what an error of one collection or object means.
func (st *Store) fault(err error, class model.Class, collection, item string) error {
	if f, ok := errors.AsType[*model.Fault](err); ok && f.Class > class {
		return err
	}
	code := model.CodeOf(err)
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusGone:
		code = model.CodeGone
	case http.StatusForbidden:
		code = "forbidden"
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &model.Fault{Class: class, Code: code, Account: st.acc.Login, Collection: collection, Item: item, Err: err}
}

var _ interface {
	source.Source
	source.Checker
	fmt.Stringer
} = (*Source)(nil)

var _ interface {
	source.Store
	source.Objects
	source.ObjectRights
	source.Damaged
} = (*Store)(nil)
