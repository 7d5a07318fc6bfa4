package engine

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
)

// queued is how many batches that were read wait for a lane.
const queued = 1

// lane takes batches from the reader to the destination: while one is imported,
// the next one is uploaded, in the same exchange. The lanes of an account work
// side by side, so that UIDs at the destination rise with time but for
// neighbours. It ends between two batches, with through false, when it may not
// be used any more.
func (r *run) lane(ctx context.Context, queue <-chan *batch, may func() bool) (through bool, err error) {
	var ready, next *batch // uploaded; to be uploaded
	defer func() {
		for _, b := range []*batch{ready, next} {
			if b != nil {
				b.drop()
			}
		}
	}()
	for {
		if may() {
			if next = r.take(queue, ready == nil); ready == nil && next == nil {
				return true, nil
			}
		} else if ready == nil {
			return false, nil
		}
		if ready != nil {
			if err := r.importBatch(ctx, ready.entries, next); err != nil {
				return false, err
			}
			ready.drop()
			ready = nil
		}
		if next != nil && !next.uploaded {
			if err := r.upload(ctx, next.entries); err != nil {
				return false, err
			}
		}
		ready, next = next, nil
	}
}

// take returns the next batch, or nil: at the end or, if it is not to wait,
// because the reader has none.
func (r *run) take(queue <-chan *batch, wait bool) *batch {
	if wait {
		return <-queue
	}
	select {
	case b := <-queue:
		return b
	default:
		return nil
	}
}

// exchange imports emails while the next batch is uploaded. An upload that
// fails is left to upload, which tries again. What has been sent is waited for
// even when another lane ends the account: an answer that nobody takes would
// leave its messages in doubt, and the server may work on them for a while.
func (r *run) exchange(ctx context.Context, emails []destination.Import, next *batch) ([]destination.Imported, error) {
	if err := r.pace.begin(ctx); err != nil {
		return nil, err
	}
	defer r.pace.end()
	begun := r.Now()
	defer func() { r.pace.spent(r.Now().Sub(begun), 0) }()
	ctx = r.loading
	if next == nil || next.uploaded {
		x := r.dst.Exchange(ctx, emails, nil)
		return x.Imported, x.ImportErr
	}
	x := r.dst.Exchange(ctx, emails, blobs(next.entries))
	if x.UploadErr == nil {
		next.take(x.Uploaded)
	}
	return x.Imported, x.ImportErr
}

func blobs(entries []*entry) []destination.Blob {
	list := make([]destination.Blob, len(entries))
	for i, e := range entries {
		list[i] = e.body.Blob
	}
	return list
}

// take notes what became of the uploads.
func (b *batch) take(up []destination.Uploaded) {
	b.uploaded = true
	took(b.entries, up)
}

func took(entries []*entry, up []destination.Uploaded) {
	for i, e := range entries {
		e.blobID, e.err = up[i].BlobID, up[i].Err
	}
}
