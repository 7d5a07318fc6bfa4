package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// rates gathers what contenders reached, for one table.
type rates struct {
	b                *testing.B
	messages, octets int
	contenders       []*contender
	of               map[string]float64 // messages per second, by name
	table            strings.Builder
}

// contender is one way to load.
type contender struct {
	name string
	// run loads everything and returns how long that took; skip says why it
	// cannot.
	run func(b *testing.B) (took time.Duration, skip string)
	// note is told below its line.
	note string

	took []time.Duration
	skip string
}

func newRates(b *testing.B, title string, messages, octets int) *rates {
	r := &rates{b: b, messages: messages, octets: octets, of: map[string]float64{}}
	r.line("\n%s", title)
	r.line("%-60s %10s %10s %8s", "", "messages/s", "MiB/s", "seconds")
	return r
}

func (r *rates) line(format string, args ...any) { fmt.Fprintf(&r.table, format+"\n", args...) }

func (r *rates) print() { fmt.Println(r.table.String()) }

func (r *rates) add(name string, run func(b *testing.B) (time.Duration, string)) *contender {
	c := &contender{name: name, run: run}
	r.contenders = append(r.contenders, c)
	return c
}

// rounds is how often each contender runs.
func rounds() int { return number("MAILHAUL_BENCH_ROUNDS", 1) }

// measure runs all contenders in turn, and again as often as rounds says; the
// median of each counts. Their servers are stopped before the next one starts:
// a mail server goes on indexing for long after it has answered.
func (r *rates) measure() {
	for range rounds() {
		for _, c := range r.contenders {
			if c.skip != "" {
				continue
			}
			r.b.Run(c.name, func(b *testing.B) {
				took, skip := c.run(b)
				if c.skip = skip; skip != "" {
					b.Skip(skip)
				}
				c.took = append(c.took, took)
				b.ReportMetric(float64(r.messages)/took.Seconds(), "messages/s")
			})
		}
	}
	for _, c := range r.contenders {
		r.report(c)
	}
}

func (r *rates) report(c *contender) {
	switch {
	case c.skip != "":
		r.line("%-60s %s", c.name, c.skip)
		return
	case len(c.took) == 0:
		r.line("%-60s failed", c.name)
		return
	}
	slices.Sort(c.took)
	took := c.took[len(c.took)/2]
	r.of[c.name] = float64(r.messages) / took.Seconds()
	spread := ""
	if n := len(c.took); n > 1 {
		spread = fmt.Sprintf("   (%.1f to %.1f)", c.took[0].Seconds(), c.took[n-1].Seconds())
	}
	r.line("%-60s %10.0f %10.1f %8.1f%s", c.name, r.of[c.name], float64(r.octets)/(1<<20)/took.Seconds(), took.Seconds(), spread)
	if c.note != "" {
		r.line("  %s", c.note)
	}
}

// ratio compares two contenders beside what is to be reached; 0: nothing in
// particular.
func (r *rates) ratio(own, other string, goal float64) {
	if r.of[own] == 0 || r.of[other] == 0 {
		return
	}
	ratio := r.of[own] / r.of[other]
	line := fmt.Sprintf("%-108s %6.2f", own+" : "+other, ratio)
	if goal > 0 {
		line += fmt.Sprintf("   goal %.1f", goal)
		if ratio < goal {
			line += ", missed"
		}
	}
	r.line("%s", line)
}
