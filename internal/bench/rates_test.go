package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// rates gathers what contenders reached, for one table.
type rates struct {
	b                *testing.B
	messages, octets int
	of               map[string]float64 // messages per second, by name
	order            []string
	table            strings.Builder
}

func newRates(b *testing.B, title string, messages, octets int) *rates {
	r := &rates{b: b, messages: messages, octets: octets, of: map[string]float64{}}
	r.line("\n%s", title)
	r.line("%-34s %10s %10s %8s", "", "messages/s", "MiB/s", "seconds")
	return r
}

func (r *rates) line(format string, args ...any) { fmt.Fprintf(&r.table, format+"\n", args...) }

func (r *rates) print() { fmt.Println(r.table.String()) }

// measure runs one contender. Its servers are stopped before the next one
// starts: a mail server goes on indexing for long after it has answered.
func (r *rates) measure(name string, run func(b *testing.B) (took time.Duration, skip string)) {
	r.b.Run(name, func(b *testing.B) {
		took, skip := run(b)
		if skip != "" {
			r.line("%-34s %s", name, skip)
			b.Skip(skip)
		}
		if b.Failed() {
			r.line("%-34s failed", name)
			return
		}
		rate := float64(r.messages) / took.Seconds()
		r.of[name] = rate
		r.order = append(r.order, name)
		r.line("%-34s %10.0f %10.1f %8.1f", name, rate, float64(r.octets)/(1<<20)/took.Seconds(), took.Seconds())
		b.ReportMetric(rate, "messages/s")
	})
}
