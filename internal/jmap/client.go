package jmap

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// Config says where the server is and how to log in.
type Config struct {
	// URL is the server's base URL, "https://mail.example.test", or that of
	// its session object. The session's own URLs are rebased on its scheme
	// and host: servers build them from a configured public name that need
	// not be reachable yet during a migration.
	URL string
	// User and Password log in with HTTP Basic (RFC 7617), Bearer with a
	// token (RFC 6750). Bearer wins.
	User, Password string
	Bearer         string
	TLS            *tls.Config
	// DialContext replaces the way connections are made; nil means TCP.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Requests and Uploads bound what is in flight at a time; 0 means what
	// the session announces.
	Requests, Uploads int
	UserAgent         string
	Retry             Retry
	// Server is what is known of whether the server can be reached; nil: nothing
	// yet, and it is not waited for.
	Server *reach.Server
	// Silence is how long a connection may pass no octet in either direction
	// before it counts as broken; 0 means 5 minutes. A server that is busy with
	// an import of hundreds of messages says nothing until all are stored.
	Silence time.Duration
}

// Client talks to one server with one login. Its methods may be called
// concurrently. Copies made by the With methods share its connections.
type Client struct {
	http    *http.Client
	base    *url.URL
	auth    auth
	agent   string
	retry   Retry
	silence time.Duration
	server  *reach.Server
	session *Session
	// requests bounds everything in flight, uploads HTTP uploads in addition.
	requests, uploads *gate
	idle              func()
}

// Dial fetches the session object and returns a client. Faults: CodeAuth
// (ClassFatal) when the login is refused, CodeUnreachable (ClassFatal) when
// nothing answers, "notJMAP" when something else does. A refused connection is
// an answer here, and is only waited for with the patience of cfg.Server.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimSpace(cfg.URL))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, &model.Fault{Class: model.ClassFatal, Code: "notJMAP", Err: fmt.Errorf("%q is not the URL of a server", cfg.URL),
			Remedy: "give it as https://host or https://host:port"}
	}
	dialer := &net.Dialer{Timeout: 20 * time.Second, KeepAlive: 30 * time.Second}
	dial := cfg.DialContext
	if dial == nil {
		dial = dialer.DialContext
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dial,
		TLSClientConfig:     cfg.TLS,
		TLSHandshakeTimeout: 20 * time.Second,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     60 * time.Second,
		WriteBufferSize:     64 << 10,
		ReadBufferSize:      64 << 10,
		ForceAttemptHTTP2:   true,
	}
	agent := cfg.UserAgent
	if agent == "" {
		agent = "mailhaul"
	}
	c := &Client{
		http: &http.Client{
			Transport: transport,
			// The Authorization header must not follow to another host, and a
			// 307 of a POST must not be answered by sending a message twice.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base:     base,
		auth:     auth{user: cfg.User, password: cfg.Password, bearer: cfg.Bearer},
		agent:    agent,
		retry:    cfg.Retry.withDefaults(),
		silence:  cmp.Or(cfg.Silence, defaultSilence),
		server:   cmp.Or(cfg.Server, new(reach.Server)),
		requests: newGate(1),
		uploads:  newGate(1),
		idle:     transport.CloseIdleConnections,
	}
	if c.session, err = c.discover(ctx); err != nil {
		transport.CloseIdleConnections()
		return nil, err
	}
	return c.WithConcurrency(cfg.Requests, cfg.Uploads), nil
}

// Session returns the session object as it was when the client was made.
func (c *Client) Session() *Session { return c.session }

// WithConcurrency returns a client with places of its own for requests and
// uploads in flight; 0 means what the session announces.
func (c *Client) WithConcurrency(requests, uploads int) *Client {
	core := c.session.Core
	d := *c
	d.requests = newGate(cmpOr(requests, core.MaxConcurrentRequests, 4))
	d.uploads = newGate(cmpOr(uploads, core.MaxConcurrentUpload, 4))
	return &d
}

// WithLogin returns a client that logs in with another user name and the same
// password. It keeps the session's URLs and limits, but not its accounts, and
// has places of its own, because servers count per login.
func (c *Client) WithLogin(user string) *Client {
	d := *c
	s := *c.session
	s.Username, s.Accounts, s.PrimaryAccounts = user, nil, nil
	d.session = &s
	d.auth.user, d.auth.bearer = user, ""
	return d.WithConcurrency(0, 0)
}

// Close drops idle connections.
func (c *Client) Close() error {
	c.idle()
	return nil
}

// GetJSON fetches a path of the server, such as "/api/account", into v. The
// status is returned with any error of an HTTP answer.
func (c *Client) GetJSON(ctx context.Context, path string, v any) error {
	u, err := c.base.Parse(path)
	if err != nil {
		return err
	}
	return c.getJSON(ctx, u.String(), v)
}

func (c *Client) getJSON(ctx context.Context, u string, v any) error {
	return c.perform(ctx, attempt{
		method: http.MethodGet, url: u, idempotent: true,
		read: func(r *http.Response) error {
			if err := json.NewDecoder(r.Body).Decode(v); err != nil {
				return &badAnswer{err}
			}
			return nil
		},
	})
}

type auth struct{ user, password, bearer string }

func (a auth) set(r *http.Request) {
	switch {
	case a.bearer != "":
		r.Header.Set("Authorization", "Bearer "+a.bearer)
	case a.user != "":
		r.SetBasicAuth(a.user, a.password)
	}
}

func cmpOr(list ...int) int {
	for _, n := range list {
		if n > 0 {
			return n
		}
	}
	return 0
}

var errRedirect = errors.New("the server redirects in a circle or to another host")
