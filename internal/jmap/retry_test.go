package jmap

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/reach"
)

// Where nothing listens the first refusal is the answer; a server that has
// answered is waited for.
func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	pauses := 0
	retry := Retry{Attempts: 4, Sleep: func(context.Context, time.Duration) error {
		pauses++
		return nil
	}}
	if _, err := Dial(t.Context(), Config{URL: "http://127.0.0.1:1", Retry: retry}); model.CodeOf(err) != model.CodeUnreachable || model.ClassOf(err) != model.ClassFatal || pauses != 0 {
		t.Errorf("%v after %d pauses", err, pauses)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"capabilities":{"urn:ietf:params:jmap:core":{}},"accounts":{},"primaryAccounts":{},"username":"a","apiUrl":"/jmap/","downloadUrl":"/d/","uploadUrl":"/u/","eventSourceUrl":"/e/","state":"1"}`))
	}))
	address := server.Listener.Addr().String()
	c, err := Dial(t.Context(), Config{URL: server.URL, Retry: retry})
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	c.Close()
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Skip("somebody else listens there now")
	}
	if _, err := c.discover(t.Context()); model.CodeOf(err) != model.CodeUnreachable || pauses != 3 {
		t.Errorf("%v after %d pauses, want 3", err, pauses)
	}
}

// With patience a server that is being restarted when a run begins is waited for,
// in short pauses, whether nothing listens, somebody accepts for it or a proxy
// answers; one that has answered is waited for when nothing listens. When the
// patience is over, that is told.
func TestServerThatComesBack(t *testing.T) {
	t.Parallel()
	session := `{"capabilities":{"urn:ietf:params:jmap:core":{}},"accounts":{},"primaryAccounts":{},"username":"a","apiUrl":"/jmap/","downloadUrl":"/d/","uploadUrl":"/u/","eventSourceUrl":"/e/","state":"1"}`
	for name, down := range map[string]http.HandlerFunc{
		"nothing listens": nil,
		"accepts and closes": func(w http.ResponseWriter, r *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				c.Close()
			}
		},
		"a proxy answers": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Date(2026, 11, 26, 20, 0, 0, 0, time.UTC)
			var passed, away atomic.Int64 // since start: what the clock shows, and the end of the outage; handlers read both
			away.Store(int64(50 * time.Second))
			now := func() time.Time { return start.Add(time.Duration(passed.Load())) }
			isAway := func() bool { return passed.Load() < away.Load() }
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if isAway() && down != nil {
					down(w, r)
					return
				}
				_, _ = w.Write([]byte(session))
			}))
			defer server.Close()
			said := 0
			cfg := Config{URL: server.URL,
				Server: &reach.Server{Patience: time.Minute, Now: now, Say: func(string) { said++ }},
				Retry: Retry{Now: now, Sleep: func(_ context.Context, d time.Duration) error {
					if d > reach.ReturnWait {
						t.Errorf("waits %v", d)
					}
					passed.Add(int64(d))
					return nil
				}},
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					if isAway() && down == nil {
						address = "127.0.0.1:1"
					}
					return (&net.Dialer{}).DialContext(ctx, network, address)
				}}
			c, err := Dial(t.Context(), cfg)
			if err != nil || isAway() || said != 2 {
				t.Fatalf("%v after %v, said %d", err, now().Sub(start), said)
			}
			c.Close()
			away.Store(passed.Load() + int64(time.Hour)) // away for good
			passed.Add(int64(time.Second))
			gone := now()
			_, err = c.discover(t.Context())
			took, patient := now().Sub(gone), down == nil
			if model.CodeOf(err) == "" || patient != (took >= time.Minute) || took > 70*time.Second {
				t.Errorf("away for good: %v after %v", err, took)
			}
			if patient && !strings.Contains(err.Error(), "it was waited for 1m") {
				t.Error(err)
			}
		})
	}
}
