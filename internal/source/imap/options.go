package imap

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/url"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/source/connections"
	"mailhaul.org/mailhaul/internal/throttle"
)

// Options say which server and how to log in.
type Options struct {
	// URL is "imaps://host[:port]" for TLS from the start, or
	// "imap://host[:port]" for STARTTLS.
	URL string
	// Sieve is "sieve://host[:port]" where scripts are to be read; empty: not.
	Sieve string
	TLS   *tls.Config
	// Insecure permits logins without TLS where the server offers none.
	Insecure bool
	// Master logs in as any user, with Password. With a Separator the login
	// is "user*master"; without, it is SASL PLAIN with the user as
	// authorization identity (RFC 4616). Without Master each account's own
	// Secret is used.
	Master, Separator, Password string
	// Enumerate: Master is an administrator who sees the inboxes of all
	// users, as of a Cyrus. Accounts lists them, and no login is tried that
	// has none: the server might make one.
	Enumerate bool
	// Public: the public mailboxes are moved, as an account.
	Public bool
	// Groups are the members of groups in access control lists ("group:staff"
	// is "staff" here), by whom public mailboxes may be read, too.
	Groups map[string][]string
	// Mechanism is "plain", "login" or "xoauth2" (the password is an access
	// token then: the account's Secret, else Password for all); empty chooses
	// what the server offers.
	Mechanism string
	// Connections bounds connections to the server, those for scripts included;
	// 0 means 8. An account has one at a time.
	Connections int
	// Bound counts the connections together with those of others to the same
	// host; nil: these alone, as Connections says.
	Bound *connections.Bound
	// Throttle bounds what all connections together read; nil means no bound.
	Throttle *throttle.Throttle
	// SpoolDir takes messages too large for memory; empty means the system's
	// temporary folder.
	SpoolDir string
	Log      *slog.Logger // may be nil
	// Server is what is known of whether the server can be reached; nil: nothing
	// yet, and it is not waited for.
	Server *reach.Server
	// Sleep waits between attempts; nil means real time.
	Sleep func(d time.Duration) <-chan time.Time
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
	if o.TLS == nil {
		o.TLS = &tls.Config{}
	}
	return o
}

// endpoint is where a URL leads.
type endpoint struct {
	host, addr string
	tls        bool // from the start
}

func parseURL(s string) (endpoint, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return endpoint{}, model.Faultf(model.ClassFatal, "url", "%q is no address: write imaps://host or imap://host:port", s)
	}
	port := map[string]string{"imaps": "993", "imap": "143", "sieve": "4190"}[u.Scheme]
	if port == "" {
		return endpoint{}, model.Faultf(model.ClassFatal, "url", "%q: the scheme is imaps (TLS from the start) or imap (STARTTLS)", s)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return endpoint{host: u.Hostname(), addr: net.JoinHostPort(u.Hostname(), port), tls: u.Scheme == "imaps"}, nil
}
