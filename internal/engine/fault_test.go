package engine_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/lab"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
	"mailhaul.org/mailhaul/internal/stalwart"
)

// faults are the ways in which a call to the destination can go wrong.
var faults = []struct {
	name string
	sandbox.Fault
}{
	{"connection lost", sandbox.Fault{Drop: true}},
	{"429", sandbox.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Millisecond}},
	{"500", sandbox.Fault{Status: http.StatusInternalServerError}},
	{"503", sandbox.Fault{Status: http.StatusServiceUnavailable}},
	{"serverUnavailable", sandbox.Fault{MethodError: "serverUnavailable"}},
	{"stopped half way", sandbox.Fault{Stop: 1}},
}

// trouble plays one fault at the k-th moment: before or after a call.
type trouble struct {
	mu    sync.Mutex
	armed bool
	at, n int
	fault sandbox.Fault
	where string
}

func (f *trouble) intercept(c sandbox.Call) *sandbox.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	// Half a call, and a refusal for lack of room, come before the effect.
	if !f.armed || c.After && (f.fault.Stop > 0 || f.fault.Status == http.StatusTooManyRequests) {
		return nil
	}
	if f.n++; f.n != f.at {
		return nil
	}
	f.where = fmt.Sprintf("%s, after: %v", c.Method, c.After)
	return &f.fault
}

// Whatever call to the destination fails, before or after it took effect, and
// however: the same run or the next one ends exact.
func TestFaultAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, kind := range faults {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			for at := 1; ; at += stride(11) {
				f := &trouble{at: at, fault: kind.Fault}
				// Small batches, so that there is something to lose between them.
				e := newEnvWith(t, sandbox.Options{Intercept: f.intercept, Limits: sandbox.Limits{MaxObjectsInSet: 3}},
					jmap.Retry{Attempts: 4, Min: time.Millisecond, Max: 5 * time.Millisecond})
				e.src.NoGUIDs, e.src.NoDeltas = at%2 == 0, at%3 == 0
				f.armed = true
				for _, act := range history {
					act(e)
					r := e.sync()
					if r.Err != nil && model.ClassOf(r.Err) == model.ClassFatal {
						t.Fatalf("at call %d (%s): %v", at, f.where, r.Err)
					}
				}
				f.mu.Lock()
				f.armed = false
				f.mu.Unlock()
				e.done(func(o *engine.Options) { o.AllowDeletions = true })
				if !t.Run(fmt.Sprint(at), func(t *testing.T) { e.t = t; e.exact() }) {
					t.Fatalf("after a fault at call %d (%s)", at, f.where)
				}
				e.t = t
				e.close()
				if f.where == "" {
					return // past the last call
				}
			}
		})
	}
}

// newEnvWith is newEnv with patience of its own.
func newEnvWith(t *testing.T, o sandbox.Options, retry jmap.Retry) *env {
	t.Helper()
	o.AdminUser, o.AdminPassword = "migrate@acme.test", "a long password 42"
	server := sandbox.New(o)
	url, err := server.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	e := newEnvOn(t, stalwart.Config{URL: url, User: o.AdminUser, Password: o.AdminPassword, Retry: retry}, "anna@acme.test")
	e.server = server
	return e
}

// Whatever call to the source fails, once: the next run ends exact. A message
// that cannot be read stays behind by name and holds nobody up.
func TestSourceFaultAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, class := range []model.Class{model.ClassRetry, model.ClassAccount, model.ClassItem} {
		for at := 1; ; at += stride(5) {
			e := newEnv(t, sandbox.Options{})
			e.src.NoGUIDs, e.src.NoDeltas = at%2 == 0, at%3 == 0
			n, where := 0, ""
			e.src.Fail = func(call string) error {
				if n++; n != at {
					return nil
				}
				where = call
				return model.Faultf(class, "fault", "the source failed at %q", call)
			}
			for _, act := range history {
				act(e)
				e.sync()
			}
			e.src.Fail = nil
			r := e.done(func(o *engine.Options) { o.RetryRefused = true })
			if !t.Run(fmt.Sprintf("%d/%d", class, at), func(t *testing.T) { e.t = t; e.exact() }) {
				t.Fatalf("after a fault at call %d (%s): %+v", at, where, r)
			}
			e.t = t
			e.close()
			if where == "" {
				break
			}
		}
	}
}

// Connections to a real server that break after so many octets, on the way
// there or back: the same run or the next one ends exact.
func TestConnectionsToARealServerBreak(t *testing.T) {
	t.Parallel()
	server := lab.StartStalwart(t)
	p := lab.StartProxy(t, strings.TrimPrefix(server.URL, "http://"))
	n := 0
	for _, c := range []struct {
		way  string
		side *atomic.Int64
		from int64
	}{{"there", &p.Request, 2_000}, {"back", &p.Answer, 8_000}} {
		for octets := c.from; octets < c.from+16_000; octets += 1_117 * int64(stride(3)) {
			n++
			p.Request.Store(0)
			p.Answer.Store(0)
			e := newEnvOn(t, stalwart.Config{URL: "http://" + p.Addr, User: server.AdminUser, Password: server.AdminPassword,
				Retry: jmap.Retry{Attempts: 4, Min: time.Millisecond, Max: 5 * time.Millisecond}}, fmt.Sprintf("anna%d@%s", n, server.Domain))
			e.src.NoGUIDs, e.src.NoDeltas = n%2 == 0, n%3 == 0
			for _, act := range history {
				act(e)
				c.side.Store(octets)
				if r := e.sync(); r.Err != nil && model.ClassOf(r.Err) == model.ClassFatal {
					t.Fatalf("cut after %d octets %s: %v", octets, c.way, r.Err)
				}
				c.side.Store(0)
			}
			e.done(func(o *engine.Options) { o.AllowDeletions = true })
			if !t.Run(fmt.Sprintf("%s/%d", c.way, octets), func(t *testing.T) { e.t = t; e.exact() }) {
				t.Fatalf("after cuts at %d octets %s", octets, c.way)
			}
			e.t = t
			e.close()
		}
	}
	if p.Cuts.Load() < int64(20/stride(3)) {
		t.Errorf("only %d connections were cut", p.Cuts.Load())
	}
}
