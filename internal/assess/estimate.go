package assess

import "time"

// Duration is how long the bulk load will take, as far as the sample tells.
type Duration struct {
	// Source is the time to list and read everything at the measured rates,
	// with Parallel accounts at once. One account is read in one stream, so it
	// is never less than the largest account takes.
	Source time.Duration `json:"source_ns"`
	// Destination is the time to store everything at the assumed rates.
	Destination time.Duration `json:"destination_ns"`
	// Estimate is the longer of the two: both sides work at the same time.
	Estimate time.Duration `json:"estimate_ns"`
	// Bottleneck is the side that it comes from.
	Bottleneck string `json:"bottleneck"`
	// MessagesPerSecond and OctetsPerSecond are the rate at which one account
	// is read, while others are: measured for the sampled messages and
	// projected to the sizes of all; 0 when nothing was read.
	MessagesPerSecond float64 `json:"messages_per_second"`
	OctetsPerSecond   float64 `json:"octets_per_second"`
	// ListedPerSecond is how many messages of one account were listed in a
	// second; 0 when it was too fast to measure.
	ListedPerSecond float64 `json:"listed_per_second"`
	// TogetherMessages and TogetherOctets are messages and octets per second of
	// all accounts that are read at once, listing included.
	TogetherMessages float64 `json:"together_messages_per_second"`
	TogetherOctets   float64 `json:"together_octets_per_second"`
}

// What a Stalwart of two cores has been seen to store; larger ones store
// more. It is an assumption, and named as one in the report.
const (
	AssumedMessages = 800      // messages per second
	AssumedOctets   = 25 << 20 // octets per second
	AssumedObjects  = 400      // calendar objects, contacts and files per second
)

// cost gathers measured reads for a line through them: so many seconds per
// message, and so many per octet. A mean rate would not do, because a sample
// that is spread over sizes has larger messages than the mailbox.
type cost struct{ n, size, size2, time, timesize float64 }

func (c *cost) add(octets int64, d time.Duration) {
	s, t := float64(octets), d.Seconds()
	c.n++
	c.size += s
	c.size2 += s * s
	c.time += t
	c.timesize += t * s
}

func (c *cost) join(d cost) {
	c.n += d.n
	c.size += d.size
	c.size2 += d.size2
	c.time += d.time
	c.timesize += d.timesize
}

// line is the least-squares fit, in seconds. Neither part is below 0: where
// the fit says so, noise hides that part, and the other one explains it all.
func (c cost) line() (perMessage, perOctet float64) {
	if c.n == 0 || c.time <= 0 {
		return 0, 0
	}
	det := c.n*c.size2 - c.size*c.size
	if det <= 0 { // all of one size
		return c.time / c.n, 0
	}
	perOctet = (c.n*c.timesize - c.size*c.time) / det
	perMessage = (c.time - perOctet*c.size) / c.n
	switch {
	case perOctet < 0:
		return c.time / c.n, 0
	case perMessage < 0:
		return 0, c.time / c.size
	}
	return perMessage, perOctet
}

// rates are what reading costs at this source, in seconds.
type rates struct{ perMessage, perOctet float64 }

// measure finds the rates from what was sampled of all accounts.
func measure(accounts []Account) rates {
	var all cost
	for _, acc := range accounts {
		all.join(acc.Sampled.cost)
	}
	perMessage, perOctet := all.line()
	return rates{perMessage, perOctet}
}

// load is what a group of accounts costs. It can be added to.
type load struct {
	sum, longest     float64 // seconds of reading and listing, one account after the other
	reading, listing float64
	messages, octets int64
	objects          int64
	items            float64 // seconds of reading calendars, contacts and files
}

func (l *load) add(r rates, acc Account) {
	read := r.perMessage*float64(acc.Messages) + r.perOctet*float64(acc.Octets)
	list := acc.Sampled.Listing.Seconds()
	items := acc.Sampled.Objects.Seconds() + r.perOctet*float64(acc.Sampled.fileOctets)
	l.reading += read
	l.listing += list
	l.items += items
	l.sum += read + list + items
	l.longest = max(l.longest, read+list+items)
	l.objects += acc.Objects.Count()
	l.messages += acc.Messages
	l.octets += acc.Octets
}

func (l *load) join(m load) {
	l.reading += m.reading
	l.listing += m.listing
	l.items += m.items
	l.objects += m.objects
	l.sum += m.sum
	l.longest = max(l.longest, m.longest)
	l.messages += m.messages
	l.octets += m.octets
}

// duration is how long it takes with so many accounts at once.
func (l load) duration(parallel int) Duration {
	messages, octets := float64(l.messages), float64(l.octets)
	source := max(l.sum/float64(max(parallel, 1)), l.longest)
	d := Duration{
		Source:            seconds(source),
		Destination:       seconds(max(messages/AssumedMessages, octets/AssumedOctets) + float64(l.objects)/AssumedObjects),
		MessagesPerSecond: ratio(messages, l.reading),
		OctetsPerSecond:   ratio(octets, l.reading),
		ListedPerSecond:   ratio(messages, l.listing),
		TogetherMessages:  ratio(messages, source),
		TogetherOctets:    ratio(octets, source),
	}
	d.Estimate, d.Bottleneck = d.Destination, "destination (assumed)"
	if d.Source > d.Destination {
		d.Estimate, d.Bottleneck = d.Source, "source (measured)"
	}
	return d
}

func (r rates) estimate(accounts []Account, parallel int) Duration {
	var l load
	for _, acc := range accounts {
		l.add(r, acc)
	}
	return l.duration(parallel)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func ratio(n, of float64) float64 {
	if of <= 0 {
		return 0
	}
	return n / of
}
