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
	of               map[string]float64 // messages per second, by name
	table            strings.Builder
}

func newRates(b *testing.B, title string, messages, octets int) *rates {
	r := &rates{b: b, messages: messages, octets: octets, of: map[string]float64{}}
	r.line("\n%s", title)
	r.line("%-60s %10s %10s %8s", "", "messages/s", "MiB/s", "seconds")
	return r
}

func (r *rates) line(format string, args ...any) { fmt.Fprintf(&r.table, format+"\n", args...) }

func (r *rates) print() { fmt.Println(r.table.String()) }

// measure runs one contender, MAILHAUL_BENCH_ROUNDS times, of which the median
// counts. Its servers are stopped before the next one starts: a mail server
// goes on indexing for long after it has answered.
func (r *rates) measure(name string, run func(b *testing.B) (took time.Duration, skip string)) {
	var all []time.Duration
	for range number("MAILHAUL_BENCH_ROUNDS", 1) {
		var skip string
		r.b.Run(name, func(b *testing.B) {
			var took time.Duration
			if took, skip = run(b); skip != "" {
				b.Skip(skip)
			}
			all = append(all, took)
			b.ReportMetric(float64(r.messages)/took.Seconds(), "messages/s")
		})
		if skip != "" {
			r.line("%-60s %s", name, skip)
			return
		}
	}
	if len(all) == 0 {
		r.line("%-60s failed", name)
		return
	}
	slices.Sort(all)
	took := all[len(all)/2]
	r.of[name] = float64(r.messages) / took.Seconds()
	spread := ""
	if len(all) > 1 {
		spread = fmt.Sprintf("   (%.1f to %.1f)", all[0].Seconds(), all[len(all)-1].Seconds())
	}
	r.line("%-60s %10.0f %10.1f %8.1f%s", name, r.of[name], float64(r.octets)/(1<<20)/took.Seconds(), took.Seconds(), spread)
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
