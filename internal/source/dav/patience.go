package dav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"mailhaul.org/mailhaul/internal/model"
)

// patience is how long a server may take.
type patience struct {
	// answer is how long it may think.
	answer time.Duration
	// list is how long it may think about a listing: some read a collection
	// object by object first, as Radicale 3.1 does with one that is not in its
	// cache.
	list time.Duration
	// stall is how long nothing may come of an answer that has begun.
	stall time.Duration
	// notice is after which time it is said that the server is still thinking.
	notice time.Duration
	// batch is how long a multiget may take before the next one asks for less;
	// below a quarter of it for more again.
	batch time.Duration
	// object is how long an object may take in a multiget before it is worth to
	// ask for the whole collection at once: Xandikos 0.2 reads the list of all
	// objects for each one that is asked for. And soFar is how long the
	// collection has to be read in that way before: what the whole of it will
	// cost the server is not known.
	object, soFar time.Duration
}

var usualPatience = patience{answer: 5 * time.Minute, list: time.Hour, stall: 7 * time.Minute, notice: time.Minute,
	batch: 20 * time.Second, object: 15 * time.Millisecond, soFar: 3 * time.Second}

// codeSlow: no answer came in time, here or at a proxy before the server.
const codeSlow = "slow"

// roundTrip makes one request, and ends it when the patience does.
func (c *client) roundTrip(r request, req *http.Request) (*http.Response, error) {
	p := c.src.opts.patience
	limit := p.answer
	if r.long {
		limit = p.list
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	late := &model.Fault{Class: model.ClassRetry, Code: codeSlow, Account: c.account, Err: fmt.Errorf("%s %s: no answer within %v", r.method, r.url.EscapedPath(), limit),
		Remedy: "run the same command again: servers remember what they have found out; where they lie as files, their folders can be read instead (kind: vdir)"}
	var answered atomic.Bool
	end := time.AfterFunc(math.MaxInt64, func() {
		if !answered.Load() {
			cancel(late)
		}
	})
	// Waiting for a connection that others use is no fault of the server.
	asked := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { end.Reset(limit) }})
	said := c.say(r, p.notice)
	resp, err := c.src.http.RoundTrip(req.WithContext(asked))
	answered.Store(true)
	end.Stop()
	said()
	if err != nil {
		defer cancel(nil)
		if context.Cause(ctx) == late {
			return nil, late
		}
		return nil, err
	}
	resp.Body = &patientBody{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, limit: p.stall}
	return resp, nil
}

// say tells of a server that is thinking for long, until the result is called.
func (c *client) say(r request, every time.Duration) (answered func()) {
	began, done := time.Now(), make(chan struct{})
	go func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				c.src.opts.Log.Warn("the source's server is still at work on one request", "account", c.account, "method", r.method, "path", r.url.EscapedPath(), "since", time.Since(began).Round(time.Second))
				t.Reset(min(5*every, max(every, time.Since(began))))
			}
		}
	}()
	return func() { close(done) }
}

// errStalled: an answer began and does not go on.
var errStalled = errors.New("the rest of an answer does not come")

// patientBody is an answer that breaks off when nothing comes for long. The
// time in which nobody reads does not count.
type patientBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration
}

// Read implements io.Reader.
func (b *patientBody) Read(p []byte) (int, error) {
	end := time.AfterFunc(b.limit, func() { b.cancel(errStalled) })
	n, err := b.ReadCloser.Read(p)
	end.Stop()
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(b.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

// Close implements io.Closer.
func (b *patientBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
