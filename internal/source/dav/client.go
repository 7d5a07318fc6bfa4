package dav

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// client makes the requests of one account. Requests may be made concurrently.
type client struct {
	src     *Source
	account string // its login, for errors
	login   string
	secret  string
	actAs   string // value of Authorize-As, or empty

	mu     sync.Mutex
	logins map[string]*login // by origin: one server may ask otherwise than the next
}

// login is what a server has asked for.
type login struct {
	scheme string // "basic", "digest", "bearer"; empty until it has asked
	digest *digest
	// proven: it has accepted the digest's nonce before.
	proven bool
}

// at is the login for a server; c.mu is held.
func (c *client) at(u *url.URL) *login {
	o := origin(u)
	if c.logins[o] == nil {
		c.logins[o] = &login{scheme: c.src.scheme(o)}
	}
	return c.logins[o]
}

// request is what is asked. Body is nil where there is none.
type request struct {
	method string
	url    *url.URL
	depth  string // "0", "1" or empty
	body   []byte
	header http.Header
	// long: the server may take its time, see patience.
	long bool
	// once: an answer that comes too late is not asked for again as it is.
	once bool
}

// answer is a response, at the URL that redirects led to from the one that was
// asked for.
type answer struct {
	*http.Response
	url   *url.URL
	asked *url.URL
}

// statusError is an answer that refuses.
type statusError struct {
	method, path string
	code         int
	text         string // the beginning of the body
}

func (e *statusError) Error() string {
	s := fmt.Sprintf("%s %s: the server answers %d %s", e.method, e.path, e.code, http.StatusText(e.code))
	if e.text != "" {
		s += ": " + e.text
	}
	return s
}

// statusOf is the status that err reports, or 0.
func statusOf(err error) int {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.code
	}
	return 0
}

const maxRedirects = 5

// do makes a request and follows redirects. It tries again what may pass:
// broken connections, a server that is busy. An answer that refuses is a
// *statusError, a refused login a Fault with CodeAuth.
func (c *client) do(ctx context.Context, r request) (*answer, error) {
	wait, host := reach.BackOff, c.src.host(origin(r.url))
	for n := 1; ; n++ {
		a, err := c.follow(ctx, r)
		if err == nil {
			c.src.server.Met()
			host.Met()
			return a, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if model.ClassOf(err) != model.ClassRetry {
			return nil, err
		}
		slow := model.CodeOf(err) == codeSlow
		switch {
		case !slow && statusOf(err) == 0 && host.Waits(origin(r.url), err):
			wait = min(wait, reach.ReturnWait)
		case n >= reach.Attempts || c.src.server.Closed(err) || slow && (r.once || r.long && statusOf(err) == 0):
			return nil, c.giveUp(host.Waited(err))
		}
		if f, ok := errors.AsType[*model.Fault](err); ok && f.RetryAfter > 0 {
			wait = min(f.RetryAfter, 5*time.Minute)
		}
		c.src.opts.Log.Info("ask the source again", "account", c.account, "in", wait, "error", err)
		if err := reach.Pause(ctx, c.src.opts.Sleep, wait); err != nil {
			return nil, err
		}
		wait = min(2*wait, reach.MaxWait)
	}
}

// giveUp gives up on the account, or on the server unless it is only slow.
func (c *client) giveUp(err error) error {
	if model.CodeOf(err) == codeSlow {
		return reach.OfAccount(c.account, err)
	}
	return c.src.server.GiveUp(c.account, err)
}

// follow makes one request and those that its redirects ask for.
func (c *client) follow(ctx context.Context, r request) (*answer, error) {
	asked := r.url
	for range maxRedirects {
		resp, err := c.authorized(ctx, r)
		if err != nil {
			return nil, err
		}
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			to, err := c.redirect(r, resp)
			discard(resp)
			if err != nil {
				return nil, err
			}
			r.url = to
			continue
		}
		if resp.StatusCode/100 == 2 {
			return &answer{resp, r.url, asked}, nil
		}
		defer discard(resp)
		return nil, c.refused(r, resp)
	}
	return nil, &model.Fault{Class: model.ClassAccount, Code: "redirect", Account: c.account, Err: fmt.Errorf("%s: more than %d redirects", r.url.Redacted(), maxRedirects)}
}

