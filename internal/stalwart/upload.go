package stalwart

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// inline is the largest message that travels inside a Blob/upload call; a
// larger one is an HTTP upload of its own, which streams. What has to be
// written in base 64 is worth that earlier, since a third comes on top.
const (
	inline       = 1 << 20
	inlineBase64 = 256 << 10
)

// Upload implements destination.Account.
func (a *Account) Upload(ctx context.Context, blobs []destination.Blob) ([]destination.Uploaded, error) {
	x := a.Exchange(ctx, nil, blobs)
	return x.Uploaded, x.UploadErr
}

// upload sends the packed messages, several requests at a time.
func (a *Account) upload(ctx context.Context, p *packed) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, b := range p.batches {
		g.Go(func() error {
			r := jmap.NewRequest(capBlob)
			id := r.Call("Blob/upload", jmap.Raw(b.arguments()))
			resp, err := a.d.client.Do(ctx, r)
			if err != nil {
				return err
			}
			return a.d.answer(p, resp, id, b)
		})
	}
	for _, i := range p.streams {
		g.Go(func() error { return a.stream(ctx, p.blobs[i], &p.out[i]) })
	}
	return g.Wait()
}

// quotaRemedy speaks of the hourly upload quota, not of the disk's.
const quotaRemedy = "the server accepts 1,000 uploads or 50 MB an hour from this login: give the migrator the permission unlimitedUploads"

func uploadRefused(bad *jmap.SetError) error {
	err := refusal(bad)
	if f, ok := errors.AsType[*model.Fault](err); ok && bad.Type == "overQuota" {
		f.Remedy = quotaRemedy
	}
	return err
}

// overUploadQuota recognises the answer to an HTTP upload beyond the quota: a
// 429, as for too many requests, but for up to an hour.
func overUploadQuota(err error) bool {
	e, ok := errors.AsType[*jmap.RequestError](err)
	return ok && e.Status == http.StatusTooManyRequests && strings.Contains(e.Detail, "quota")
}

// uploaded checks that the server holds what was meant.
func uploaded(id string, b destination.Blob) destination.Uploaded {
	h, err := blobHash(id)
	if err != nil {
		return destination.Uploaded{Err: itemError("serverFail", "the server's blob id %q cannot be read: %w", id, err)}
	}
	if h != b.Hash {
		return destination.Uploaded{Err: itemError("damaged", "the server received other octets than were sent, BLAKE3 %x instead of %x", h, b.Hash)}
	}
	return destination.Uploaded{BlobID: id}
}

// stream uploads one message by HTTP.
func (a *Account) stream(ctx context.Context, b destination.Blob, out *destination.Uploaded) error {
	open := b.Open
	if open == nil {
		own := &borrowed{octets: b.Bytes}
		defer own.giveBack()
		open = own.open
	}
	u, err := a.d.client.Upload(ctx, a.id, "message/rfc822", b.Size, func() (io.ReadCloser, error) {
		r, err := open()
		if err != nil {
			return nil, &openError{err}
		}
		return r, nil
	})
	var own *openError
	switch {
	case err == nil:
		*out = uploaded(u.BlobID, b)
	case errors.As(err, &own):
		out.Err = own.err
	case overUploadQuota(err):
		out.Err = &model.Fault{Class: model.ClassAccount, Code: destination.CodeOverQuota, Err: err, Remedy: quotaRemedy}
	case model.ClassOf(err) == model.ClassItem:
		out.Err = err
	default:
		return err
	}
	return nil
}

// borrowed are octets that are somebody else's again after a while. A request
// that broke may still be reading its body when its error is known.
type borrowed struct {
	mu     sync.Mutex
	octets []byte
}

func (b *borrowed) open() (io.ReadCloser, error) { return io.NopCloser(&borrowedReader{of: b}), nil }

func (b *borrowed) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.octets = nil
}

type borrowedReader struct {
	of *borrowed
	at int
}

func (r *borrowedReader) Read(p []byte) (int, error) {
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.at >= len(r.of.octets) {
		return 0, io.EOF
	}
	n := copy(p, r.of.octets[r.at:])
	r.at += n
	return n, nil
}

// openError is the source's error, not the destination's.
type openError struct{ err error }

func (e *openError) Error() string { return e.err.Error() }
func (e *openError) Unwrap() error { return e.err }
