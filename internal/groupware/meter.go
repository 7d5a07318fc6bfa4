package groupware

import (
	"context"
	"io"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
)

// Meter is told where the time of an account goes while its objects are written.
// Its methods but Reads and Taken are called from several goroutines, Blocked by
// whoever reads.
type Meter interface {
	// Reads tells that a collection is going to be read, HasRead that it has been,
	// and Taken that what was read is at the destination or the account stops.
	Reads()
	HasRead()
	Taken()
	// Blocked is how long the reader, who had read ahead, waited for the
	// destination.
	Blocked(d time.Duration)
	// Spent is how long somebody was in requests to the destination, and how long
	// he waited for the ledger.
	Spent(exchange, ledger time.Duration)
	// Stored tells of one object that the destination has confirmed.
	Stored(octets int64)
}

// unmetered is the Meter that nobody reads.
type unmetered struct{}

func (unmetered) Reads()                             {}
func (unmetered) HasRead()                           {}
func (unmetered) Taken()                             {}
func (unmetered) Blocked(time.Duration)              {}
func (unmetered) Spent(time.Duration, time.Duration) {}
func (unmetered) Stored(int64)                       {}

// metered is the destination; it measures the requests that writing takes.
type metered struct {
	destination.ObjectStore
	a *Account
}

func (m metered) exchange() (done func()) {
	begun := m.a.Now()
	return func() { m.a.Meter.Spent(m.a.Now().Sub(begun), 0) }
}

func (m metered) CreateObjects(ctx context.Context, in destination.Collection, objects []destination.ObjectWrite) ([]destination.ObjectWritten, error) {
	defer m.exchange()()
	return m.ObjectStore.CreateObjects(ctx, in, objects)
}

func (m metered) UpdateObjects(ctx context.Context, in destination.Collection, objects []destination.ObjectWrite) ([]destination.ObjectWritten, error) {
	defer m.exchange()()
	return m.ObjectStore.UpdateObjects(ctx, in, objects)
}

func (m metered) MoveObject(ctx context.Context, from, to destination.Collection, id string) (destination.Object, error) {
	defer m.exchange()()
	return m.ObjectStore.MoveObject(ctx, from, to, id)
}

func (m metered) Rehearse(ctx context.Context, kind model.Kind, objects []destination.ObjectWrite) ([]string, error) {
	defer m.exchange()()
	return m.ObjectStore.Rehearse(ctx, kind, objects)
}

func (m metered) FindObject(ctx context.Context, in destination.Collection, uid string) (destination.Object, error) {
	defer m.exchange()()
	return m.ObjectStore.FindObject(ctx, in, uid)
}

func (m metered) ObjectVersions(ctx context.Context, in destination.Collection, ids []string) (map[string]destination.Object, error) {
	defer m.exchange()()
	return m.ObjectStore.ObjectVersions(ctx, in, ids)
}

func (m metered) ReadObjects(ctx context.Context, in destination.Collection, ids []string, fn func(destination.Object, io.Reader, error) error) error {
	defer m.exchange()()
	return m.ObjectStore.ReadObjects(ctx, in, ids, fn)
}
