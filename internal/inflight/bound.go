package inflight

import (
	"context"
	"sync"
)

// Bound lets a number of holders in at a time. Its methods may be called
// concurrently. Those who wait are let in in order of arrival.
type Bound struct {
	mu      sync.Mutex
	limit   int
	inside  int
	waiting []chan struct{}
}

// New returns a bound of n holders, at least 1.
func New(n int) *Bound { return &Bound{limit: max(n, 1)} }

// Enter waits for a place. The error is the cause of the context's end.
func (b *Bound) Enter(ctx context.Context) error {
	if b.Try() {
		return nil
	}
	b.mu.Lock()
	turn := make(chan struct{})
	b.waiting = append(b.waiting, turn)
	b.admit()
	b.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, w := range b.waiting {
		if w == turn {
			b.waiting = append(b.waiting[:i], b.waiting[i+1:]...)
			return context.Cause(ctx)
		}
	}
	// The place was given at the same moment: pass it on.
	b.inside--
	b.admit()
	return context.Cause(ctx)
}

// Try takes a place if one is free and nobody waits for it.
func (b *Bound) Try() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inside >= b.limit || len(b.waiting) > 0 {
		return false
	}
	b.inside++
	return true
}

// Leave gives a place back.
func (b *Bound) Leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inside--
	b.admit()
}

// Limit is how many may be inside.
func (b *Bound) Limit() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit
}

// Set changes how many may be inside, at least 1. Those who are inside already
// stay.
func (b *Bound) Set(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = max(n, 1)
	b.admit()
}

func (b *Bound) admit() {
	for b.inside < b.limit && len(b.waiting) > 0 {
		close(b.waiting[0])
		b.waiting = b.waiting[1:]
		b.inside++
	}
}
