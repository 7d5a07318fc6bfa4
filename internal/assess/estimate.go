package assess

import "time"

// Duration is how long the bulk load will take, as far as the sample tells.
type Duration struct {
	// Source is the time to list and read everything at the measured rates,
	// with Parallel accounts at once.
	Source time.Duration `json:"source_ns"`
	// Destination is the time to store everything at the assumed rates.
	Destination time.Duration `json:"destination_ns"`
	// Estimate is the longer of the two: both sides work at the same time.
	Estimate time.Duration `json:"estimate_ns"`
	// Bottleneck is the side that it comes from.
	Bottleneck string `json:"bottleneck"`
	// MessagesPerSecond and OctetsPerSecond were measured at the source, of
	// one account; 0 when nothing was read.
	MessagesPerSecond float64 `json:"messages_per_second"`
	OctetsPerSecond   float64 `json:"octets_per_second"`
}

// What a Stalwart of two cores has been seen to store; larger ones store
// more. It is an assumption, and named as one in the report.
const (
	AssumedMessages = 800      // messages per second
	AssumedOctets   = 25 << 20 // octets per second
)

func estimate(a Assessment) Duration {
	var read, list time.Duration
	var messages, octets int64
	for _, acc := range a.Accounts {
		read += acc.Sampled.Reading
		list += acc.Sampled.Listing
		messages += acc.Sampled.Messages
		octets += acc.Sampled.Octets
	}
	d := Duration{}
	if messages > 0 && read > 0 && octets > 0 {
		d.MessagesPerSecond = float64(messages) / read.Seconds()
		d.OctetsPerSecond = float64(octets) / read.Seconds()
		// By messages or by octets, whichever takes longer: a sample of small
		// messages says little about large ones, and the reverse.
		n := float64(a.Total.Messages) / d.MessagesPerSecond
		o := float64(a.Total.Octets) / d.OctetsPerSecond
		d.Source = time.Duration(max(n, o) * float64(time.Second) / float64(max(a.Parallel, 1)))
	}
	d.Source += list / time.Duration(max(a.Parallel, 1))
	d.Destination = time.Duration(max(float64(a.Total.Messages)/AssumedMessages, float64(a.Total.Octets)/AssumedOctets) * float64(time.Second))
	d.Estimate, d.Bottleneck = d.Destination, "destination (assumed)"
	if d.Source > d.Destination {
		d.Estimate, d.Bottleneck = d.Source, "source (measured)"
	}
	return d
}
