package dav

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"mailhaul.org/mailhaul/internal/reach"
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

func (s *Source) newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: reach.DialTime}
	return &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: s.opts.TLS.Clone(),
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return s.opts.Throttle.Conn(c), nil
		},
		TLSHandshakeTimeout: reach.DialTime,
		MaxConnsPerHost:     s.opts.Connections,
		MaxIdleConnsPerHost: s.opts.Connections,
		IdleConnTimeout:     30 * time.Second,
		// Headers are no way to fill the memory, either.
		MaxResponseHeaderBytes: 1 << 20,
	}
}
