package cli

import (
	"fmt"
	"sync/atomic"
	"time"

	"mailhaul.org/mailhaul/internal/plural"
)

// counter is the progress of what only counts messages: a line on stderr from
// time to time.
type counter struct {
	n     atomic.Int64
	quit  chan struct{}
	done  chan struct{}
	start time.Time
	app   *app
	verb  string
}

func (a *app) newCounter(verb string, accounts int) *counter {
	c := &counter{quit: make(chan struct{}), done: make(chan struct{}), start: a.now(), app: a, verb: verb}
	a.tell(plural.Count(accounts, "account"))
	go func() {
		defer close(c.done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.line()
			case <-c.quit:
				return
			}
		}
	}()
	return c
}

func (c *counter) add(n int64) { c.n.Add(n) }

func (c *counter) line() {
	n, d := c.n.Load(), c.app.now().Sub(c.start)
	s := plural.Count(n, "message") + " " + c.verb
	if d > time.Second {
		s += fmt.Sprintf(", %.0f/s", float64(n)/d.Seconds())
	}
	c.app.tell(s)
}

func (c *counter) stop() {
	close(c.quit)
	<-c.done
	c.line()
}
