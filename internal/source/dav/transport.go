package dav

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mailhaul.org/mailhaul/internal/reach"
	"mailhaul.org/mailhaul/internal/source/linger"
)

// readMethods are all that is ever sent: a source is read only.
var readMethods = map[string]bool{http.MethodOptions: true, "PROPFIND": true, "REPORT": true, http.MethodGet: true, http.MethodHead: true}

// readOnly is the last gate before the network.
type readOnly struct{ next http.RoundTripper }

func (r readOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	if !readMethods[req.Method] {
		return nil, fmt.Errorf("%s would write: it is never sent to a source", req.Method)
	}
	return r.next.RoundTrip(req)
}

// placed is a connection that has a place at its host. The place is free when
// the host has closed, too; nobody waits for that.
type placed struct {
	net.Conn
	free   func()
	once   sync.Once
	closed atomic.Bool
}

// Read implements net.Conn. What comes while the server is still to close is
// nobody's, and its end is not that of an answer.
func (p *placed) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if p.closed.Load() {
		return 0, net.ErrClosed
	}
	return n, err
}

// Close implements net.Conn.
func (p *placed) Close() error {
	p.closed.Store(true)
	p.once.Do(func() {
		go func() {
			defer p.free()
			_ = p.Conn.Close()
		}()
	})
	return nil
}

// openConns counts connections that the server has not closed yet. The transport
// dials and closes in goroutines of its own, also after the last request has
// been answered: a WaitGroup must not be entered while somebody waits for it.
type openConns struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when there are none; nil where nobody waits
}

func (o *openConns) enter() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
}

func (o *openConns) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n--; o.n == 0 && o.none != nil {
		close(o.none)
		o.none = nil
	}
}

// wait returns when there are none, or after so long.
func (o *openConns) wait(limit time.Duration) {
	o.mu.Lock()
	if o.n == 0 {
		o.mu.Unlock()
		return
	}
	if o.none == nil {
		o.none = make(chan struct{})
	}
	none := o.none
	o.mu.Unlock()
	select {
	case <-none:
	case <-time.After(limit):
	}
}

func (s *Source) newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: reach.DialTime}
	return &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: s.opts.TLS.Clone(),
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			s.opts.Bound.Idle(host, s, func() { s.transport.CloseIdleConnections() })
			free, err := s.opts.Bound.Take(ctx, host)
			if err != nil {
				return nil, err
			}
			s.conns.enter()
			leave := func() { free(); s.conns.leave() }
			c, err := linger.Dial(ctx, dialer, addr)
			if err != nil {
				leave()
				return nil, err
			}
			return &placed{Conn: s.opts.Throttle.Conn(c), free: leave}, nil
		},
		TLSHandshakeTimeout: reach.DialTime,
		MaxConnsPerHost:     s.opts.Connections,
		MaxIdleConnsPerHost: s.opts.Connections,
		IdleConnTimeout:     30 * time.Second,
		// Headers are no way to fill the memory, either.
		MaxResponseHeaderBytes: 1 << 20,
	}
}
