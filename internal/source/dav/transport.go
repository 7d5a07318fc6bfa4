package dav

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
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

func (s *Source) newTransport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: dialLimit}
	return readOnly{&http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: s.opts.TLS.Clone(),
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return s.opts.Throttle.Conn(impatient{c}), nil
		},
		TLSHandshakeTimeout:   dialLimit,
		ResponseHeaderTimeout: answerLimit,
		MaxConnsPerHost:       s.opts.Connections,
		MaxIdleConnsPerHost:   s.opts.Connections,
		IdleConnTimeout:       30 * time.Second,
		// Headers are no way to fill the memory, either.
		MaxResponseHeaderBytes: 1 << 20,
	}}
}

// impatient is a connection that breaks when nothing comes for long. It allows
// for a server that thinks before it answers.
type impatient struct{ net.Conn }

func (c impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(answerLimit + stallLimit)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// SetReadBuffer lets a throttle keep the system from receiving far ahead.
func (c impatient) SetReadBuffer(octets int) error {
	if t, ok := c.Conn.(*net.TCPConn); ok {
		return t.SetReadBuffer(octets)
	}
	return nil
}
