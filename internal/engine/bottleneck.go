package engine

import "time"

// What a run can be bound by.
const (
	sideSource      = "source"
	sideDestination = "destination"
	sideLimits      = "limits"  // that the administrator has set
	sideMachine     = "machine" // that mailhaul runs on
)

// Limited is the time that accounts have waited because of limits that the
// administrator has set, all accounts summed up.
type Limited struct {
	Bandwidth time.Duration `json:"bandwidth_ns"`
	Hours     time.Duration `json:"hours_ns"`
	Latency   time.Duration `json:"latency_ns"`
	// Connections are waits for a place to connect. Somebody else reads
	// meanwhile, so that they cost nothing where the source is not what is waited
	// for.
	Connections time.Duration `json:"connections_ns"`
}

// Bottleneck is what a run was bound by.
type Bottleneck struct {
	// Side is "source", "destination", "limits" or "machine"; "" when there was
	// too little to tell. All others could have done more.
	Side string `json:"side"`
	// Cause is the limit ("limits.bandwidth"), or what of the machine
	// ("processor", "ledger").
	Cause string `json:"cause,omitempty"`
	// Share of the time that was spent on it; of the processor, how much of it was
	// used; of connections, how many accounts waited for each that read.
	Share float64 `json:"share"`
}

// String names what is waited for: "the source", "limits.hours", "this machine's
// processor"; "" when there was too little to tell.
func (b Bottleneck) String() string {
	switch b.Side {
	case "":
		return ""
	case sideLimits:
		return b.Cause
	case sideMachine:
		return "this machine's " + b.Cause
	}
	return "the " + b.Side
}

// busyProcessor is the part of the machine's processors that mailhaul itself
// uses when there is nothing left to gain elsewhere.
const busyProcessor = 0.85

// Bottleneck judges what took the time of a run that moved something.
func (p Pace) Bottleneck() Bottleneck {
	if p.Messages == 0 && p.Objects == 0 {
		return Bottleneck{}
	}
	return p.judge()
}

func (p Pace) judge() Bottleneck {
	// The reader of an account reads, waits within a limit, or has read ahead.
	// What the bandwidth costs is part of the time that reading took.
	bandwidth := min(p.Limited.Bandwidth, p.Source)
	limits := bandwidth + p.Limited.Hours + p.Limited.Latency
	source, all := p.Source-bandwidth, p.Source+p.Destination+p.Limited.Hours+p.Limited.Latency
	if all < time.Second {
		return Bottleneck{}
	}
	share := func(d time.Duration) float64 { return float64(d) / float64(all) }
	switch {
	case limits >= source && limits >= p.Destination:
		b := Bottleneck{Side: sideLimits, Cause: "limits.bandwidth", Share: share(limits)}
		if p.Limited.Hours > bandwidth {
			b.Cause = "limits.hours"
		}
		if p.Limited.Latency > max(bandwidth, p.Limited.Hours) {
			b.Cause = "limits.latency"
		}
		return b
	case p.Processor >= busyProcessor:
		return Bottleneck{Side: sideMachine, Cause: "processor", Share: p.Processor}
	case p.Destination > source:
		// What was read ahead waits for lanes, and those for two.
		if p.Ledger > p.Exchange {
			return Bottleneck{Side: sideMachine, Cause: "ledger", Share: share(p.Destination) * float64(p.Ledger) / float64(p.Ledger+p.Exchange)}
		}
		return Bottleneck{Side: sideDestination, Share: share(p.Destination)}
	case p.Limited.Connections > p.Source:
		return Bottleneck{Side: sideLimits, Cause: "limits.connections", Share: float64(p.Limited.Connections) / float64(p.Source)}
	}
	return Bottleneck{Side: sideSource, Share: share(source)}
}
