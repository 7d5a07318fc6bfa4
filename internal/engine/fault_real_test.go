package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// gateway stands before a real server and lets its k-th request fail.
type gateway struct {
	url string

	mu    sync.Mutex
	at, n int
	where string
	kind  requestFault
}

// requestFault is what becomes of a request.
type requestFault struct {
	name   string
	status int  // 0: the connection is lost
	after  bool // the server has done what it was asked for
}

var requestFaults = []requestFault{
	{"connection lost before", 0, false}, {"connection lost after", 0, true},
	{"429", http.StatusTooManyRequests, false},
	{"500 before", http.StatusInternalServerError, false}, {"500 after", http.StatusInternalServerError, true},
	{"503 before", http.StatusServiceUnavailable, false}, {"503 after", http.StatusServiceUnavailable, true},
}

func startGateway(t *testing.T, to string) *gateway {
	t.Helper()
	server, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{}
	proxy := httputil.NewSingleHostReverseProxy(server)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.failing(r) {
			proxy.ServeHTTP(w, r)
			return
		}
		if g.kind.after {
			// Whatever the client does, the server is left to finish.
			proxy.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
		}
		if g.kind.status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(g.kind.status)
	}))
	t.Cleanup(front.Close)
	g.url = front.URL
	return g
}

// failing reports that it is this request's turn.
func (g *gateway) failing(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n++
	if g.n != g.at {
		return false
	}
	g.where = r.Method + " " + r.URL.Path
	return true
}

func (g *gateway) arm(at int, kind requestFault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at, g.n, g.where, g.kind = at, 0, "", kind
}

// Whatever request to a real server fails, before or after it took effect, and
// however: the same run or the next one ends exact. Each kind of fault takes its
// share of the requests; with MAILHAUL_FAULTS=all each takes all of them.
func TestFaultAtEveryRequestToARealServer(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	step := len(requestFaults) * stride(5)
	if os.Getenv("MAILHAUL_FAULTS") == "all" {
		step = 1
	}
	for i, kind := range requestFaults {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, server.URL)
			failed := map[string]int{}
			for at := 1 + i%step; ; at += step {
				e := newEnvOn(t, stalwart.Config{URL: g.url, User: server.AdminUser, Password: server.AdminPassword,
					Retry: jmap.Retry{Attempts: 4, Min: time.Millisecond, Max: 5 * time.Millisecond}}, fmt.Sprintf("anna%d-%d@%s", i, at, server.Domain))
				e.src.NoGUIDs, e.src.NoDeltas = at%2 == 0, at%3 == 0
				g.arm(at, kind)
				for _, act := range history {
					act(e)
					r := e.sync(func(o *engine.Options) { o.WithBatch(3) })
					if r.Err != nil && model.ClassOf(r.Err) == model.ClassFatal || r.Counts.Refused > 0 {
						t.Fatalf("at request %d (%s): %v, %+v", at, g.where, r.Err, r.Counts)
					}
				}
				where := g.where
				g.arm(0, kind)
				e.done(func(o *engine.Options) { o.AllowDeletions = true })
				if !t.Run(fmt.Sprint(at), func(t *testing.T) { e.t = t; e.exact() }) {
					t.Fatalf("after a fault at request %d (%s)", at, where)
				}
				e.t = t
				e.close()
				if where == "" {
					break // past the last request
				}
				failed[where]++
			}
			if len(failed) == 0 {
				t.Error("no request failed")
			}
			t.Logf("failed: %v", failed)
		})
	}
}
