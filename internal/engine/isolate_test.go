package engine_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sandbox"
)

// breaker lets calls fail whenever they carry certain messages.
type breaker struct {
	mu     sync.Mutex
	method string
	half   bool // what comes before the message is stored
	fault  sandbox.Fault
	bodies map[[32]byte]bool
	broken int
}

func (b *breaker) add(body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bodies[blake3.Sum256([]byte(body))] = true
}

func (b *breaker) heal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.bodies)
}

func (b *breaker) intercept(c sandbox.Call) *sandbox.Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := slices.IndexFunc(c.Contents, func(h [32]byte) bool { return b.bodies[h] })
	if c.After || c.Method != b.method || at < 0 {
		return nil
	}
	b.broken++
	f := b.fault
	if b.half {
		f.Stop = at // 0: nothing comes before it
	}
	return &f
}

// large is a message that goes by an upload of its own.
func large(n int) string {
	return "Subject: large\r\n\r\n" + strings.Repeat(string(rune('a'+n))+strings.Repeat("x", 70)+"\r\n", 16_000)
}

// Whatever a message does to the requests that carry it, it is found, left
// behind with its reason, and holds nobody up. Nothing is doubled. Once the
// destination takes it, it comes.
func TestMessagesThatBreakTheirRequests(t *testing.T) {
	t.Parallel()
	ways := []struct {
		name  string
		fault sandbox.Fault
	}{
		{"connection lost", sandbox.Fault{Drop: true}},
		{"500", sandbox.Fault{Status: http.StatusInternalServerError}},
		{"503", sandbox.Fault{Status: http.StatusServiceUnavailable}},
		{"400", sandbox.Fault{Status: http.StatusBadRequest}},
		{"serverFail", sandbox.Fault{MethodError: "serverFail"}},
		{"serverUnavailable", sandbox.Fault{MethodError: "serverUnavailable"}},
		{"invalidArguments", sandbox.Fault{MethodError: "invalidArguments"}},
	}
	n := 0
	for _, at := range []struct {
		method string
		half   bool
	}{{"Email/import", false}, {"Email/import", true}, {"Blob/upload", false}, {"upload", false}} {
		for _, way := range ways {
			for _, which := range [][]int{{0}, {9}, {19}, {3, 4, 5, 6, 7}} {
				if at.half && way.name == "invalidArguments" || at.method == "upload" && way.fault.MethodError != "" {
					continue // nothing is stored before that; no method to answer
				}
				if at.half && way.name == "400" {
					continue // as well
				}
				name := at.method + "/" + way.name
				if at.half {
					name += " half way"
				}
				if n++; n%stride(5) != 0 { // five: another message each time
					continue
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					breakAt(t, &breaker{method: at.method, half: at.half, fault: way.fault, bodies: map[[32]byte]bool{}}, which)
				})
			}
		}
	}
}

func breakAt(t *testing.T, b *breaker, which []int) {
	all := 5
	e := newEnvWith(t, sandbox.Options{Intercept: b.intercept}, impatience)
	e.src.AddMailbox("anna", "Work", model.RoleNone)
	e.fill("Work", 5)
	for n := range 20 {
		if b.method == "upload" && n > 2 && n < 19 && !slices.Contains(which, n) {
			continue
		}
		all++
		body := message(n)
		if b.method == "upload" {
			body = large(n)
		}
		e.src.Deliver("anna", "INBOX", body, model.Flags{}, day.Add(time.Duration(n)*time.Hour))
		if slices.Contains(which, n) {
			b.add(body)
		}
	}
	r := e.done()
	if r.Status != engine.StatusPartial || r.Counts.Refused != int64(len(which)) || r.Counts.Messages != int64(all-len(which)) {
		t.Fatalf("%+v\n%v", r.Counts, r.Notes)
	}
	rep := e.verify()
	if rep.Refused != int64(len(which)) || rep.Identical != int64(all-len(which)) || rep.Differences()+rep.Extra != 0 {
		t.Fatalf("%+v\n%v", rep.Counts, rep.Findings)
	}
	for _, f := range rep.Findings {
		if !strings.Contains(f.Text, "whenever it is sent this message") {
			t.Errorf("%s: the reason is %q", f.Item, f.Text)
		}
	}
	if b.broken == 0 {
		t.Error("nothing was broken")
	}
	if again := e.done(); again.Status != engine.StatusPartial || again.Counts != (engine.Counts{}) {
		t.Errorf("the next run: %+v", again)
	}
	b.heal()
	if r := e.done(func(o *engine.Options) { o.RetryRefused = true }); r.Counts.Messages != int64(len(which)) {
		t.Errorf("with the destination repaired: %+v", r.Counts)
	}
	e.exact()
}

// A delta of one message that breaks its request has nobody beside it to show
// that the destination takes others. It is left behind all the same, and what
// comes after the load is done.
func TestLonelyMessageThatBreaksItsRequest(t *testing.T) {
	t.Parallel()
	b := &breaker{method: "Email/import", fault: sandbox.Fault{Drop: true}, bodies: map[[32]byte]bool{}}
	e := newEnvWith(t, sandbox.Options{Intercept: b.intercept}, impatience)
	e.fill("INBOX", 5)
	e.done()
	b.add(message(77))
	e.src.Deliver("anna", "INBOX", message(77), model.Flags{}, day)
	e.src.SetFlags("anna", "INBOX", 2, model.Flags{System: model.Flagged})
	if r := e.done(); r.Counts.Refused != 1 || r.Counts.Flags != 1 {
		t.Errorf("%+v\n%v", r.Counts, r.Notes)
	}
	b.heal()
	e.done(func(o *engine.Options) { o.RetryRefused = true })
	e.exact()
}

// later makes a destination put single emails off, as RFC 8621 §4.8 lets it.
type later struct {
	destination.Destination
	destination.Account
	left atomic.Int64
}

func (l *later) Close() error               { return l.Destination.Close() }
func (l *later) Limits() destination.Limits { return l.Destination.Limits() }
func (l *later) Open(ctx context.Context, address string) (_ destination.Account, err error) {
	l.Account, err = l.Destination.Open(ctx, address)
	return l, err
}

func (l *later) Exchange(ctx context.Context, emails []destination.Import, blobs []destination.Blob) destination.Exchanged {
	if len(emails) == 0 || l.left.Add(-1) < 0 {
		return l.Account.Exchange(ctx, emails, blobs)
	}
	x := l.Account.Exchange(ctx, emails[1:], blobs)
	x.Imported = append([]destination.Imported{{Err: model.Faultf(model.ClassRetry, "rateLimit", "not so fast")}}, x.Imported...)
	return x
}

// An email that the destination puts off is sent again; one that it puts off
// for good stops the account, so that nobody believes it is there.
func TestEmailsThatArePutOff(t *testing.T) {
	t.Parallel()
	for times, failed := range map[int64]bool{1: false, 3: false, 1 << 40: true} {
		e := newEnv(t, sandbox.Options{Limits: sandbox.Limits{MaxObjectsInSet: 4}})
		l := &later{Destination: e.dst}
		e.dst = l
		e.fill("INBOX", 10)
		l.left.Store(times)
		if r := e.sync(); (r.Err != nil) != failed || r.Counts.Refused != 0 {
			t.Errorf("put off %d times: %v, %+v", times, r.Err, r.Counts)
		}
		l.left.Store(0)
		e.done()
		e.exact()
	}
}
