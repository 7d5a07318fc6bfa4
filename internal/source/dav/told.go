package dav

import (
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// told writes every request to the log at debug level, with how long the
// server thought and how long all of the answer took: which server is slow, and
// at what, is seen in that.
type told struct {
	next http.RoundTripper
	log  *slog.Logger
}

func (t told) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.log.Enabled(req.Context(), slog.LevelDebug) {
		return t.next.RoundTrip(req)
	}
	began := time.Now()
	resp, err := t.next.RoundTrip(req)
	about := []any{"method", req.Method, "path", req.URL.EscapedPath(), "sent", req.ContentLength, "answered", time.Since(began)}
	if err != nil {
		t.log.Debug("DAV request", append(about, "error", err)...)
		return nil, err
	}
	resp.Body = &toldBody{ReadCloser: resp.Body, tell: func(octets int64) {
		t.log.Debug("DAV request", append(about, "status", resp.StatusCode, "octets", octets, "through", time.Since(began))...)
	}}
	return resp, nil
}

// toldBody counts an answer until it is closed.
type toldBody struct {
	io.ReadCloser
	octets int64
	once   sync.Once
	tell   func(octets int64)
}

// Read implements io.Reader.
func (b *toldBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.octets += int64(n)
	return n, err
}

// Close implements io.Closer.
func (b *toldBody) Close() error {
	b.once.Do(func() { b.tell(b.octets) })
	return b.ReadCloser.Close()
}
