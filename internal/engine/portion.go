package engine

import (
	"context"
	"math"
)

// portion is what one account may use of the lanes to the destination. They are
// shared out by what each has left to load, so that all are through at the same
// time: the destination takes less from one account than from several, and a run
// should not end with the largest account alone.
type portion struct {
	left  float64 // see work
	known bool    // what is left; not while it is being listed
	lanes int
	read  bool // nothing of the account is read
}

// load gives a portion to an account that is being listed and will be read; loaded
// takes it back.
func (p *pace) load() *portion {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &portion{read: true}
	p.portions[c] = true
	p.share()
	p.readsOn(c)
	return c
}

// reads tells that an account is read again of which all was read.
func (p *pace) reads(c *portion) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readsOn(c)
}

func (p *pace) readsOn(c *portion) {
	if !c.read {
		return
	}
	c.read = false
	if p.reading++; p.reading == 1 && !p.still.IsZero() {
		p.stood += p.now().Sub(p.still)
	}
}

// hasRead tells that nothing more of the account is read, for now. It may be told
// again.
func (p *pace) hasRead(c *portion) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.read {
		return
	}
	c.read = true
	if p.reading--; p.reading == 0 {
		p.still = p.now()
	}
}

func (p *pace) loaded(c *portion) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.portions, c)
	p.share()
}

// expect tells what the account has to load.
func (p *pace) expect(c *portion, messages, octets int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.left, c.known = work(messages, octets), true
	p.share()
}

// share shares the lanes out, at least one to each account. One that is still
// being listed counts as much as the average of the others.
func (p *pace) share() {
	all, known := 0.0, 0
	for c := range p.portions {
		if c.known {
			all += c.left
			known++
		}
	}
	average := all / float64(max(known, 1))
	all += average * float64(len(p.portions)-known)
	more := false
	for c := range p.portions {
		lanes := lanesFor(len(p.portions))
		if all > 0 {
			left := average
			if c.known {
				left = c.left
			}
			lanes = min(max(int(math.Round(mostFirst*left/all)), 1), mostLanes)
		}
		more = more || lanes > c.lanes
		c.lanes = lanes
	}
	if more {
		close(p.shifted)
		p.shifted = make(chan struct{})
	}
}

// mayUse reports whether an account may use its n-th lane, from 0. Who uses
// more than its portion keeps the room that others' batches need.
func (p *pace) mayUse(c *portion, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return n < c.lanes
}

// open waits until an account may use its n-th lane or, with ended true,
// nothing more comes.
func (p *pace) open(ctx context.Context, c *portion, n int, end <-chan struct{}) (ended bool) {
	for {
		p.mu.Lock()
		shifted, may := p.shifted, n < c.lanes
		p.mu.Unlock()
		if may {
			return false
		}
		select {
		case <-shifted:
		case <-end:
			return true
		case <-ctx.Done():
			return true
		}
	}
}
