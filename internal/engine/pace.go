package engine

import (
	"context"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/inflight"
)

const (
	// firstFlight and firstItems are where a run of one account begins: what
	// has been the best for messages of 20 KB on two cores. Several accounts
	// begin with two in flight each, all together with mostFirst at most.
	firstFlight = 4
	mostFirst   = 16
	firstItems  = 125
	// leastItems is the smallest batch that is tried where octets do not bound
	// it: every request costs the server something that grows with the mailbox.
	leastItems = 50
	// mostLanes is how many exchanges of one account are in flight at most.
	mostLanes = 4
	// paceWindow is how long the rate is measured before it is judged.
	paceWindow = 1500 * time.Millisecond
)

// pace is the shape of the load on the destination, found by measurement: how
// many exchanges of all accounts are in flight, and how many messages one
// carries. All accounts of a run share it.
type pace struct {
	flight *inflight.Bound
	now    func() time.Time
	lanes  int // of one account, while all others load as much

	mostInFlight int // exchanges of all accounts

	mu       sync.Mutex
	portions map[*portion]bool
	shifted  chan struct{} // closed when an account may use another lane
	climb    climber
	began    time.Time // of the first exchange
	started  time.Time // of the window
	moved    float64   // in the window
	waited   map[string]time.Duration
	total    Pace
}

// Pace says how a run went along, and which side it waited for.
type Pace struct {
	// Source is the time that accounts spent reading, Destination the time that
	// they had read enough and waited for the destination to take it.
	Source      time.Duration `json:"source_ns"`
	Destination time.Duration `json:"destination_ns"`
	// InFlight and Batch are the exchanges of all accounts under way at once and
	// the messages of each, at most, at the end.
	InFlight int `json:"in_flight"`
	Batch    int `json:"batch"`
	// Messages and Octets were confirmed within Elapsed, which begins with the
	// first exchange.
	Messages int64         `json:"messages"`
	Octets   int64         `json:"octets"`
	Elapsed  time.Duration `json:"elapsed_ns"`
}

// Bottleneck is the side that the run waited for, "source" or "destination",
// and the share of the time that it did; "" when there was too little to tell.
// The other side could have done more.
func (p Pace) Bottleneck() (side string, share float64) {
	all := p.Source + p.Destination
	if all < time.Second || p.Messages == 0 {
		return "", 0
	}
	if share = float64(p.Destination) / float64(all); share > 0.5 {
		return sideDestination, share
	}
	return sideSource, 1 - share
}

// newPace bounds what is in flight by what the accounts of a run may hold. It
// begins with batches of first messages; items is the most.
func newPace(accounts, first, items int, now func() time.Time) *pace {
	if items <= 0 {
		items = first
	}
	p := &pace{now: now, portions: map[*portion]bool{}, shifted: make(chan struct{}), waited: map[string]time.Duration{}}
	p.lanes = lanesFor(accounts)
	p.mostInFlight = p.lanes * accounts
	p.climb = climber{rest: firstRest, moves: []move{
		{of: flightKnob, up: true}, {of: itemsKnob, up: true}, {of: flightKnob}, {of: itemsKnob},
	}}
	p.climb.knobs[flightKnob] = knob{now: min(max(firstFlight, min(2*accounts, mostFirst)), p.mostInFlight), least: 1, most: p.mostInFlight}
	p.climb.knobs[itemsKnob] = knob{now: min(first, items), least: min(leastItems, items), most: items}
	p.flight = inflight.New(p.climb.knobs[flightKnob].now)
	return p
}

// lanesFor is how many lanes each of so many accounts has that have equally
// much to load.
func lanesFor(accounts int) int {
	return min(max(mostFirst/max(accounts, 1), 1), mostLanes)
}

// batchItems is how many messages the next batch may hold.
func (p *pace) batchItems() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.climb.knobs[itemsKnob].now
}

// begin waits for a place among the exchanges in flight; end gives it back.
func (p *pace) begin(ctx context.Context) error {
	if err := p.flight.Enter(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began.IsZero() {
		p.began = p.now()
		p.started = p.began
	}
	return nil
}

func (p *pace) end() { p.flight.Leave() }

// waiting notes how long one account was busy with a side.
func (p *pace) waiting(side string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waited[side] += d
	if side == sideSource {
		p.total.Source += d
	} else {
		p.total.Destination += d
	}
}

// The two sides of a run, as Progress.Waiting names them.
const (
	sideSource      = "source"
	sideDestination = "destination"
)

// stored notes what the destination has confirmed and, at the end of a window,
// judges the shape. Where the source is what a run waits for, no shape can be
// told from another, and it stays.
func (p *pace) stored(c *portion, messages, octets int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.left = max(c.left-work(messages, octets), 0)
	p.share()
	now := p.now()
	p.total.Messages += messages
	p.total.Octets += octets
	p.total.Elapsed = now.Sub(p.began)
	p.moved += work(messages, octets)
	took := now.Sub(p.started)
	if took < paceWindow {
		return
	}
	if p.waited[sideDestination] > p.waited[sideSource] {
		p.climb.judge(p.moved / took.Seconds())
		p.flight.Set(p.climb.knobs[flightKnob].now)
	}
	p.started, p.moved = now, 0
	clear(p.waited)
}

// work is what it takes to store messages, about: each costs the server as much
// as 16 KiB of any.
func work(messages, octets int64) float64 { return float64(messages) + float64(octets)/(16<<10) }

// result is what is told of the run.
func (p *pace) result() Pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.total
	t.InFlight, t.Batch = p.climb.knobs[flightKnob].now, p.climb.knobs[itemsKnob].now
	return t
}
