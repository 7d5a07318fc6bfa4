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
	reading  int           // accounts, those that are being listed for it, too
	still    time.Time     // since when nobody reads
	stood    time.Duration // how long nobody did
	climb    hillClimber
	began    time.Time     // of the first exchange
	started  time.Time     // of the window
	first    usage         // when the first exchange began
	last     usage         // at the end of the last window
	moved    float64       // in the window
	stoodAt  time.Duration // when the window began
	waited   map[string]time.Duration
	total    Pace
	objects  objectPace
}

// Pace says how a run went along, and which side it waited for.
type Pace struct {
	// Source is the time that accounts spent reading, Destination the time that
	// they had read enough, or all while nobody else was reading, and waited for
	// the destination to take it.
	Source      time.Duration `json:"source_ns"`
	Destination time.Duration `json:"destination_ns"`
	// Limited is the time that limits cost. That of the bandwidth is part of
	// Source.
	Limited Limited `json:"limited"`
	// Exchange is the time that lanes spent in requests to the destination,
	// Ledger the time that they waited for the ledger, and so for this machine's
	// disk.
	Exchange time.Duration `json:"exchange_ns"`
	Ledger   time.Duration `json:"ledger_ns"`
	// Processor is the part of this machine's processors that mailhaul used
	// itself, from 0 to 1, Machine the part that anybody used; 0 where the system
	// does not tell.
	Processor float64 `json:"processor"`
	Machine   float64 `json:"machine"`
	// Bound is the Bottleneck.
	Bound Bottleneck `json:"bottleneck"`
	// InFlight and Batch are the exchanges of all accounts under way at once and
	// the messages of each, at most, at the end.
	InFlight int `json:"in_flight"`
	Batch    int `json:"batch"`
	// Messages and Octets were confirmed within Elapsed, which begins with the
	// first exchange. Objects of calendars, address books and files were beside
	// them; Octets and Elapsed are theirs where there were no messages.
	Messages int64         `json:"messages"`
	Objects  int64         `json:"objects"`
	Octets   int64         `json:"octets"`
	Elapsed  time.Duration `json:"elapsed_ns"`
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
	p.climb = hillClimber{rest: firstRest, moves: []move{
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

// stoodStill is for how long in all nobody has read. What accounts do meanwhile is
// to wait for the destination; while somebody reads it costs nothing.
func (p *pace) stoodStill() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stillness()
}

func (p *pace) stillness() time.Duration {
	if p.reading == 0 && !p.still.IsZero() {
		return p.stood + p.now().Sub(p.still)
	}
	return p.stood
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
		if p.first.at.IsZero() {
			p.first = used(p.began)
		}
	}
	return nil
}

func (p *pace) end() { p.flight.Leave() }

// waiting notes how long one account was busy with a side.
func (p *pace) waiting(side string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waited[side] += d
	p.total.took(side, d)
}

func (p *Pace) took(side string, d time.Duration) {
	if side == sideSource {
		p.Source += d
	} else {
		p.Destination += d
	}
}

// spent notes how long a lane was in a request, or waited for the ledger.
func (p *pace) spent(exchange, ledger time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total.Exchange += exchange
	p.total.Ledger += ledger
}

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
	stood := p.stillness()
	if p.waited[sideDestination]+stood-p.stoodAt > p.waited[sideSource] {
		p.climb.judge(p.moved / took.Seconds())
		p.flight.Set(p.climb.knobs[flightKnob].now)
	}
	p.started, p.moved, p.last, p.stoodAt = now, 0, used(now), stood
	clear(p.waited)
}

// work is what it takes to store messages, about: each costs the server as much
// as 16 KiB of any.
func work(messages, octets int64) float64 { return float64(messages) + float64(octets)/(16<<10) }

// soFar is what is known of the run, given the time that limits cost.
func (p *pace) soFar(limited Limited) Pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.total
	if t.Messages == 0 {
		t.Octets, t.Elapsed = p.objects.octets, p.objects.elapsed
	}
	t.InFlight, t.Batch = p.climb.knobs[flightKnob].now, p.climb.knobs[itemsKnob].now
	t.Limited = limited
	t.Processor, t.Machine = p.last.since(p.first)
	return t
}

// result is what is told of the run at its end.
func (p *pace) result(limited Limited) Pace {
	t := p.soFar(limited)
	t.Bound = t.Bottleneck()
	return t
}
