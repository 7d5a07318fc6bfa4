package engine

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Hours is the part of every day in which the source may be read, in local
// time. From after To means over midnight; the zero value means always.
type Hours struct{ From, To time.Duration } // since midnight

// String is "20:00-06:00", or "" for always.
func (h Hours) String() string {
	if h == (Hours{}) {
		return ""
	}
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60) }
	return clock(h.From) + "-" + clock(h.To)
}

// wait returns how long it is until the hours begin; 0 within them. They are
// those of the wall clock: a moment that it skips when it is put forward is in
// no hours, and one that it repeats when it is put back is in them twice.
func (h Hours) wait(now time.Time) time.Duration {
	if h == (Hours{}) || h.contain(now) {
		return 0
	}
	y, m, d := now.Date()
	for days := 0; ; days++ {
		from := time.Date(y, m, d+days, 0, int(h.From.Minutes()), 0, 0, now.Location())
		if from.After(now) && (h.contain(from) || days > 2) {
			return from.Sub(now)
		}
	}
}

func (h Hours) contain(t time.Time) bool {
	since := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	if h.From < h.To {
		return h.From <= since && since < h.To
	}
	return since >= h.From || since < h.To
}

// courtesy keeps the source's bounds: it is somebody's production server. All
// accounts of a run share it.
type courtesy struct {
	hours   Hours
	latency time.Duration // the bound; 0: none
	now     func() time.Time
	sleep   func(context.Context, time.Duration) error
	say     func(text string)

	mu    sync.Mutex
	pause time.Duration // before each request, for as long as it is slow
}

// maxCourtesy bounds the pause before one request.
const maxCourtesy = 30 * time.Second

// ask waits until the source may be asked for something.
func (c *courtesy) ask(ctx context.Context) error {
	for {
		d := c.hours.wait(c.now())
		if d == 0 {
			break
		}
		c.say(fmt.Sprintf("paused until %s: the source is read %s only", c.now().Add(d).Format("15:04"), c.hours))
		if err := c.sleep(ctx, d); err != nil {
			return err
		}
	}
	c.mu.Lock()
	d := c.pause
	c.mu.Unlock()
	if d == 0 {
		return ctx.Err()
	}
	return c.sleep(ctx, d)
}

// answered learns how long the source took. Above the bound the pause before
// each request grows to at least that time, which halves the load; below it,
// it shrinks again.
func (c *courtesy) answered(took time.Duration) {
	if c.latency <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if took > c.latency {
		if c.pause == 0 {
			c.say(fmt.Sprintf("slowing down: the source took %s to answer", took.Round(time.Millisecond)))
		}
		c.pause = min(max(2*c.pause, took), maxCourtesy)
		return
	}
	if c.pause /= 2; c.pause < c.latency/8 {
		if c.pause > 0 {
			c.say("full speed again")
		}
		c.pause = 0
	}
}

// asking waits until the source may be asked for something. The function that it
// returns is called with each answer; the first tells how long the source took.
func (r *run) asking(ctx context.Context) (answered func(), err error) {
	if err := r.courtesy.ask(ctx); err != nil {
		return nil, err
	}
	asked, first := r.Now(), true
	return func() {
		if first {
			r.courtesy.answered(r.Now().Sub(asked))
		}
		first = false
	}, nil
}
