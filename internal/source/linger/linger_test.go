package linger_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"

	"mailhaul.org/mailhaul/internal/source/linger"
)

// dial connects to a server that does with its side what serve does.
func dial(t *testing.T, serve func(net.Conn)) *linger.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err == nil {
			serve(c)
			c.Close()
		}
	}()
	c, err := linger.Dial(t.Context(), &net.Dialer{}, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Close returns when the server has learned of it and closed.
func TestCloseWaitsForTheServer(t *testing.T) {
	t.Parallel()
	var done atomic.Bool
	c := dial(t, func(c net.Conn) {
		_, _ = io.Copy(io.Discard, c) // until our side has ended
		_, _ = io.WriteString(c, "* BYE\r\n")
		done.Store(true)
	})
	if _, err := io.WriteString(c, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if !done.Load() {
		t.Error("it did not wait for the server")
	}
	if err := c.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// A server that goes on and on is not listened to for long.
func TestCloseEndsALongAnswer(t *testing.T) {
	t.Parallel()
	sent := make(chan int64)
	c := dial(t, func(c net.Conn) {
		n := int64(0)
		for buf := make([]byte, 32<<10); ; {
			m, err := c.Write(buf)
			if n += int64(m); err != nil {
				sent <- n
				return
			}
		}
	})
	c.Close()
	if n := <-sent; n > 64<<20 {
		t.Errorf("the server sent %d octets more", n)
	}
}

// Abort ends a read that waits.
func TestAbort(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	defer close(hold)
	c := dial(t, func(net.Conn) { <-hold })
	ended := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}()
	if err := c.Abort(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the read did not end")
	}
}

// A connection that is given up while it is made has been closed by the server,
// too, when Dial returns.
func TestDialIsGivenUp(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var done atomic.Bool
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, c)
		done.Store(true)
		c.Close()
	}()
	ctx, giveUp := context.WithCancel(t.Context())
	d := &net.Dialer{Control: func(string, string, syscall.RawConn) error { giveUp(); return nil }}
	if c, err := linger.Dial(ctx, d, l.Addr().String()); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, %v", c, err)
	}
	if !done.Load() {
		t.Error("the server still has the connection")
	}
}
