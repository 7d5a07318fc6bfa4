package engine

import (
	"context"
	"sync"
)

// freshEvery is how many imports share one email state. The fewer, the less
// has to be looked through to settle one.
const freshEvery = 40

// unconfirmed is what imports in flight at once have in common. To settle one the
// others must be through: an email that an unconfirmed import has stored could
// be taken for one of the doubtful. The ledger keeps one email state of the
// destination as long as anything is in doubt; it must be from before all of
// that. So imports belong to generations, each with a state from before it, and
// the oldest that is still in flight gives the state that is kept.
type unconfirmed struct {
	sync.RWMutex // held for reading by an import from intent to confirmation

	mu          sync.Mutex
	begun       int
	generations []*generation // oldest first; the last one takes new imports
}

type generation struct {
	state    string
	inFlight int
}

// open starts with the state before all imports.
func (a *unconfirmed) open(state string) {
	a.generations = []*generation{{state: state}}
}

// enter begins an import, with a new generation now and then.
func (r *run) enter(ctx context.Context) (*generation, error) {
	a := &r.unconfirmed
	a.mu.Lock()
	a.begun++
	fresh := a.begun%freshEvery == 0
	a.mu.Unlock()
	if fresh {
		state, err := r.dst.State(ctx)
		if err != nil {
			return nil, err
		}
		a.mu.Lock()
		a.generations = append(a.generations, &generation{state: state})
		a.mu.Unlock()
	}
	a.RLock()
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.generations[len(a.generations)-1]
	g.inFlight++
	return g, nil
}

// left tells that an import of the generation is confirmed, or certainly
// without effect.
func (a *unconfirmed) left(g *generation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g.inFlight--
	for len(a.generations) > 1 && a.generations[0].inFlight == 0 {
		a.generations = a.generations[1:]
	}
}

// oldest is the state from before everything that is in flight.
func (a *unconfirmed) oldest() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.generations[0].state
}
