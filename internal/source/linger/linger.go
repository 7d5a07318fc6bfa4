package linger

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// patience is how long the server may take to close.
	patience = 2 * time.Second
	// leftover is how much of an answer is still taken in.
	leftover = 64 << 10
)

// Conn is a TCP connection.
type Conn struct {
	*net.TCPConn
	once sync.Once
	err  error
}

// Dial connects. Where the context ends meanwhile the server may have taken the
// connection already: it is closed in order then, for which the server has two
// seconds to answer.
func Dial(ctx context.Context, d *net.Dialer, addr string) (*Conn, error) {
	dialing, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(patience, giveUp) })
	defer stop()
	tcp, err := d.DialContext(dialing, "tcp", addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	c := &Conn{TCPConn: tcp.(*net.TCPConn)}
	if ctx.Err() != nil {
		_ = c.Close()
		return nil, context.Cause(ctx)
	}
	return c, nil
}

// Close ends our side, then waits for the server to end its own, at most two
// seconds and not through a long answer.
func (c *Conn) Close() error {
	c.once.Do(func() {
		limit := time.AfterFunc(patience, func() { _ = c.TCPConn.Close() })
		defer limit.Stop()
		if c.CloseWrite() == nil {
			_, _ = io.CopyN(io.Discard, c.TCPConn, leftover)
		}
		c.err = c.TCPConn.Close()
	})
	return c.err
}

// Abort closes at once.
func (c *Conn) Abort() error { return c.TCPConn.Close() }
