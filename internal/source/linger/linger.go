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

// Dial connects.
func Dial(ctx context.Context, d *net.Dialer, addr string) (*Conn, error) {
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &Conn{TCPConn: c.(*net.TCPConn)}, nil
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
