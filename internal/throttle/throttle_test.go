package throttle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// hands is a clock that moves only when somebody sleeps: then to the end of the
// shortest sleep.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) clock() Clock {
	return Clock{
		Now: func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now },
		Sleep: func(_ context.Context, d time.Duration) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.now = h.now.Add(d)
			return nil
		},
	}
}

// endless gives as much as it is asked for, or a little less.
type endless struct{ rng *rand.Rand }

func (e endless) Read(p []byte) (int, error) { return 1 + e.rng.IntN(len(p)), nil }

// In no window, wherever it begins and however long it is, pass more octets
// than the rate allows and one chunk; and the rate is used.
func TestEveryWindow(t *testing.T) {
	t.Parallel()
	for _, perSecond := range []int64{3_000, 100_000, 50 << 20} {
		t.Run(fmt.Sprint(perSecond), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, uint64(perSecond)))
			h := &hands{now: time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)}
			th := New(perSecond, h.clock())
			start := h.now
			type event struct {
				at time.Time
				n  int64
			}
			var events []event
			var readers []io.Reader
			for range 5 {
				readers = append(readers, th.Reader(t.Context(), endless{rng}))
			}
			var total int64
			buf := make([]byte, 1<<20)
			for total < 20*perSecond {
				n, err := readers[rng.IntN(len(readers))].Read(buf[:1+rng.IntN(len(buf))])
				if err != nil {
					t.Fatal(err)
				}
				total += int64(n)
				events = append(events, event{h.now, int64(n)})
				if rng.IntN(500) == 0 { // a pause earns nothing
					h.now = h.now.Add(time.Duration(rng.IntN(2000)) * time.Millisecond)
				}
			}
			for _, window := range []time.Duration{100 * time.Millisecond, time.Second, 7 * time.Second} {
				var sum int64
				first := 0
				for _, e := range events {
					sum += e.n
					for e.at.Sub(events[first].at) > window {
						sum -= events[first].n
						first++
					}
					if most := int64(window.Seconds()*float64(perSecond)) + int64(th.chunk) + 1; sum > most {
						t.Fatalf("%d octets in %v, at most %d are allowed", sum, window, most)
					}
				}
			}
			if h.now.Sub(start) < time.Duration(float64(total)/float64(perSecond)*0.99)*time.Second {
				t.Errorf("%d octets took only %v", total, h.now.Sub(start))
			}
		})
	}
}

// The whole rate is used when there is enough to read.
func TestRateIsUsed(t *testing.T) {
	t.Parallel()
	h := &hands{now: time.Unix(0, 0)}
	th := New(1_000_000, h.clock())
	n, err := io.CopyN(io.Discard, th.Reader(t.Context(), endless{rand.New(rand.NewPCG(1, 2))}), 10_000_000)
	if err != nil || n != 10_000_000 {
		t.Fatal(n, err)
	}
	if took := h.now.Sub(time.Unix(0, 0)); took < 9_900*time.Millisecond || took > 10_300*time.Millisecond {
		t.Errorf("10 MB at 1 MB/s took %v", took)
	}
}

// A connection that waits for its turn ends when it is closed.
func TestConnCloses(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{})
	th := New(1000, Clock{Sleep: func(ctx context.Context, d time.Duration) error {
		close(waiting)
		<-ctx.Done()
		return context.Cause(ctx)
	}})
	a, b := net.Pipe()
	go func() { _, _ = b.Write(make([]byte, 4000)) }()
	c := th.Conn(a)
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, c)
		done <- err
	}()
	<-waiting
	c.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read that waited ended with %v", err)
	}
	b.Close()
}

func TestNoBound(t *testing.T) {
	t.Parallel()
	th := New(0, Clock{})
	if r := th.Reader(t.Context(), endless{}); r != (endless{}) {
		t.Error("a reader without a bound is wrapped")
	}
	a, b := net.Pipe()
	defer b.Close()
	defer a.Close()
	if th.Conn(a) != a {
		t.Error("a connection without a bound is wrapped")
	}
}
