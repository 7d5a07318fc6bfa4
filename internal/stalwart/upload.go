package stalwart

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
	"mailhaul.org/mailhaul/internal/model"
)

// inline is the largest message that travels inside a Blob/upload call. A
// larger one is an HTTP upload of its own, which streams.
const inline = 1 << 20

// Upload implements destination.Account. Small messages share requests, in
// the spelling that is shorter; large ones are streamed.
func (a *Account) Upload(ctx context.Context, blobs []destination.Blob) ([]destination.Uploaded, error) {
	out := make([]destination.Uploaded, len(blobs))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	batch := &uploadBatch{}
	limit := a.uploadLimit()
	send := func(b *uploadBatch) {
		g.Go(func() error { return a.sendBatch(gctx, b, blobs, out) })
	}
	for i := range blobs {
		if gctx.Err() != nil {
			break
		}
		// An empty source is refused by Blob/upload, an empty body is not.
		if blobs[i].Size > inline || blobs[i].Size == 0 {
			g.Go(func() error { return a.stream(gctx, blobs[i], &out[i]) })
			continue
		}
		raw, err := content(blobs[i])
		if err != nil {
			out[i].Err = err
			continue
		}
		source := encodeSource(raw)
		if batch.count() > 0 && (batch.size()+len(source)+64 > limit || batch.count() >= a.d.setMax()) {
			send(batch)
			batch = &uploadBatch{}
		}
		batch.add(i, source)
	}
	if batch.count() > 0 {
		send(batch)
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, context.Cause(ctx)
}

// uploadLimit is how long the arguments of one Blob/upload may be.
func (a *Account) uploadLimit() int {
	size := a.d.session.Core.MaxSizeRequest
	if size <= 0 {
		size = 10_000_000
	}
	return int(min(size, 8<<20)) - 4096
}

func content(b destination.Blob) ([]byte, error) {
	if b.Open == nil {
		return b.Bytes, nil
	}
	r, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, b.Size+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) != b.Size {
		return nil, itemError("changed", "the message is not %d octets long as announced", b.Size)
	}
	return raw, nil
}

// encodeSource writes a data source (RFC 9404 §4.1): as text when the octets
// are UTF-8 and that is not longer than base 64.
func encodeSource(raw []byte) []byte {
	if utf8.Valid(raw) {
		text := appendJSON(make([]byte, 0, len(raw)+len(raw)/16+32), raw)
		if len(text) <= base64.StdEncoding.EncodedLen(len(raw))+2 {
			return append(append([]byte(`{"data:asText":`), text...), '}')
		}
	}
	out := append(make([]byte, 0, base64.StdEncoding.EncodedLen(len(raw))+32), `{"data:asBase64":"`...)
	out = base64.StdEncoding.AppendEncode(out, raw)
	return append(out, `"}`...)
}

// appendJSON writes valid UTF-8 as a JSON string with the fewest escapes
// (RFC 8259 §7).
func appendJSON(out, raw []byte) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	start := 0
	for i, c := range raw {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		out = append(out, raw[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\r':
			out = append(out, '\\', 'r')
		case '\n':
			out = append(out, '\\', 'n')
		case '\t':
			out = append(out, '\\', 't')
		default:
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	out = append(out, raw[start:]...)
	return append(out, '"')
}

// uploadBatch is the create argument of one Blob/upload.
type uploadBatch struct {
	index []int // into the blobs, by creation id
	json  bytes.Buffer
}

func (b *uploadBatch) count() int { return len(b.index) }
func (b *uploadBatch) size() int  { return b.json.Len() }

func (b *uploadBatch) add(i int, source []byte) {
	if len(b.index) > 0 {
		b.json.WriteByte(',')
	}
	fmt.Fprintf(&b.json, `"%d":{"data":[`, len(b.index))
	b.json.Write(source)
	b.json.WriteString(`],"type":"message/rfc822"}`)
	b.index = append(b.index, i)
}

func (a *Account) sendBatch(ctx context.Context, b *uploadBatch, blobs []destination.Blob, out []destination.Uploaded) error {
	arguments := make([]byte, 0, b.json.Len()+64)
	arguments = append(arguments, `{"accountId":"`+a.id+`","create":{`...)
	arguments = append(arguments, b.json.Bytes()...)
	arguments = append(arguments, `}}`...)
	r := jmap.NewRequest(capBlob)
	id := r.Call("Blob/upload", jmap.Raw(arguments))
	resp, err := a.d.client.Do(ctx, r)
	if err != nil {
		return err
	}
	var got struct {
		Created    map[string]struct{ ID string }
		NotCreated map[string]*jmap.SetError
	}
	if err := resp.Decode(id, &got); err != nil {
		return fault(err)
	}
	for n, i := range b.index {
		key := strconv.Itoa(n)
		if bad := got.NotCreated[key]; bad != nil {
			out[i].Err = uploadRefused(bad)
			continue
		}
		out[i] = uploaded(got.Created[key].ID, blobs[i])
	}
	return nil
}

// uploadRefused: overQuota here is the hourly upload quota, not the disk's.
func uploadRefused(bad *jmap.SetError) error {
	err := refusal(bad)
	if f, ok := errors.AsType[*model.Fault](err); ok && bad.Type == "overQuota" {
		f.Remedy = "the server accepts 1,000 uploads or 50 MB an hour from this login: give the migrator the permission unlimitedUploads"
	}
	return err
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
		open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes)), nil }
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
	case model.ClassOf(err) == model.ClassItem:
		out.Err = err
	default:
		return err
	}
	return nil
}

// openError is the source's error, not the destination's.
type openError struct{ err error }

func (e *openError) Error() string { return e.err.Error() }
func (e *openError) Unwrap() error { return e.err }
