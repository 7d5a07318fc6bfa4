package jmap

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// crowded is a server that refuses what is beyond its places, as RFC 8620
// §3.6.1 wants it, and announces more of them than it has.
func crowded(t *testing.T, places int64) (*Client, *atomic.Int64, *atomic.Int64) {
	t.Helper()
	var inside, most, refused atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/jmap") && r.Method == http.MethodPost {
			defer inside.Add(-1)
			if n := inside.Add(1); n > places {
				refused.Add(1)
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(http.StatusTooManyRequests)
				io.WriteString(w, `{"type":"urn:ietf:params:jmap:error:limit","limit":"maxConcurrentRequests"}`)
				return
			} else if n > most.Load() {
				most.Store(n)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			<-time.After(2 * time.Millisecond) // its work, so that requests overlap
			io.WriteString(w, `{"methodResponses":[["Core/echo",{},"0"]],"sessionState":"1"}`)
			return
		}
		fmt.Fprint(w, `{"capabilities":{"urn:ietf:params:jmap:core":{"maxConcurrentRequests":16,"maxCallsInRequest":4}},"accounts":{},"primaryAccounts":{},`+
			`"username":"x","apiUrl":"/jmap","downloadUrl":"/d","uploadUrl":"/u","eventSourceUrl":"/e","state":"1"}`)
	}))
	t.Cleanup(s.Close)
	c, err := Dial(t.Context(), Config{URL: s.URL, User: "x", Password: "y", Retry: Retry{Attempts: 50, Min: time.Microsecond, Max: time.Millisecond,
		Sleep: func(ctx context.Context, d time.Duration) error { return ctx.Err() }}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, &most, &refused
}

// A server that announces more than it takes gets what it takes: all requests
// are answered, and only few are refused on the way.
func TestGateLearns(t *testing.T) {
	t.Parallel()
	const places, requests = 3, 600
	c, most, refused := crowded(t, places)
	var all sync.WaitGroup
	todo := make(chan struct{}, requests)
	for range requests {
		todo <- struct{}{}
	}
	close(todo)
	for range 16 {
		all.Go(func() {
			for range todo {
				r := NewRequest()
				r.Call("Core/echo", map[string]any{})
				if _, err := c.Do(t.Context(), r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if limit := c.requests.Limit(); limit > 6 {
		t.Errorf("%d requests may be in flight at the end, the server takes %d; %d were refused, %d at a time", limit, places, refused.Load(), most.Load())
	}
	if n := refused.Load(); n > requests/4 {
		t.Errorf("%d of %d requests were refused", n, requests)
	}
	if most.Load() < 2 {
		t.Errorf("only %d requests at a time", most.Load())
	}
}

// One crowd counts once, and places that were given up come back.
func TestGateRecovers(t *testing.T) {
	t.Parallel()
	g := newGate(8)
	epoch, err := g.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		g.answered(epoch, true)
	}
	if g.Limit() != 6 {
		t.Errorf("%d places after one crowd, want 6", g.Limit())
	}
	for range patience * 6 {
		g.answered(epoch+1, false)
	}
	if g.Limit() != 7 {
		t.Errorf("%d places after good answers, want 7", g.Limit())
	}
	for range 100 * patience {
		g.answered(epoch+1, false)
	}
	if g.Limit() != 8 {
		t.Errorf("%d places at last, want 8", g.Limit())
	}
}

// What a session announces is kept: never more requests in flight than
// maxConcurrentRequests, nor uploads than maxConcurrentUpload, and as many as that.
func TestAnnouncedLimitsAreKept(t *testing.T) {
	t.Parallel()
	const requests, uploads = 5, 2
	var mu sync.Mutex
	now, most := map[string]int{}, map[string]int{}
	count := func(kind string, n int) {
		mu.Lock()
		defer mu.Unlock()
		now[kind] += n
		now["all"] += n
		most[kind], most["all"] = max(most[kind], now[kind]), max(most["all"], now["all"])
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			fmt.Fprintf(w, `{"capabilities":{"urn:ietf:params:jmap:core":{"maxConcurrentRequests":%d,"maxConcurrentUpload":%d,"maxCallsInRequest":4}},"accounts":{},"primaryAccounts":{},`+
				`"username":"x","apiUrl":"/jmap","downloadUrl":"/d","uploadUrl":"/u","eventSourceUrl":"/e","state":"1"}`, requests, uploads)
			return
		}
		count(r.URL.Path, 1)
		defer count(r.URL.Path, -1)
		_, _ = io.Copy(io.Discard, r.Body)
		<-time.After(5 * time.Millisecond) // its work, so that requests overlap
		if r.URL.Path == "/u" {
			io.WriteString(w, `{"accountId":"a","blobId":"b","type":"x","size":1}`)
			return
		}
		io.WriteString(w, `{"methodResponses":[["Core/echo",{},"0"]],"sessionState":"1"}`)
	}))
	defer s.Close()
	c, err := Dial(t.Context(), Config{URL: s.URL, User: "x", Password: "y"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for range 5 {
				if _, err := c.Upload(t.Context(), "a", "x", 1, pieces{[]byte("x")}.open); err != nil {
					t.Error(err)
				}
				r := NewRequest()
				r.Call("Core/echo", map[string]any{})
				if _, err := c.Do(t.Context(), r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if most["all"] > requests || most["/u"] > uploads || most["all"] < 2 || most["/u"] < 2 {
		t.Errorf("at once: %v, announced are %d requests and %d uploads", most, requests, uploads)
	}
}
