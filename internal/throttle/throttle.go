package throttle

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// Throttle bounds octets per second. In any span of time it lets pass what the
// rate allows and one chunk more, a hundredth of a second's octets: an idle
// while earns no burst. A nil Throttle bounds nothing. It is safe for
// concurrent use.
type Throttle struct {
	perSecond int64
	chunk     int
	clock     Clock

	mu     sync.Mutex
	next   time.Time // when what was granted so far is paid for
	waited time.Duration
}

// Clock tells the time and waits; nil functions mean real time.
type Clock struct {
	Now func() time.Time
	// Sleep waits, or returns early with the context's cause.
	Sleep func(ctx context.Context, d time.Duration) error
}

const (
	minChunk = 512
	maxChunk = 64 << 10
)

// New returns a Throttle of this many octets per second, or nil if that is not
// positive.
func New(perSecond int64, clock Clock) *Throttle {
	if perSecond <= 0 {
		return nil
	}
	if clock.Now == nil {
		clock.Now = time.Now
	}
	if clock.Sleep == nil {
		clock.Sleep = Sleep
	}
	return &Throttle{perSecond: perSecond, chunk: int(min(max(perSecond/100, minChunk), maxChunk)), clock: clock}
}

// Sleep waits, or returns early with the context's cause.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *Throttle) cost(n int) time.Duration {
	return time.Duration(float64(n) / float64(t.perSecond) * float64(time.Second))
}

// take waits until n octets may be read.
func (t *Throttle) take(ctx context.Context, n int) error {
	t.mu.Lock()
	now := t.clock.Now()
	at := t.next
	if at.Before(now) {
		at = now
	}
	t.next = at.Add(t.cost(n))
	d := at.Sub(now)
	t.waited += d
	t.mu.Unlock()
	if d > 0 {
		return t.clock.Sleep(ctx, d)
	}
	return nil
}

// Waited is how long all who read have waited in all.
func (t *Throttle) Waited() time.Duration {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waited
}

// giveBack returns what was taken and not read.
func (t *Throttle) giveBack(n int) {
	if n <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next = t.next.Add(-t.cost(n))
}

// read reads at most one chunk.
func (t *Throttle) read(ctx context.Context, r io.Reader, p []byte) (int, error) {
	p = p[:min(len(p), t.chunk)]
	if err := t.take(ctx, len(p)); err != nil {
		return 0, err
	}
	n, err := r.Read(p)
	t.giveBack(len(p) - n)
	return n, err
}

// Pay waits until n octets may be taken that are there already.
func (t *Throttle) Pay(ctx context.Context, n int) error {
	for t != nil && n > 0 {
		part := min(n, t.chunk)
		if err := t.take(ctx, part); err != nil {
			return err
		}
		n -= part
	}
	return nil
}

// Reader returns r, read no faster than the rate.
func (t *Throttle) Reader(ctx context.Context, r io.Reader) io.Reader {
	if t == nil {
		return r
	}
	return readerFunc(func(p []byte) (int, error) { return t.read(ctx, r, p) })
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Conn returns c, read no faster than the rate; what is written is not
// counted. The system is told to receive little ahead.
func (t *Throttle) Conn(c net.Conn) net.Conn {
	if t == nil {
		return c
	}
	if tcp, ok := c.(interface{ SetReadBuffer(octets int) error }); ok {
		// A tenth of a second's octets let a connection with a round trip of
		// 100 ms have the whole rate.
		_ = tcp.SetReadBuffer(int(min(max(t.perSecond/10, 16<<10), 4<<20)))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	return &conn{Conn: c, t: t, ctx: ctx, cancel: cancel}
}

type conn struct {
	net.Conn
	t      *Throttle
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) { return c.t.read(c.ctx, c.Conn, p) }

// Close implements net.Conn; it ends a Read that waits.
func (c *conn) Close() error {
	c.cancel(net.ErrClosed)
	return c.Conn.Close()
}
