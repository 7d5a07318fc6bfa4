package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/throttle"
)

// readChunk is how many messages the source is asked for at once, and chunkOctets
// how many octets, but for a larger message: between two the limits are looked at,
// and a slow source within a bandwidth takes its time for each.
const (
	readChunk   = 500
	chunkOctets = 16 << 20
)

// entry is one message on its way.
type entry struct {
	mailbox *mailbox
	item    ledger.Item
	body    body
	blobID  string
	err     error // of its upload
	again   error // why the destination wants it sent once more
	repair  bool
}

// name is how reports call the message.
func (e *entry) name() string { return fmt.Sprintf("UID %d", e.item.UID) }

// batch is what one exchange uploads, and the next one imports.
type batch struct {
	entries  []*entry
	octets   int64
	uploaded bool // or refused one by one, see entry.err
	room     *semaphore.Weighted
	taken    int64 // of room
}

// drop gives back what the batch has taken, when all in it are through.
func (b *batch) drop() {
	for _, e := range b.entries {
		e.body.drop()
	}
	b.shrink(0)
}

// shrink keeps only so much of the room.
func (b *batch) shrink(to int64) {
	if b.taken > to {
		b.room.Release(b.taken - to)
		b.taken = to
	}
}

// footprint is what a batch of so many octets takes: of the two in each lane
// one is there twice, in the request, too.
func footprint(octets int64) int64 { return octets + octets/2 }

