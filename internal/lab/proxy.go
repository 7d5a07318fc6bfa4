package lab

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// Proxy passes TCP connections on to a server and cuts them where it is told.
type Proxy struct {
	// Addr is where it listens, "127.0.0.1:port".
	Addr string
	// Answer and Request are after how many octets from and to the server
	// each connection is cut; 0 means never. They may be set at any time.
	Answer, Request atomic.Int64
	// Cuts counts the connections that were cut.
	Cuts atomic.Int64
	// Turns counts how often a client spoke after the server had: the round
	// trips, where there is one connection.
	Turns atomic.Int64

	answered atomic.Bool // the server spoke last
}

// StartProxy starts a proxy for the server at addr and stops it when the test
// ends.
func StartProxy(t testing.TB, addr string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &Proxy{Addr: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c, addr)
		}
	}()
	return p
}

func (p *Proxy) serve(client net.Conn, addr string) {
	defer client.Close()
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		p.pass(server, client, &p.Request)
		server.Close()
		client.Close()
	}()
	p.pass(client, server, &p.Answer)
}

// pass copies until the end, or for as many octets as the limit says from the
// moment that it is set.
func (p *Proxy) pass(to io.Writer, from io.Reader, limit *atomic.Int64) {
	buf := make([]byte, 16<<10)
	passed := int64(0)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if limit == &p.Answer {
				p.answered.Store(true)
			} else if p.answered.Swap(false) {
				p.Turns.Add(1)
			}
		}
		if l := limit.Load(); l <= 0 {
			passed = 0
		} else if passed += int64(n); passed > l {
			_, _ = to.Write(buf[:int64(n)-(passed-l)])
			p.Cuts.Add(1)
			return
		}
		if _, werr := to.Write(buf[:n]); werr != nil || err != nil {
			return
		}
	}
}
