package engine

import (
	"testing"
	"time"
)

// What a run was bound by, judged from where its time went.
func TestBottleneck(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, c := range map[string]struct {
		p           Pace
		side, cause string
		share       float64
	}{
		"too little to tell":       {Pace{Source: s / 2}, "", "", 0},
		"the source":               {Pace{Source: 80 * s, Destination: 20 * s}, sideSource, "", 0.8},
		"the destination":          {Pace{Source: 20 * s, Destination: 80 * s, Exchange: 300 * s, Ledger: 20 * s}, sideDestination, "", 0.8},
		"the bandwidth":            {Pace{Source: 90 * s, Destination: 10 * s, Limited: Limited{Bandwidth: 80 * s}}, sideLimits, "limits.bandwidth", 0.8},
		"listing was bound, too":   {Pace{Source: 90 * s, Destination: 10 * s, Limited: Limited{Bandwidth: 200 * s}}, sideLimits, "limits.bandwidth", 0.9},
		"a bound that seldom bit":  {Pace{Source: 20 * s, Destination: 80 * s, Limited: Limited{Bandwidth: 10 * s}}, sideDestination, "", 0.8},
		"the hours":                {Pace{Source: 60 * s, Destination: 10 * s, Limited: Limited{Bandwidth: 40 * s, Hours: 130 * s}}, sideLimits, "limits.hours", 0.85},
		"the bound of the latency": {Pace{Source: 10 * s, Destination: 10 * s, Limited: Limited{Latency: 80 * s}}, sideLimits, "limits.latency", 0.8},
		"connections":              {Pace{Source: 80 * s, Destination: 20 * s, Limited: Limited{Connections: 240 * s}}, sideLimits, "limits.connections", 3},
		"connections, but the destination is slower": {Pace{Source: 20 * s, Destination: 80 * s, Exchange: s, Limited: Limited{Connections: 240 * s}}, sideDestination, "", 0.8},
		"the ledger's disk":                          {Pace{Source: 20 * s, Destination: 80 * s, Exchange: 20 * s, Ledger: 60 * s}, sideMachine, "ledger", 0.6},
		"the processors":                             {Pace{Source: 80 * s, Destination: 20 * s, Processor: 0.95, Machine: 0.99}, sideMachine, "processor", 0.95},
		"others' use of them":                        {Pace{Source: 80 * s, Destination: 20 * s, Processor: 0.2, Machine: 0.99}, sideSource, "", 0.8},
		"the bandwidth, not them":                    {Pace{Source: 90 * s, Destination: 10 * s, Processor: 0.95, Limited: Limited{Bandwidth: 80 * s}}, sideLimits, "limits.bandwidth", 0.8},
	} {
		c.p.Messages = 1
		if b := c.p.Bottleneck(); b.Side != c.side || b.Cause != c.cause || b.Share < c.share-0.001 || b.Share > c.share+0.001 {
			t.Errorf("%s: %+v", name, b)
		}
		c.p.Messages, c.p.Objects = 0, 1
		if b := c.p.Bottleneck(); b.Side != c.side {
			t.Errorf("%s, of objects: %+v", name, b)
		}
		c.p.Objects = 0
		if b := c.p.Bottleneck(); b != (Bottleneck{}) {
			t.Errorf("%s, and nothing is moved: %+v", name, b)
		}
	}
}

// What this process uses of the processors is seen, and others' use where the
// system tells it.
func TestUsage(t *testing.T) {
	t.Parallel()
	busy, all := ticks("cpu  70 5 20 800 90 5 6 4 3 2\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	if busy != 110 || all != 1000 {
		t.Errorf("%d of %d ticks", busy, all)
	}
	for _, nonsense := range []string{"", "cpu 1 2 3\n", "cpu a b c d e f g h i\n", "intr 1 2 3 4 5 6 7 8 9\n"} {
		if busy, all := ticks(nonsense); busy != 0 || all != 0 {
			t.Errorf("%q: %d of %d", nonsense, busy, all)
		}
	}
	from := used(time.Now())
	for used(time.Now()).own-from.own < 20*time.Millisecond { // works
	}
	if own, machine := used(time.Now()).since(from); own <= 0 || own > 1.1 || machine < 0 || machine > 1 {
		t.Errorf("own %v, machine %v", own, machine)
	}
	if own, machine := (usage{}).since(from); own != 0 || machine != 0 {
		t.Errorf("of nothing: %v, %v", own, machine)
	}
}

// What waits for the destination after all was read counts for it, as long as
// nobody else reads: small accounts are read before it has taken any of them.
func TestWaitingForTheRest(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 20, 0, 0, 0, time.UTC)
	p := newPace(2, firstItems, 500, func() time.Time { return now })
	pass := func(d time.Duration) { now = now.Add(d) }
	is := func(want time.Duration) {
		t.Helper()
		if d := p.stoodStill(); d != want {
			t.Errorf("nobody read for %v, want %v", d, want)
		}
	}
	pass(time.Minute)
	is(0) // nobody has begun
	one, other := p.load(), p.load()
	pass(time.Second)
	p.hasRead(one)
	p.hasRead(one) // told again
	pass(time.Second)
	is(0)
	p.hasRead(other)
	pass(8 * time.Second)
	is(8 * time.Second)
	next := p.load()
	pass(time.Second)
	is(8 * time.Second)
	p.hasRead(next)
	pass(2 * time.Second)
	is(10 * time.Second)
}
