package stalwart

import (
	"encoding/base64"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/jmap"
)

// packed are messages on their way: small ones share requests, in the spelling
// that is shorter; large ones are streamed.
type packed struct {
	blobs   []destination.Blob
	out     []destination.Uploaded
	batches []*uploadBatch
	streams []int // into blobs
}

// pack sorts messages by how they travel.
func (a *Account) pack(blobs []destination.Blob) *packed {
	p := &packed{blobs: blobs, out: make([]destination.Uploaded, len(blobs))}
	limit := a.uploadLimit()
	var now *uploadBatch
	for i := range blobs {
		// An empty source is refused by Blob/upload, an empty body is not.
		if blobs[i].Size > inline || blobs[i].Size == 0 {
			p.streams = append(p.streams, i)
			continue
		}
		raw, err := content(blobs[i])
		if err != nil {
			p.out[i].Err = err
			continue
		}
		if now == nil {
			now = a.newBatch(blobs[i:], limit)
			p.batches = append(p.batches, now)
		}
		switch now.add(i, raw, limit, a.d.setMax()) {
		case tooLong:
			p.streams = append(p.streams, i)
		case full:
			now = a.newBatch(blobs[i:], limit)
			p.batches = append(p.batches, now)
			if now.add(i, raw, limit, 1) != taken {
				p.streams = append(p.streams, i)
			}
		}
	}
	p.batches = slices.DeleteFunc(p.batches, func(b *uploadBatch) bool { return len(b.index) == 0 })
	return p
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

// uploadBatch is one Blob/upload call (RFC 9404 §4.1).
type uploadBatch struct {
	index []int // into the blobs, by creation id
	json  []byte
}

// newBatch begins a call with room for these messages.
func (a *Account) newBatch(blobs []destination.Blob, limit int) *uploadBatch {
	room := 256
	for _, b := range blobs {
		if b.Size <= inline {
			room += int(b.Size) + int(b.Size)/16 + 96
		}
		if room >= limit {
			room = limit
			break
		}
	}
	return &uploadBatch{json: fmt.Appendf(a.d.buffers.get(room), `{"accountId":"%s","create":{`, a.id)}
}

// buffers keeps the memory of requests that are through: megabytes that would
// be given back to the system and asked for again, many times a second. They
// come in sizes a quarter apart, so that one of them fits the next request, too.
type buffers struct{ pools [64]sync.Pool }

// leastBuffer is the smallest.
const leastBuffer = 64 << 10

// bufferClass is the largest class whose buffers hold at most n octets, and
// the size of those of the next one.
func bufferClass(n int) (class, next int) {
	octave := bits.Len(uint(n/leastBuffer)) - 1
	quarter := n>>(octave+14) - 4
	return 4*octave + quarter, (5 + quarter) << (octave + 14)
}

// get returns an empty buffer with room for so many octets.
func (p *buffers) get(room int) []byte {
	class, size := bufferClass(max(room-1, leastBuffer))
	if class+1 < len(p.pools) {
		if b, ok := p.pools[class+1].Get().(*[]byte); ok {
			return (*b)[:0]
		}
	}
	return make([]byte, 0, size)
}

func (p *buffers) put(b []byte) {
	if cap(b) < leastBuffer {
		return
	}
	if class, _ := bufferClass(cap(b)); class < len(p.pools) {
		p.pools[class].Put(&b)
	}
}

// What became of a message that was to be added to a batch.
const (
	taken   = iota
	full    // it wants another batch
	tooLong // it wants an upload of its own
)

// add puts a message in: as text when the octets are UTF-8 and that is not
// longer than base 64.
func (b *uploadBatch) add(i int, raw []byte, limit, most int) int {
	if len(b.index) >= most {
		return full
	}
	start := len(b.json)
	if len(b.index) > 0 {
		b.json = append(b.json, ',')
	}
	b.json = fmt.Appendf(b.json, `"%d":{"data":[`, len(b.index))
	at, coded := len(b.json), base64.StdEncoding.EncodedLen(len(raw))+2
	text := utf8.Valid(raw)
	if text {
		b.json = appendJSON(append(b.json, `{"data:asText":`...), raw)
		text = len(b.json)-at <= coded+len(`{"data:asText":`)
	}
	if !text {
		b.json = b.json[:at]
		if len(raw) > inlineBase64 {
			b.json = b.json[:start]
			return tooLong
		}
		b.json = append(b.json, `{"data:asBase64":"`...)
		b.json = base64.StdEncoding.AppendEncode(b.json, raw)
		b.json = append(b.json, '"')
	}
	b.json = append(b.json, `}],"type":"message/rfc822"}`...)
	if len(b.json)+2 > limit {
		b.json = b.json[:start]
		if len(b.index) == 0 {
			return tooLong
		}
		return full
	}
	b.index = append(b.index, i)
	return taken
}

// arguments ends the call.
func (b *uploadBatch) arguments() []byte { return append(b.json, `}}`...) }

// answer takes over what the server says of a call.
func (d *Destination) answer(p *packed, resp *jmap.Response, id string, b *uploadBatch) error {
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
			p.out[i].Err = uploadRefused(bad)
			continue
		}
		p.out[i] = uploaded(got.Created[key].ID, p.blobs[i])
	}
	// The server has read the request to its end, or it could not have
	// answered for its messages: nobody looks at it any more.
	d.buffers.put(b.json)
	return nil
}
