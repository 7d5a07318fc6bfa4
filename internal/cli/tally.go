package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize"

	"mailhaul.org/mailhaul/internal/engine"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// tally sums a run's progress. It may be used concurrently.
type tally struct {
	mu             sync.Mutex
	now            func() time.Time
	start          time.Time
	accounts, done int
	started        int
	messages       int64 // moved
	octets         int64
	plannedN       int64 // announced by accounts that have started
	planned        int64
	bound          func() engine.Bottleneck // of late
	recent         []point                  // of the last window, for the rate
}

// point is what had been moved at a time.
type point struct {
	at       time.Time
	messages int64
	octets   int64
}

// window is how far back the shown rate looks.
const window = 15 * time.Second

func newTally(accounts int, now func() time.Time) *tally {
	return &tally{now: now, start: now(), accounts: accounts, bound: func() engine.Bottleneck { return engine.Bottleneck{} }}
}

func (t *tally) announce(messages, octets int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started++
	t.plannedN += messages
	t.planned += octets
}

func (t *tally) moved(messages, octets int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.messages += messages
	t.octets += octets
	now := t.now()
	t.recent = append(t.recent, point{now, t.messages, t.octets})
	for len(t.recent) > 2 && now.Sub(t.recent[0].at) > window {
		t.recent = t.recent[1:]
	}
}

func (t *tally) finished() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
}

// Watch is a method of engine.Progress.
func (t *tally) Watch(bottleneck func() engine.Bottleneck) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bound = bottleneck
}

// line describes the run as a whole: accounts, messages, bytes, rate, time
// left and what it waits for.
func (t *tally) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := fmt.Sprintf("%d of %s, %s, %s", t.done, plural.Count(t.accounts, "account"), plural.Count(t.messages, "message"), humanize.IBytes(uint64(t.octets)))
	n, o := t.rate()
	if n > 0 {
		s += fmt.Sprintf(", %.0f/s, %s/s", n, humanize.IBytes(uint64(o)))
	}
	if left := t.left(n, o); left > 0 {
		s += ", " + left.Round(time.Second).String() + " left"
	}
	if b := t.bound().String(); b != "" {
		s += ", waiting for " + b
	}
	return s
}

// rate is messages and octets per second of late.
func (t *tally) rate() (messages, octets float64) {
	if len(t.recent) == 0 {
		return 0, 0
	}
	from := point{at: t.start}
	if len(t.recent) > 2 && t.recent[0].at.After(t.start) {
		from = t.recent[0]
	}
	d := t.now().Sub(from.at).Seconds()
	if d <= 0 {
		return 0, 0
	}
	return float64(t.messages-from.messages) / d, float64(t.octets-from.octets) / d
}

// left estimates the time to the end from octets or, where the source tells
// none, messages; accounts that have not started count as the average of
// those that have.
func (t *tally) left(messages, octets float64) time.Duration {
	if t.started == 0 {
		return 0
	}
	scale := float64(t.accounts) / float64(t.started)
	seconds := 0.0
	switch {
	case t.planned >= t.octets && t.planned > 0 && octets > 0:
		seconds = (float64(t.planned)*scale - float64(t.octets)) / octets
	case t.plannedN > 0 && messages > 0:
		seconds = (float64(t.plannedN)*scale - float64(t.messages)) / messages
	}
	return time.Duration(max(seconds, 0) * float64(time.Second))
}

// describe is the line for an account that is through.
func describe(r engine.AccountResult) string {
	c, o := r.Counts, r.Counts.Objects
	s := fmt.Sprintf("%s: %s", r.Login, r.Status)
	for _, p := range []struct {
		n    int64
		what string
	}{
		{c.Messages, "new"}, {c.Moved, "moved"}, {c.Flags, "flags"}, {c.Deleted, "deleted"}, {c.Repaired, "repaired"},
		{c.Refused, "refused"}, {c.Kept, "kept"}, {c.Scripts, "scripts"},
		{o.Calendar.Created, "calendar objects"}, {o.Contacts.Created, "contacts"}, {o.Files.Created, "files"},
		{o.Sum().Refused, "objects refused"}, {o.Sum().NotTaken, "objects not taken"}, {o.Unreadable, "collections that could not be listed"},
	} {
		if p.n > 0 {
			s += fmt.Sprintf(", %s %s", humanize.Comma(p.n), p.what)
		}
	}
	if c.Octets > 0 {
		s += ", " + humanize.IBytes(uint64(c.Octets))
	}
	if r.Error != "" {
		s += ": " + r.Error
	}
	return s
}

func label(a model.Account) string {
	if a.Address != "" {
		return a.Address
	}
	return a.Login
}
