package linger_test

import (
	"io"
	"net"
	"sync/atomic"
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