// load moves everything that is pending. One goroutine reads, the lanes upload
// and import (lane.go); what is between them bounds the memory.
func (r *run) load(ctx context.Context) error {
	var messages, octets int64
	states := r.loadable()
	for _, b := range r.mailboxes {
		n, o, err := r.Ledger.Count(ctx, b.row.ID, states...)
		if err != nil {
			return err
		}
		messages, octets = messages+n, octets+max(o, 0)
	}
	r.Progress.AccountStarted(r.acc, messages, octets)
	r.pace.expect(r.portion, messages, octets)
	if messages == 0 {
		return nil
	}
	state, err := r.dst.State(ctx)
	if err != nil {
		return err
	}
	r.unconfirmed.open(state)
	r.loading = ctx
	g, inner := errgroup.WithContext(ctx)
	var stood time.Duration // when all was read
	queue, end := make(chan *batch, queued), make(chan struct{})
	g.Go(func() error {
		defer close(end)
		defer close(queue)
		err := r.read(inner, queue)
		r.pace.hasRead(r.portion)
		stood = r.pace.stoodStill()
		if err == nil && r.mailOnly {
			r.leaveSource()
			r.place.handOn()
		}
		return err
	})
	defer r.pace.loaded(r.portion)
	lanes := mostLanes
	if r.vanished {
		lanes = 1 // what is matched by content must be seen by the next batch
	}
	for n := range lanes {
		g.Go(func() error {
			defer func() {
				for b := range queue { // only after an error: free the spool
					b.drop()
				}
			}()
			for {
				ended := r.pace.open(inner, r.portion, n, end)
				through, err := r.lane(inner, queue, func() bool { return ended || r.pace.mayUse(r.portion, n) })
				if through || err != nil {
					return err
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r.pace.waiting(sideDestination, r.pace.stoodStill()-stood)
	return r.step(ctx, "landed", func(t *ledger.Tx) error { return t.SetSettle(r.row.ID, "") })
}

// loadable are the states that load takes up.
func (r *run) loadable() []ledger.State {
	if r.RetryRefused {
		return []ledger.State{ledger.Pending, ledger.Refused}
	}
	return []ledger.State{ledger.Pending}
}

// read takes pending messages from the source, oldest UID first, and sends
// full batches on.
func (r *run) read(ctx context.Context, queue chan<- *batch) error {
	// Besides the batch that is filled, or waits to enter the queue, there are
	// those in it, and in each lane one that is imported and one that is
	// uploaded.
	a := &assembler{run: r, queue: queue, maxOctets: r.Buffer * 2 / 3 / int64(r.Accounts) / int64(queued+1+2*r.pace.lanes)}
	defer r.memory.done()
	if l := r.Destination.Limits().BatchOctets; l > 0 {
		a.maxOctets = min(a.maxOctets, l)
	}
	for _, b := range r.mailboxes {
		if err := r.readBox(ctx, b, a); err != nil {
			a.abandon()
			r.dropHeld()
			return err
		}
	}
	return a.flush(ctx)
}

func (r *run) readBox(ctx context.Context, b *mailbox, a *assembler) error {
	var chunk []*entry
	octets := int64(0) // as far as the source tells
	take := func() error {
		if len(chunk) == 0 {
			return nil
		}
		err := r.readChunk(ctx, b, chunk, a)
		chunk, octets = nil, 0
		return err
	}
	for i, err := range r.Ledger.Items(ctx, b.row.ID, r.loadable()...) {
		if err != nil {
			return err
		}
		if size := max(i.Size, 0); octets+size > chunkOctets {
			if err := take(); err != nil {
				return err
			}
			octets = size
		} else {
			octets += size
		}
		if chunk = append(chunk, &entry{mailbox: b, item: i}); len(chunk) == readChunk {
			if err := take(); err != nil {
				return err
			}
		}
	}
	return take()
}

// readChunk reads some messages of one mailbox. What cannot be read is
// refused by name; what vanished meanwhile is forgotten.
func (r *run) readChunk(ctx context.Context, b *mailbox, chunk []*entry, a *assembler) error {
	refs := make([]model.ItemRef, len(chunk))
	byUID := make(map[uint64]*entry, len(chunk))
	for i, e := range chunk {
		refs[i] = model.ItemRef{UID: e.item.UID}
		byUID[e.item.UID] = e
	}
	answered, err := r.Courtesy.Asking(ctx)
	if err != nil {
		return err
	}
	waited := r.Now()
	err = r.store.Read(ctx, b.src, refs, func(ref model.ItemRef, c *source.Content, err error) error {
		answered()
		e := byUID[ref.UID]
		if e == nil {
			return model.Faultf(model.ClassAccount, "source", "the source returned UID %d, which was not asked for", ref.UID)
		}
		delete(byUID, ref.UID)
		if err == nil {
			e.body, err = r.readBody(ctx, c, nil, &r.memory)
		}
		r.pace.waiting(sideSource, r.Now().Sub(waited))
		defer func() { waited = r.Now() }()
		switch {
		case err == nil:
			if limit := r.Destination.Limits().MaxMessage; limit > 0 && e.body.Size > limit {
				e.body.drop()
				return r.refuse(ctx, e, model.Faultf(model.ClassItem, destination.CodeTooLarge,
					"%d octets are more than the destination accepts (%d)", e.body.Size, limit))
			}
			if ok, err := r.adopt(ctx, e, a.add); ok || err != nil {
				return err
			}
			return a.add(ctx, e)
		case model.CodeOf(err) == model.CodeGone:
			return r.step(ctx, "gone", func(t *ledger.Tx) error { return t.DeleteItem(e.item.Collection, e.item.UID) })
		case model.ClassOf(err) == model.ClassItem && !errors.Is(err, context.Canceled):
			return r.refuse(ctx, e, err)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := r.keepAdopted(ctx, a.add); err != nil {
		return err
	}
	for uid := range byUID {
		return model.Faultf(model.ClassAccount, "source", "%s: the source said nothing about UID %d", b.name(), uid)
	}
	return nil
}

// refuse records that a message stays behind, and why.
func (r *run) refuse(ctx context.Context, e *entry, why error) error {
	err := r.step(ctx, "refuse", func(t *ledger.Tx) error { return r.putRefused(t, e, why) })
	if err == nil {
		r.tally(func() {
			r.res.Counts.Refused++
			r.note(e.mailbox.name(), e.name(), "refused", why.Error())
		})
	}
	return err
}

// assembler fills batches for the lanes.
type assembler struct {
	*run
	queue     chan<- *batch
	now       *batch
	maxOctets int64
}

func (a *assembler) add(ctx context.Context, e *entry) error {
	size := int64(len(e.body.Bytes)) // a spooled message takes no memory
	if a.now != nil && (len(a.now.entries) >= a.pace.batchItems() || a.now.octets+size > a.maxOctets) {
		if err := a.flush(ctx); err != nil {
			e.body.drop()
			return err
		}
	}
	if a.now == nil {
		now, err := a.begin(ctx)
		if err != nil {
			e.body.drop()
			return err
		}
		a.now = now
	}
	a.now.entries = append(a.now.entries, e)
	a.now.octets += size
	return nil
}

// begin takes room for a whole batch. Accounts that have more lanes than their
// share, because others are through, wait here for each other; whoever has room
// gets rid of it without any more.
func (a *assembler) begin(ctx context.Context) (*batch, error) {
	b := &batch{room: a.room}
	start := a.Now()
	defer func() { a.pace.waiting(sideDestination, a.Now().Sub(start)) }()
	if err := a.room.Acquire(ctx, footprint(a.maxOctets)); err != nil {
		return nil, context.Cause(ctx)
	}
	b.taken = footprint(a.maxOctets)
	return b, nil
}

func (a *assembler) flush(ctx context.Context) error {
	b := a.now
	if b == nil {
		return nil
	}
	a.now = nil
	b.shrink(footprint(b.octets))
	start := a.Now()
	defer func() { a.pace.waiting(sideDestination, a.Now().Sub(start)) }()
	select {
	case a.queue <- b:
		return nil
	case <-ctx.Done():
		b.drop()
		return context.Cause(ctx)
	}
}

func (a *assembler) abandon() {
	if a.now != nil {
		a.now.drop()
	}
}

// uploadAttempts is how often a passing fault is tried again.
const uploadAttempts = 5

// upload stores the messages of these entries temporarily. It changes
// nothing that a user could see, so it is simply repeated on trouble. A
// message that breaks it is left with the reason in its err.
func (r *run) upload(ctx context.Context, entries []*entry) error {
	return r.isolate(ctx, entries, &r.uploaded, r.uploadOnce, func(_ context.Context, e *entry, why error) error {
		e.err = why
		return nil
	})
}

func (r *run) uploadOnce(ctx context.Context, entries []*entry) (again []*entry, stored int, err error) {
	if err := r.pace.begin(ctx); err != nil {
		return nil, 0, err
	}
	defer r.pace.end()
	begun := r.Now()
	defer func() { r.pace.spent(r.Now().Sub(begun), 0) }()
	up, err := r.dst.Upload(ctx, blobs(entries))
	if err != nil {
		return entries, 0, err
	}
	took(entries, up)
	return nil, len(entries), nil
}

// passing reports that the same request may succeed later.
func passing(err error) bool {
	return model.ClassOf(err) == model.ClassRetry || model.CodeOf(err) == destination.CodeAmbiguous
}

// longestPause is the longest Retry-After that an account waits for. It keeps
// its place among those that move at once meanwhile.
const longestPause = 5 * time.Minute

// pause waits as long as the server asked, else longer with every attempt. It
// returns err itself if that is too long.
func (r *run) pause(ctx context.Context, err error, attempt int) error {
	d := time.Duration(attempt*attempt) * r.Backoff
	if f, ok := errors.AsType[*model.Fault](err); ok && f.RetryAfter > 0 {
		if d = f.RetryAfter; d > longestPause {
			return err
		}
	}
	return throttle.Sleep(ctx, d)
}
