package engine

import (
	"context"
	"iter"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// objectPace is what is known of calendars, address books and files.
type objectPace struct {
	began   time.Time // when they were first read
	octets  int64
	elapsed time.Duration
}

// objectMeter is the groupware.Meter of one account.
type objectMeter struct {
	*run
	blocked time.Duration // the reader, in all
	stood   time.Duration // when all of a collection was read
}

func (m *objectMeter) Reads() {
	m.pace.reads(m.portion)
	m.pace.beginObjects()
}

func (m *objectMeter) HasRead() {
	m.pace.hasRead(m.portion)
	m.stood = m.pace.stoodStill()
}

func (m *objectMeter) Taken() {
	m.pace.objectsTook(sideDestination, m.pace.stoodStill()-m.stood)
	m.pace.reads(m.portion) // something is going to be
}

func (m *objectMeter) Blocked(d time.Duration) {
	m.blocked += d
	m.pace.objectsTook(sideDestination, d)
}

func (m *objectMeter) Spent(exchange, ledger time.Duration) { m.pace.spent(exchange, ledger) }

func (m *objectMeter) Stored(octets int64) { m.pace.storedObject(octets) }

// reading measures the reader from now on, until the function that it returns is
// called.
func (m *objectMeter) reading() (done func()) {
	begun, blocked := m.Now(), m.blocked
	return func() { m.pace.objectsTook(sideSource, m.Now().Sub(begun)-(m.blocked-blocked)) }
}

func (p *pace) beginObjects() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.objects.began.IsZero() {
		return
	}
	p.objects.began = p.now()
	if p.first.at.IsZero() {
		p.first = used(p.objects.began)
	}
}

// objectsTook notes how long an account was busy with a side. It has no part in
// what the shape of the load is judged by: that is of mail.
func (p *pace) objectsTook(side string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total.took(side, d)
}

// storedObject notes what the destination has confirmed.
func (p *pace) storedObject(octets int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.total.Objects++
	p.objects.octets += octets
	p.objects.elapsed = now.Sub(p.objects.began)
	last := p.last.at
	if last.IsZero() {
		last = p.first.at
	}
	if now.Sub(last) >= paceWindow {
		p.last = used(now)
	}
}

// meteredObjects measures what the source takes. The bounds within which it is read
// are kept around it, so that what they cost is not the source's.
type meteredObjects struct {
	source.Objects
	*objectMeter
}

// ObjectCollections implements source.Objects.
func (o meteredObjects) ObjectCollections(ctx context.Context) ([]model.ObjectCollection, []error, error) {
	defer o.reading()()
	return o.Objects.ObjectCollections(ctx)
}

// ObjectChanges implements source.Objects.
func (o meteredObjects) ObjectChanges(ctx context.Context, in model.ObjectCollection, since string) iter.Seq2[model.ObjectChange, error] {
	return func(yield func(model.ObjectChange, error) bool) {
		done := o.reading()
		defer func() { done() }()
		for ch, err := range o.Objects.ObjectChanges(ctx, in, since) {
			done()
			more := yield(ch, err)
			if done = o.reading(); !more {
				return
			}
		}
	}
}

// ReadObjects implements source.Objects.
func (o meteredObjects) ReadObjects(ctx context.Context, in model.ObjectCollection, refs []model.ObjectRef, fn func(model.ObjectRef, *source.Content, error) error) error {
	defer o.reading()()
	return o.Objects.ReadObjects(ctx, in, refs, fn)
}
