package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
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

// A filter before a real server cuts the connection whenever some message passes,
// or answers for the server: it is found, left behind with its reason and holds
// nobody up; without the filter it comes.
func TestMessagesThatAFilterBeforeARealServerStops(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	for i, status := range []int{0, http.StatusServiceUnavailable, http.StatusBadRequest} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			to, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			proxy := httputil.NewSingleHostReverseProxy(to)
			var stops atomic.Bool
			var stopped atomic.Int64
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					panic(http.ErrAbortHandler)
				}
				if stops.Load() && bytes.Contains(body, []byte("the filter stops this")) {
					if stopped.Add(1); status == 0 {
						panic(http.ErrAbortHandler)
					}
					w.WriteHeader(status)
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				proxy.ServeHTTP(w, r)
			}))
			defer front.Close()
			e := newEnvOn(t, stalwart.Config{URL: front.URL, User: server.AdminUser, Password: server.AdminPassword, Retry: impatience}, fmt.Sprintf("anna%d@%s", i, server.Domain))
			e.fill("INBOX", 300)
			for n := range 2 {
				e.src.Deliver("anna", "INBOX", message(900+n)+"the filter stops this\r\n", model.Flags{}, day)
			}
			e.src.Deliver("anna", "INBOX", large(1)+"the filter stops this\r\n", model.Flags{}, day)
			stops.Store(true)
			r := e.done()
			if r.Counts.Refused != 3 || r.Counts.Messages != 300 || stopped.Load() == 0 {
				t.Errorf("%+v, %d requests stopped\n%v", r.Counts, stopped.Load(), r.Notes)
			}
			rep := e.verify()
			if rep.Refused != 3 || rep.Identical != 300 || rep.Differences()+rep.Extra != 0 {
				t.Errorf("%+v\n%v", rep.Counts, rep.Findings)
			}
			stops.Store(false)
			e.done(func(o *engine.Options) { o.RetryRefused = true })
			e.exact()
		})
	}
}