// redirect is where an answer leads. A stranger sees no credentials, and what
// it says without them is nobody's calendar.
func (c *client) redirect(r request, resp *http.Response) (*url.URL, error) {
	to, err := r.url.Parse(resp.Header.Get("Location"))
	if err != nil || to.Host == "" {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "redirect", Account: c.account, Err: fmt.Errorf("%s: a redirect to %q leads nowhere", r.url.Redacted(), resp.Header.Get("Location"))}
	}
	to.User, to.Fragment = nil, ""
	if r.url.Scheme == "https" && to.Scheme == "http" && to.Hostname() == r.url.Hostname() && to.RequestURI() != r.url.RequestURI() && !c.src.trusts(to) {
		// What is behind a proxy does not know that it is asked over TLS.
		to.Scheme, to.Host = r.url.Scheme, r.url.Host
	}
	upgrade := r.url.Scheme == "http" && to.Scheme == "https" && to.Hostname() == r.url.Hostname()
	if !c.src.trusts(to) && !upgrade {
		return nil, &model.Fault{Class: model.ClassAccount, Code: "redirect", Account: c.account,
			Err:    fmt.Errorf("%s redirects to another server, %s", r.url.Redacted(), origin(to)),
			Remedy: "if that is the right one, write it in source.dav.url, or add it to source.dav.origins"}
	}
	if upgrade {
		c.src.trust(to)
	}
	return to, nil
}

// authorized makes one request, with credentials once the server has asked
// for them.
func (c *client) authorized(ctx context.Context, r request) (*http.Response, error) {
	for range 3 {
		value, err := c.authorization(r)
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), bytes.NewReader(r.body))
		if err != nil {
			return nil, err
		}
		for k, v := range r.header {
			req.Header[k] = v
		}
		if r.depth != "" {
			req.Header.Set("Depth", r.depth)
		}
		if r.body != nil {
			req.Header.Set("Content-Type", "application/xml; charset=utf-8")
		} else {
			req.Body, req.ContentLength = http.NoBody, 0
		}
		if value != "" {
			req.Header.Set("Authorization", value)
			if c.actAs != "" {
				req.Header.Set("Authorize-As", c.actAs)
			}
		}
		req.Header.Set("User-Agent", "mailhaul")
		resp, err := c.roundTrip(r, req)
		if model.CodeOf(err) == codeSlow {
			return nil, err
		} else if err != nil {
			return nil, c.unreachable(r.url, err)
		}
		if resp.StatusCode != http.StatusUnauthorized {
			if value != "" {
				c.accepted(r.url)
			}
			return resp, nil
		}
		discard(resp)
		again, err := c.challenged(r.url, resp, value != "")
		if err != nil {
			return nil, err
		}
		if !again {
			break
		}
	}
	return nil, c.badLogin(errors.New("the server refuses the login"))
}

// authorization is the header for a request, or empty as long as the server
// has not asked.
func (c *client) authorization(r request) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.at(r.url)
	if l.scheme == "" || !c.src.trusts(r.url) {
		return "", nil
	}
	if c.secret == "" {
		return "", &model.Fault{Class: model.ClassAccount, Code: model.CodeAuth, Account: c.account, Err: errors.New("no password is known"),
			Remedy: "give source.dav.master, or a CSV file of logins and passwords"}
	}
	if l.scheme != "digest" && r.url.Scheme == "http" && !c.src.opts.Insecure && !loopback(r.url.Hostname()) {
		return "", &model.Fault{Class: model.ClassFatal, Code: model.CodeAuth, Err: fmt.Errorf("%s: a password would travel in the clear", origin(r.url)),
			Remedy: "write https://, or set tls: {insecure: true} if the network is your own"}
	}
	switch l.scheme {
	case "digest":
		if l.digest == nil {
			return "", nil // the challenge comes first
		}
		return l.digest.header(r.method, r.url.RequestURI(), c.login, c.secret), nil
	case "bearer":
		return "Bearer " + c.secret, nil
	}
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(c.login, c.secret)
	return req.Header.Get("Authorization"), nil
}

// accepted remembers that a server takes the login.
func (c *client) accepted(u *url.URL) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at(u).proven = true
	c.src.refused.Store(0)
}

// challenged takes in what a server asks for; again says that it is worth to
// answer.
func (c *client) challenged(u *url.URL, resp *http.Response, answered bool) (again bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.at(u)
	offers := challenges(resp.Header.Values("WWW-Authenticate"))
	want := c.src.opts.Auth
	var names []string
	for _, scheme := range []string{"bearer", "digest", "basic"} {
		for _, o := range offers {
			if o.scheme != scheme || want != "" && want != scheme || want == "" && scheme == "bearer" {
				continue
			}
			names = append(names, scheme)
			if scheme == "digest" {
				d := newDigest(o)
				if d == nil {
					continue
				}
				// With credentials sent, only a new nonce is worth another try.
				// Some servers do not say that the old one is stale.
				if answered && l.digest != nil && !l.proven && !strings.EqualFold(o.params["stale"], "true") {
					return false, nil
				}
				l.digest, l.proven = d, false
			} else if answered {
				continue
			}
			l.scheme = scheme
			c.src.learn(origin(u), scheme)
			return true, nil
		}
	}
	if answered || len(names) > 0 {
		return false, nil
	}
	var offered []string
	for _, o := range offers {
		offered = append(offered, o.scheme)
	}
	return false, &model.Fault{Class: model.ClassFatal, Code: model.CodeAuth,
		Err:    fmt.Errorf("%s asks for %q, which is not what mailhaul has", resp.Request.URL.Host, strings.Join(offered, ", ")),
		Remedy: "Basic, Digest and Bearer are known: see source.dav.auth"}
}

