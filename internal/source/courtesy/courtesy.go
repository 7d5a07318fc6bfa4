package courtesy

import (
	"context"
	"fmt"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/hours"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/stopwatch"
	"mailhaul.org/mailhaul/internal/throttle"
)

// Bounds are what an administrator has set.
type Bounds struct {
	// Hours are those in which the source may be read.
	Hours hours.Hours
	// Latency is how long the source may take to answer; above it there are
	// pauses until the source has recovered. 0 means no bound.
	Latency time.Duration
	// Throttle bounds what is read, where the source does not do so itself; nil
	// means no bound.
	Throttle *throttle.Throttle
	// Now tells the time; nil means time.Now. Sleep waits, or returns early with
	// the context's cause; nil means real time.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Say tells the administrator why nothing happens; nil: nobody is told.
	Say func(text string)
}

// Courtesy keeps the bounds for all accounts of a run together. A nil Courtesy
// has none. It is safe for concurrent use.
type Courtesy struct {
	Bounds

	hours, slow stopwatch.Sum // what was waited for the hours, and in pauses

	mu      sync.Mutex
	pause   time.Duration // before each request, for as long as it is slow
	changes int           // of the pause
}

// New returns a Courtesy within these bounds.
func New(b Bounds) *Courtesy {
	if b.Now == nil {
		b.Now = time.Now
	}
	if b.Sleep == nil {
		b.Sleep = throttle.Sleep
	}
	if b.Say == nil {
		b.Say = func(string) {}
	}
	return &Courtesy{Bounds: b}
}

// maxPause bounds the pause before one request.
const maxPause = 30 * time.Second

// Ask waits until the source may be asked for something.
func (c *Courtesy) Ask(ctx context.Context) error {
	if c == nil {
		return nil
	}
	for {
		now := c.Now()
		d := c.Hours.Wait(now)
		if d == 0 {
			break
		}
		until := "15:04"
		if d >= 24*time.Hour {
			until = "Mon 15:04"
		}
		c.Say(fmt.Sprintf("paused until %s: the source is read %s only (limits.hours)", now.Add(d).Format(until), c.Hours))
		if err := c.sleep(ctx, d, &c.hours); err != nil {
			return err
		}
	}
	c.mu.Lock()
	d := c.pause
	c.mu.Unlock()
	if d == 0 {
		return ctx.Err()
	}
	return c.sleep(ctx, d, &c.slow)
}

// sleep waits and sums up how long.
func (c *Courtesy) sleep(ctx context.Context, d time.Duration, sum *stopwatch.Sum) error {
	stop := sum.Start(c.Now())
	defer func() { stop(c.Now()) }()
	return c.Sleep(ctx, d)
}

// Waited is how long all accounts together have waited within the bandwidth, for
// the hours, and in pauses because the source was slow, those included that still
// wait.
func (c *Courtesy) Waited() (bandwidth, hours, slow time.Duration) {
	if c == nil {
		return 0, 0, 0
	}
	now := c.Now()
	return c.Throttle.Waited(), c.hours.Total(now), c.slow.Total(now)
}

// Asking is Ask before something of which the source's health can be told. The
// function that it returns is called with each answer; the first tells how long
// the source took.
func (c *Courtesy) Asking(ctx context.Context) (answered func(), err error) {
	if c == nil {
		return func() {}, nil
	}
	if err := c.Ask(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	changes := c.changes
	c.mu.Unlock()
	asked, first := c.Now(), true
	return func() {
		if first {
			c.answered(c.Now().Sub(asked), changes)
		}
		first = false
	}, nil
}

// answered learns how long the source took. Above the bound the pause before
// each request grows to at least that time, which halves the load; below it,
// it shrinks again. Of several accounts that asked at once only the first answer
// counts: changes is how often the pause had been changed when it was asked, and
// what the other answers tell of is the same moment.
func (c *Courtesy) answered(took time.Duration, changes int) {
	if c.Latency <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if changes != c.changes {
		return
	}
	if took > c.Latency || c.pause > 0 {
		c.changes++
	}
	if took > c.Latency {
		if c.pause == 0 {
			c.Say(fmt.Sprintf("slowing down: the source took %s to answer", took.Round(time.Millisecond)))
		}
		c.pause = min(max(2*c.pause, took), maxPause)
		return
	}
	if c.pause /= 2; c.pause < c.Latency/8 {
		if c.pause > 0 {
			c.Say("full speed again")
		}
		c.pause = 0
	}
}

// Pay waits until whole content, which was read without Pace, fits within the
// bandwidth, unless the source sees to that itself.
func (c *Courtesy) Pay(ctx context.Context, content *source.Content) error {
	if c == nil || content.Paced {
		return nil
	}
	return c.Throttle.Pay(ctx, len(content.Whole))
}

// Pace returns content that is read no faster than the bandwidth, unless the
// source sees to that itself.
func (c *Courtesy) Pace(ctx context.Context, content *source.Content) *source.Content {
	if c == nil || c.Throttle == nil || content == nil || content.Paced {
		return content
	}
	paced := *content
	paced.Reader, paced.Whole, paced.Paced = c.Throttle.Reader(ctx, content.Reader), nil, true
	return &paced
}
