package engine

import (
	"context"
	"sync"
	"sync/atomic"
)

// importLanes is how many imports of one account are in flight: the server
// stores one while it takes in the other. Batches leave in order; those of two
// lanes may land in either, so that UIDs at the destination rise with time
// but for neighbours.
const importLanes = 2

// freshEvery is how many imports share one email state. The fewer, the less
// has to be looked through to settle; each new state waits for the lanes.
const freshEvery = 40

// airspace is what imports in flight at once have in common: the destination's
// email state from before all of them, which the ledger keeps as long as any
// is in doubt. To settle one the others must have landed: an email that an
// unconfirmed import has stored could be taken for one of the doubtful.
type airspace struct {
	sync.RWMutex        // held for reading by an import from intent to confirmation
	state        string // written under the lock
	started      atomic.Int64
}

// enter begins an import. Now and then it waits until the air is clear, for a
// new state.
func (r *run) enter(ctx context.Context) error {
	if r.air.started.Add(1)%freshEvery == 0 {
		r.air.Lock()
		state, err := r.dst.State(ctx)
		if err == nil {
			r.air.state = state
		}
		r.air.Unlock()
		if err != nil {
			return err
		}
	}
	r.air.RLock()
	return nil
}
