package engine

import "context"

// places are for the accounts that move at once. An account of which all mail
// is read, and that only waits for the destination to take the rest, hands its
// place on: the next one is listed meanwhile, and the destination is never
// without work between two. Of small accounts there may be two on their way out
// for each place.
type places struct {
	moving, leaving chan struct{}
}

func newPlaces(n int) *places {
	return &places{moving: make(chan struct{}, n), leaving: make(chan struct{}, 2*n)}
}

// take waits for a place; nil when ctx ends first.
func (p *places) take(ctx context.Context) *place {
	select {
	case p.moving <- struct{}{}:
		return &place{of: p, held: p.moving}
	case <-ctx.Done():
		return nil
	}
}

// place is one account's. One goroutine uses it at a time.
type place struct {
	of   *places
	held chan struct{}
}

// handOn lets the next account begin, if there is room on the way out.
func (p *place) handOn() {
	if p.held == p.of.leaving {
		return
	}
	select {
	case p.of.leaving <- struct{}{}:
		<-p.held
		p.held = p.of.leaving
	default:
	}
}

// leave ends the use of the place, wherever the account stands.
func (p *place) leave() { <-p.held }
