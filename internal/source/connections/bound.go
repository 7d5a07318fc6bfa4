package connections

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/inflight"
	"mailhaul.org/mailhaul/internal/stopwatch"
)

// Bound is shared by all who connect to the hosts of a source. Two names of one
// host are two hosts. It is safe for concurrent use.
type Bound struct {
	each int

	mu    sync.Mutex
	hosts map[string]*inflight.Bound
	idle  map[string]map[any]func() // by host and owner

	waited stopwatch.Sum
}

// New returns a bound of so many connections to each host, at least 1.
func New(each int) *Bound {
	return &Bound{each: each, hosts: map[string]*inflight.Bound{}, idle: map[string]map[any]func(){}}
}

// Idle has fn called while somebody waits for a place at a host: it closes the
// owner's connections that nobody uses at the moment.
func (b *Bound) Idle(host string, owner any, fn func()) {
	host = canonical(host)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.idle[host] == nil {
		b.idle[host] = map[any]func(){}
	}
	b.idle[host][owner] = fn
}

func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

func (b *Bound) host(name string) *inflight.Bound {
	name = canonical(name)
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hosts[name]
	if h == nil {
		h = inflight.New(b.each)
		b.hosts[name] = h
	}
	return h
}

// Try takes a place at a host if there is one. Whoever has one calls free, once
// the host has closed the connection, too: it counts them on its side.
func (b *Bound) Try(host string) (free func(), ok bool) {
	h := b.host(host)
	if !h.Try() {
		return nil, false
	}
	return sync.OnceFunc(h.Leave), true
}

// Waited is how long all together have waited for places, those included that still
// do.
func (b *Bound) Waited() time.Duration {
	if b == nil {
		return 0
	}
	return b.waited.Total(time.Now())
}

// lookAgain is how often those who may have become idle are asked.
const lookAgain = 20 * time.Millisecond

// Take waits for a place. Whoever waits must hold none at the same host: all
// might wait for one another. The error is the cause of the context's end.
func (b *Bound) Take(ctx context.Context, host string) (free func(), err error) {
	if free, ok := b.Try(host); ok {
		return free, nil
	}
	stop := b.waited.Start(time.Now())
	defer func() { stop(time.Now()) }()
	h := b.host(host)
	entered := make(chan error, 1)
	go func() { entered <- h.Enter(ctx) }()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		b.mu.Lock()
		idle := slices.Collect(maps.Values(b.idle[canonical(host)]))
		b.mu.Unlock()
		for _, fn := range idle {
			fn()
		}
		select {
		case err := <-entered:
			if err != nil {
				return nil, err
			}
			return sync.OnceFunc(h.Leave), nil
		case <-tick.C:
		}
	}
}
