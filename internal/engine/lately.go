package engine

import (
	"sync"
	"time"
)

// lately tells what a run was bound by during the last seconds: what it was bound
// by before, as hours that are over, is no news to who watches.
type lately struct {
	pace    *pace
	now     func() time.Time
	limited func() Limited // until now

	mu     sync.Mutex
	points []point
	last   Bottleneck
}

// point is how far a run had come.
type point struct {
	pace Pace
	used usage
}

const (
	// latelySpan is how far back the judgement looks, latelyStep how often it
	// remembers where the run stands.
	latelySpan = 15 * time.Second
	latelyStep = time.Second
)

// bottleneck is that of the last seconds or, while nobody comes to know anything,
// the one before; of a limit only as long as it is waited for.
func (l *lately) bottleneck() Bottleneck {
	now := point{l.pace.soFar(l.limited()), used(l.now())}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.points); n == 0 || now.used.at.Sub(l.points[n-1].used.at) >= latelyStep {
		l.points = append(l.points, now)
	}
	for len(l.points) > 2 && now.used.at.Sub(l.points[1].used.at) >= latelySpan {
		l.points = l.points[1:]
	}
	from := l.points[0]
	span := now.pace.since(from.pace)
	span.Processor, span.Machine = now.used.since(from.used)
	if b := span.judge(); b.Side != "" || l.last.Side == sideLimits {
		l.last = b
	}
	return l.last
}

// since is where the time went after an earlier moment.
func (p Pace) since(q Pace) Pace {
	p.Source -= q.Source
	p.Destination -= q.Destination
	p.Exchange -= q.Exchange
	p.Ledger -= q.Ledger
	p.Limited = p.Limited.since(q.Limited)
	return p
}

func (l Limited) since(m Limited) Limited {
	return Limited{Bandwidth: l.Bandwidth - m.Bandwidth, Hours: l.Hours - m.Hours, Latency: l.Latency - m.Latency, Connections: l.Connections - m.Connections}
}
