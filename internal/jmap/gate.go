package jmap

import (
	"context"
	"sync"

	"mailhaul.org/mailhaul/internal/inflight"
)

// gate bounds what is in flight, and learns: a server that refuses a request
// because there are too many gets fewer, until it has taken enough of them.
// What a session announces can be out of date, and other clients may share it.
type gate struct {
	*inflight.Bound
	most int

	mu    sync.Mutex
	epoch int // counts reductions
	good  int // requests that were taken since
}

// patience is how many requests in flight of a full gate are taken before one
// more is tried.
const patience = 16

func newGate(n int) *gate {
	n = max(1, min(n, 256))
	return &gate{Bound: inflight.New(n), most: n}
}

// enter waits for a place and returns what answer wants to know.
func (g *gate) enter(ctx context.Context) (epoch int, err error) {
	if err := g.Enter(ctx); err != nil {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.epoch, nil
}

// answered takes notice of what became of a request. Of many that were refused
// at once only the first counts: the others were under way before.
func (g *gate) answered(epoch int, tooMany bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	limit := g.Limit()
	switch {
	case tooMany && epoch == g.epoch:
		g.epoch++
		g.good = 0
		g.Set(max(1, limit*3/4))
	case !tooMany && limit < g.most:
		if g.good++; g.good >= patience*limit {
			g.good = 0
			g.Set(limit + 1)
		}
	}
}