// force sends credentials that nobody asked for: to a server that shows less
// without them.
func (c *client) force(u *url.URL) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.at(u)
	if l.scheme != "" || c.secret == "" || c.src.opts.Auth == "digest" {
		return false
	}
	l.scheme = "basic"
	if c.src.opts.Auth != "" {
		l.scheme = c.src.opts.Auth
	}
	return true
}

// masterRefusals is how many accounts a master may be refused for, one after
// the other, before the run stops.
const masterRefusals = 3

func (c *client) badLogin(err error) error {
	f := &model.Fault{Class: model.ClassAccount, Code: model.CodeAuth, Account: c.account, Err: err, Remedy: "check the password"}
	if c.src.opts.Auth == "bearer" {
		f.Remedy = "check the token: most are valid for an hour or so; get a new one, and run the same command again"
	}
	if c.src.opts.Master != "" {
		f.Remedy = "check source.dav.master, its separator and password, and that the account exists"
		if c.src.refused.Add(1) >= masterRefusals {
			f.Class = model.ClassFatal
		}
	}
	return f
}

func (c *client) unreachable(u *url.URL, err error) error {
	f := &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Err: fmt.Errorf("%s: %w", origin(u), err)}
	forGood := false
	if f.Remedy, forGood = reach.Remedy(err); forGood {
		f.Class = model.ClassFatal
	}
	return f
}

// refused tells what an answer other than success means.
func (c *client) refused(r request, resp *http.Response) error {
	e := &statusError{method: r.method, path: r.url.EscapedPath(), code: resp.StatusCode, text: excerpt(resp.Body)}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f := &model.Fault{Class: model.ClassRetry, Code: model.CodeUnreachable, Account: c.account, Err: e, RetryAfter: retryAfter(resp.Header.Get("Retry-After")),
			Remedy: "fewer connections may help: limits.connections"}
		if resp.StatusCode == http.StatusGatewayTimeout {
			f.Code, f.Remedy = codeSlow, "a proxy before the server waits too short a time: raise its limit, or write the server's own address into source.dav.url"
		}
		return f
	}
	return e
}

func retryAfter(h string) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(h)); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(h); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// excerpt is the beginning of a body, as one line without markup.
func excerpt(r io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(r, 2<<10)) // a broken body is no news
	var out strings.Builder
	inside := false
	for _, c := range strings.ToValidUTF8(string(b), "") {
		switch {
		case c == '<':
			inside = true
		case c == '>':
			inside = false
			out.WriteByte(' ')
		case !inside:
			out.WriteRune(c)
		}
	}
	text := strings.Join(strings.Fields(out.String()), " ")
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	return text
}

// discard frees the connection for the next request where little is left.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // a broken body is no news
	resp.Body.Close()
}

// multistatus asks for one and gives its responses to fn. When the connection
// breaks it asks again, and fn gets what it got before, too. It returns the
// sync token and the URL that redirects led to.
func (c *client) multistatus(ctx context.Context, r request, fn func(base *url.URL, resp *response) error) (token string, at *url.URL, err error) {
	for n := 1; ; n++ {
		a, err := c.do(ctx, r)
		if err != nil {
			return "", nil, err
		}
		token, err = c.responses(a, r, fn)
		if _, broken := errors.AsType[*readError](err); !broken || n == reach.Attempts || ctx.Err() != nil {
			if broken {
				err = c.giveUp(c.unreachable(a.url, err))
			}
			return token, a.url, err
		}
		if err := reach.Pause(ctx, c.src.opts.Sleep, reach.BackOff); err != nil {
			return "", nil, err
		}
	}
}

func (c *client) responses(a *answer, r request, fn func(base *url.URL, resp *response) error) (string, error) {
	defer discard(a.Response)
	if t := a.Header.Get("Content-Type"); a.StatusCode != http.StatusMultiStatus && !strings.Contains(t, "xml") {
		return "", &statusError{method: r.method, path: r.url.EscapedPath(), code: http.StatusNotImplemented,
			text: fmt.Sprintf("no multistatus, but %d with %q", a.StatusCode, t)}
	}
	body := io.Reader(a.Body)
	if r.method == "PROPFIND" {
		body = mend(body)
	}
	return newReader(body).multistatus(func(resp *response) error { return fn(a.url, resp) })
}
