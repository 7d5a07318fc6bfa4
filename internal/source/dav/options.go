package dav

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/source/connections"
	"mailhaul.org/mailhaul/internal/throttle"
)

// Options say which server, where things lie on it and how to log in. At least
// one of URL, Domain, Calendars, Contacts and Files is needed.
//
// URLs are templates: {user} is the login, {name} what is before its @ and
// {domain} what follows it.
type Options struct {
	// URL is where discovery of calendars and address books begins:
	// "https://dav.old.test", or the principal or home of the account.
	URL string
	// Domain is one whose DNS names the servers (RFC 6764), where there is no
	// URL; a template, as "{domain}".
	Domain string
	// Calendars and Contacts are homes (or single collections) that need not
	// be discovered, or bare hosts where their discovery begins. Files is the root of a tree of files.
	Calendars, Contacts, Files string
	// Origins are more servers that may see the credentials,
	// "https://p01.dav.old.test": homes may lie there, redirects lead there. In
	// "https://*.old.test" the star is one label of a name.
	Origins []string
	TLS     *tls.Config
	// Insecure permits credentials in clear text without TLS.
	Insecure bool
	// Auth is "basic", "digest", "bearer" or empty: what the server asks for.
	Auth string
	// Master logs in for everybody, with Password. With a Separator the login
	// is "user%master", and with AuthorizeAs the header Authorize-As names the
	// user, as the backends of a Cyrus Murder want it; without either, the URLs have to lead to the
	// user's own. Without Master each account's own Secret is used.
	Master, Separator, Password string
	AuthorizeAs                 bool
	// Secrets are passwords of accounts for this server, by login; who is not
	// among them has its Account.Secret.
	Secrets map[string]string
	// Groups are the groups whose members somebody else tells: lists that name
	// them give them by name. Others are given member by member.
	Groups []string
	// GroupAccounts are the groups for which accounts stand, by login.
	GroupAccounts []string
	// Connections bounds connections to each host; 0 means 8.
	Connections int
	// Bound counts the connections together with those of others to the same
	// host; nil: these alone, as Connections says.
	Bound *connections.Bound
	// Throttle bounds what all connections together read; nil means no bound.
	Throttle *throttle.Throttle
	// SpoolDir takes a collection that is read as a whole; empty: the system's
	// folder of temporary files.
	SpoolDir string
	Log      *slog.Logger // may be nil
	// Server is what is known of whether the server can be reached; nil: nothing
	// yet, and it is not waited for.
	Server *reach.Server
	// Sleep waits between attempts; nil means real time.
	Sleep func(d time.Duration) <-chan time.Time
	// Now tells the time; nil means real time.
	Now func() time.Time
	// Resolver finds servers of a Domain; nil means the system's.
	Resolver Resolver

	patience patience // zero: the usual one
}

// Resolver is the part of net.Resolver that RFC 6764 needs.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

const defaultConnections = 8

func (o Options) withDefaults() Options {
	if o.Connections <= 0 {
		o.Connections = defaultConnections
	}
	if o.Bound == nil {
		o.Bound = connections.New(o.Connections)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Server == nil {
		o.Server = new(reach.Server)
	}
	if o.Sleep == nil {
		o.Sleep = time.After
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.patience == (patience{}) {
		o.patience = usualPatience
	}
	if o.TLS == nil {
		o.TLS = &tls.Config{}
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	return o
}

// ForAll reports whether the master's own login is used, with URLs that lead
// to each account's.
func (o Options) forAll() bool { return o.Master != "" && o.Separator == "" && !o.AuthorizeAs }

// Expand fills a template for an account; the result is a URL.
func Expand(template string, a model.Account) (string, error) {
	return expand(template, a, url.PathEscape)
}

func expand(template string, a model.Account, escape func(string) string) (string, error) {
	name, domain, _ := strings.Cut(a.Login, "@")
	var out strings.Builder
	for rest := template; ; {
		before, after, found := strings.Cut(rest, "{")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		variable, after, closed := strings.Cut(after, "}")
		value, known := map[string]string{"user": a.Login, "name": name, "domain": domain}[variable]
		if !closed || !known {
			return "", fmt.Errorf("%q: the variables are {user}, {name} and {domain}", template)
		}
		if value == "" || value == "." || value == ".." {
			return "", fmt.Errorf("%q: {%s} is %q for the login %q", template, variable, value, a.Login)
		}
		out.WriteString(escape(value))
		rest = after
	}
}

// Varies reports whether a template names the account.
func Varies(template string) bool { return strings.Contains(template, "{") }

func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, model.Faultf(model.ClassFatal, "url", "%q is no address: write https://host/path", text)
	}
	if u.User != nil {
		return nil, model.Faultf(model.ClassFatal, "url", "%s: login and password do not belong into a URL", u.Redacted())
	}
	u.Fragment = ""
	return u, nil
}
