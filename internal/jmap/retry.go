package jmap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/throttle"
)

// Retry says how requests are repeated. The zero value means the defaults.
type Retry struct {
	// Attempts in all, the first included. Default 6.
	Attempts int
	// Min is the first pause; each further one doubles, up to Max, with a
	// jitter of a quarter. Defaults 250 ms and 15 s.
	Min, Max time.Duration
	// Patience is the longest Retry-After that is waited for here; a longer
	// one is returned as a ClassRetry Fault. Default 2 minutes.
	Patience time.Duration
	// Sleep waits, or returns early with the context's error. Nil: a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

func (r Retry) withDefaults() Retry {
	if r.Attempts <= 0 {
		r.Attempts = 6
	}
	if r.Min <= 0 {
		r.Min = 250 * time.Millisecond
	}
	if r.Max <= 0 {
		r.Max = 15 * time.Second
	}
	if r.Patience <= 0 {
		r.Patience = 2 * time.Minute
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Sleep == nil {
		r.Sleep = throttle.Sleep
	}
	return r
}

// pause returns how long to wait after the n-th failed attempt (from 1).
func (r Retry) pause(n int, asked time.Duration) time.Duration {
	d := r.Min << min(n-1, 20)
	if d <= 0 || d > r.Max {
		d = r.Max
	}
	d += time.Duration(rand.Int64N(int64(d)/4 + 1))
	return max(d, asked)
}

// attempt is one HTTP request, made as often as is allowed.
type attempt struct {
	method, url, contentType string
	size                     int64 // of the body; 0 for none
	// body opens the body, again for each attempt.
	body       func() (io.ReadCloser, error)
	idempotent bool
	upload     bool
	redirects  bool // 3xx answers are for read
	// read consumes a good answer. A badAnswer counts as a lost one.
	read func(*http.Response) error
}

// perform makes the attempt until it succeeds, fails for good, or may not be
// repeated.
func (c *Client) perform(ctx context.Context, a attempt) error {
	for n := 1; ; n++ {
		err := c.once(ctx, a)
		if err == nil {
			return nil
		}
		again, wait, final := c.judge(ctx, a, err)
		pause := c.retry.pause(n, wait)
		switch {
		case !again || errors.Is(err, errSilent) && n >= silentAttempts || wait > c.retry.Patience:
			return final
		case away(err) && c.server.Waits(c.base.Host, err):
			pause = min(pause, max(reach.ReturnWait, wait))
		case n >= c.retry.Attempts || c.server.Closed(err):
			return c.server.Waited(final)
		}
		if err := c.retry.Sleep(ctx, pause); err != nil {
			return fmt.Errorf("%w while waiting to repeat a request after: %w", err, final)
		}
	}
}

// judge decides what becomes of a failed attempt.
func (c *Client) judge(ctx context.Context, a attempt, err error) (again bool, wait time.Duration, final error) {
	var own *bodyError
	if errors.As(err, &own) {
		return false, 0, own.err
	}
	if re, ok := errors.AsType[*RequestError](err); ok {
		if !a.idempotent && !re.refused() {
			return false, 0, ambiguous(err)
		}
		return re.temporary() || re.Status >= 500, re.RetryAfter, re.fault()
	}
	if errors.Is(err, errNotSent) {
		return false, 0, err
	}
	unsent := reach.NotConnected(err)
	if !a.idempotent && !unsent {
		return false, 0, ambiguous(err)
	}
	if ctx.Err() != nil {
		return false, 0, err
	}
	class := model.ClassRetry
	if unsent {
		class = model.ClassFatal
	}
	var bad *badAnswer
	if errors.As(err, &bad) {
		return true, 0, &model.Fault{Class: model.ClassRetry, Code: "badAnswer", Err: err, Remedy: "is there a JMAP server behind " + c.base.Host + "?"}
	}
	remedy, forGood := reach.Remedy(err)
	if forGood {
		class = model.ClassFatal
	}
	return !forGood, 0, &model.Fault{Class: class, Code: model.CodeUnreachable, Err: fmt.Errorf("%s cannot be reached: %w", c.base.Host, err), Remedy: remedy}
}

func ambiguous(err error) error {
	return &model.Fault{Class: model.ClassRetry, Code: CodeAmbiguous, Err: fmt.Errorf("%w: %w", ErrAmbiguous, err)}
}

// tooMany reports that a request was refused because of others.
func tooMany(err error) bool {
	e, ok := errors.AsType[*RequestError](err)
	return ok && (e.Status == http.StatusTooManyRequests || e.Limit == "maxConcurrentRequests" || e.Limit == "maxConcurrentUpload")
}

// errNotSent marks an attempt that ended before it began.
var errNotSent = errors.New("not sent")

// away reports that the server did not answer itself: nobody did, or a proxy that
// does not reach it.
func away(err error) bool {
	if e, ok := errors.AsType[*RequestError](err); ok {
		return gateway(e.Status)
	}
	_, bad := errors.AsType[*badAnswer](err)
	return !bad && !errors.Is(err, errSilent)
}

// gateway reports that it is a proxy that answers, or a server that is not ready.
func gateway(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// bodyError is an error of our own side's body: no reason to try again.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return e.err.Error() }

// errorReader remembers an error of the body it reads, so that it can be told
// from one of the connection.
type errorReader struct {
	io.ReadCloser
	heard *watchdog
	err   error
}

func (r *errorReader) Read(p []byte) (int, error) {
	r.heard.progress() // what was read before is sent
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

func (c *Client) once(ctx context.Context, a attempt) (final error) {
	if a.upload {
		epoch, err := c.uploads.enter(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", errNotSent, err)
		}
		defer func() {
			c.uploads.answered(epoch, tooMany(final))
			c.uploads.Leave()
		}()
	}
	epoch, err := c.requests.enter(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotSent, err)
	}
	defer func() {
		c.requests.answered(epoch, tooMany(final))
		c.requests.Leave()
	}()

	ctx, heard := watch(ctx, c.silence)
	defer heard.stop()
	defer func() { final = heard.explain(final) }()
	req, err := http.NewRequestWithContext(ctx, a.method, a.url, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotSent, err)
	}
	var body *errorReader
	if a.body != nil {
		r, err := a.body()
		if err != nil {
			return &bodyError{err}
		}
		body = &errorReader{ReadCloser: r, heard: heard}
		if a.size == 0 {
			_ = r.Close()
			req.Body = http.NoBody
		} else {
			req.Body = body
		}
		req.ContentLength = a.size
	}
	if a.contentType != "" {
		req.Header.Set("Content-Type", a.contentType)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	c.auth.set(req)
	resp, err := c.http.Do(req)
	if err != nil {
		if body != nil && body.err != nil {
			return &bodyError{body.err}
		}
		return err
	}
	if !gateway(resp.StatusCode) {
		c.server.Met()
	}
	heard.progress()
	resp.Body = &heardBody{resp.Body, heard}
	defer func() {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
		_ = resp.Body.Close()
	}()
	if resp.StatusCode/100 == 2 || a.redirects && resp.StatusCode/100 == 3 {
		return a.read(resp)
	}
	return requestError(resp, c.retry.Now())
}
