package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// server is a destination whose rate depends on the shape of the load.
type server struct {
	name string
	rate func(flight, items float64) float64
	// best is the highest rate within the knobs' bounds.
	best float64
}

func servers() []server {
	list := []server{
		{name: "gains from more in flight", rate: func(f, n float64) float64 { return 300 * math.Min(f, 8) }},
		{name: "suffers from more than two in flight", rate: func(f, n float64) float64 { return 1000 - 80*math.Max(f-2, 0) }},
		{name: "wants large batches", rate: func(f, n float64) float64 { return 1000 * n / (n + 150) }},
		{name: "wants small batches", rate: func(f, n float64) float64 { return 1000 - n }},
		{name: "does not care", rate: func(f, n float64) float64 { return 1000 }},
	}
	for i, s := range list {
		for f := 1; f <= 16; f++ {
			for n := leastItems; n <= 500; n++ {
				list[i].best = max(list[i].best, s.rate(float64(f), float64(n)))
			}
		}
	}
	return list
}

// Whatever shape a server likes, a load that lasts minutes comes close to the
// best, though the measured rates are noisy.
func TestClimber(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		for seed := range uint64(20) {
			t.Run(fmt.Sprintf("%s/%d", s.name, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 1))
				now := time.Unix(0, 0)
				p := newPace(4, firstItems, 500, func() time.Time { return now })
				all := p.load()
				if err := p.begin(t.Context()); err != nil {
					t.Fatal(err)
				}
				p.end()
				rate := func() float64 {
					return s.rate(float64(p.flight.Limit()), float64(p.batchItems()))
				}
				mean, windows := 0.0, 0
				for w := range 200 {
					p.waiting(sideDestination, time.Second)
					now = now.Add(paceWindow)
					// A message of 16 KiB counts twice.
					n := rate() * (1 + 0.02*rng.NormFloat64()) * paceWindow.Seconds() / 2
					p.stored(all, int64(n), int64(n)*(16<<10))
					if w >= 140 {
						mean, windows = mean+rate(), windows+1
					}
				}
				if mean /= float64(windows); mean < 0.85*s.best {
					t.Errorf("a mean of %.0f/s after three minutes and a half, the best is %.0f/s; at the end %d in flight, batches of %d", mean, s.best, p.flight.Limit(), p.batchItems())
				}
			})
		}
	}
}

// As long as the source is what a run waits for, nothing is changed.
func TestPaceLeavesSlowSourcesAlone(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	p := newPace(2, firstItems, 500, func() time.Time { return now })
	all := p.load()
	if err := p.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.end()
	for range 50 {
		p.waiting(sideSource, 900*time.Millisecond)
		p.waiting(sideDestination, 100*time.Millisecond)
		now = now.Add(paceWindow)
		p.stored(all, 100, 1<<20)
	}
	r := p.result(Limited{})
	r.Processor, r.Machine = 0, 0 // of the test
	want := Pace{Bound: Bottleneck{Side: sideSource, Share: 0.9}, Source: 45 * time.Second, Destination: 5 * time.Second, InFlight: 4, Batch: firstItems, Messages: 5000, Octets: 50 << 20, Elapsed: 50 * paceWindow}
	if r != want {
		t.Errorf("%+v, want %+v", r, want)
	}
}

// Few accounts use several lanes each, many one: the memory is shared out, and
// no account is left without.
func TestPaceLanes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ accounts, lanes, most, first int }{
		{1, 4, 4, 4}, {2, 4, 8, 4}, {4, 4, 16, 8}, {8, 2, 16, 16}, {32, 1, 32, 16},
	} {
		p := newPace(c.accounts, firstItems, 500, time.Now)
		if p.lanes != c.lanes || p.mostInFlight != c.most || p.flight.Limit() != c.first {
			t.Errorf("%d accounts: %d lanes, %d in flight at most, %d at first", c.accounts, p.lanes, p.mostInFlight, p.flight.Limit())
		}
	}
	if p := newPace(1, firstItems, 3, time.Now); p.batchItems() != 3 {
		t.Errorf("batches of %d where the server takes 3", p.batchItems())
	}
}
