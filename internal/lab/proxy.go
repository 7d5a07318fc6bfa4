package lab

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy passes TCP connections on to a server and harms them as it is told.
type Proxy struct {
	// Addr is where it listens, "127.0.0.1:port".
	Addr string
	// Answer and Request are after how many octets from and to the server
	// each connection is cut; 0 means never. What came before is passed on:
	// the answer or the request is truncated. They may be set at any time.
	Answer, Request atomic.Int64
	// Reset cuts with RST, by which the other side loses even what it had not
	// read yet, instead of FIN.
	Reset atomic.Bool
	// Delay holds back each piece from the server, in nanoseconds.
	Delay atomic.Int64
	// Cuts counts the connections that were cut.
	Cuts atomic.Int64
	// Sent counts the octets that were passed on to the server.
	Sent atomic.Int64
	// Turns counts how often a client spoke after the server had: the round
	// trips, where there is one connection.
	Turns atomic.Int64

	// Connections counts those that pass.
	Connections *Connections

	answered atomic.Bool // the server spoke last
	mu       sync.Mutex
	server   string
	open     map[*link]bool
}

// link is one connection on both sides.
type link struct{ client, server net.Conn }

// Connections counts connections as a server sees them: from the time that one
// is made until the server has closed it.
type Connections struct{ open, peak, all atomic.Int64 }

// Peak is how many there were at once at most.
func (c *Connections) Peak() int64 { return c.peak.Load() }

// All is how many connections there were.
func (c *Connections) All() int64 { return c.all.Load() }

func (c *Connections) enter() {
	c.all.Add(1)
	n := c.open.Add(1)
	for {
		peak := c.peak.Load()
		if n <= peak || c.peak.CompareAndSwap(peak, n) {
			return
		}
	}
}

// StartProxy starts a proxy for the server at addr and stops it when the test
// ends. Proxies that are given the same Connections count together.
func StartProxy(t testing.TB, addr string, with ...*Connections) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &Proxy{Addr: l.Addr().String(), server: addr, open: map[*link]bool{}, Connections: &Connections{}}
	for _, c := range with {
		p.Connections = c
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

// To sends new connections to another address; the empty one takes none, as a
// server that is down does.
func (p *Proxy) To(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = addr
}

// CutAll cuts every connection there is.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		p.cut(c)
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	addr := p.server
	p.mu.Unlock()
	if addr == "" {
		return
	}
	p.Connections.enter()
	defer p.Connections.open.Add(-1)
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	c := &link{client, server}
	p.mu.Lock()
	p.open[c] = true
	p.mu.Unlock()
	defer func() {
		server.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, c)
	}()
	go func() {
		p.pass(c, server, client, &p.Request)
		server.Close() // the client learns of it when it is counted no more
	}()
	p.pass(c, client, server, &p.Answer)
}

// cut ends both sides.
func (p *Proxy) cut(c *link) {
	for _, side := range []net.Conn{c.client, c.server} {
		if tcp, ok := side.(*net.TCPConn); ok && p.Reset.Load() {
			_ = tcp.SetLinger(0)
		}
		side.Close()
	}
	p.Cuts.Add(1)
}

// pass copies until the end, or for as many octets as the limit says from the
// moment that it is set.
func (p *Proxy) pass(c *link, to, from net.Conn, limit *atomic.Int64) {
	buf := make([]byte, 16<<10)
	passed := int64(0)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if limit == &p.Answer {
				if d := time.Duration(p.Delay.Load()); d > 0 {
					time.Sleep(d)
				}
				p.answered.Store(true)
			} else {
				p.Sent.Add(int64(n))
				if p.answered.Swap(false) {
					p.Turns.Add(1)
				}
			}
		}
		if l := limit.Load(); l <= 0 {
			passed = 0
		} else if passed += int64(n); passed > l {
			_, _ = to.Write(buf[:max(0, int64(n)-(passed-l))])
			p.cut(c)
			return
		}
		if _, werr := to.Write(buf[:n]); werr != nil || err != nil {
			return
		}
	}
}
