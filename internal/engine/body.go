package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// body is one message between source and destination: in memory when small,
// else in a file of the spool, so that a large message costs disk and not
// memory, and a repeated upload does not burden the source again.
type body struct {
	destination.Blob
	file string
	slab *slab // where Bytes lie, if it is to be left
}

// drop gives its memory back and removes the spooled file, if any. The octets
// must not be looked at any more.
func (b *body) drop() {
	if b.slab != nil {
		b.slab.leave()
		b.slab, b.Bytes = nil, nil
	}
	if b.file != "" {
		os.Remove(b.file)
		b.file = ""
	}
}

// readBody takes the whole message into m and computes its hash on the way.
// prefix goes before it (a repair).
func (s *syncer) readBody(ctx context.Context, c *source.Content, prefix []byte, m *memory) (body, error) {
	h := m.hasher()
	b := body{}
	if c.Whole != nil && len(prefix) == 0 && len(c.Whole) <= inMemory {
		if err := s.Courtesy.Pay(ctx, c); err != nil {
			return b, err
		}
		b.Size = int64(len(c.Whole))
		_, _ = h.Write(c.Whole)
		h.Sum(b.Hash[:0])
		b.Bytes, b.slab = m.keep(c.Whole)
		return b, nil
	}
	src := io.TeeReader(io.MultiReader(bytes.NewReader(prefix), s.Courtesy.Pace(ctx, c)), h)
	buf := m.buffer()
	buf.Grow(int(min(max(c.Size, 0)+int64(len(prefix)), inMemory)) + bytes.MinRead)
	n, err := io.CopyN(buf, src, inMemory+1)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		return b, err
	default:
		if n, b.file, err = s.spool(buf, src); err != nil {
			return b, err
		}
		path := b.file
		b.Open = func() (io.ReadCloser, error) { return os.Open(path) }
	}
	if c.Size >= 0 && n != c.Size+int64(len(prefix)) {
		b.drop()
		return b, model.Faultf(model.ClassItem, "truncated", "the source announced %d octets and sent %d", c.Size, n-int64(len(prefix)))
	}
	if b.Open == nil {
		b.Bytes, b.slab = m.keep(buf.Bytes())
	}
	b.Size = n
	h.Sum(b.Hash[:0])
	return b, nil
}

func (s *syncer) spool(start *bytes.Buffer, rest io.Reader) (int64, string, error) {
	f, err := os.CreateTemp(s.SpoolDir, "message-*")
	if err != nil {
		return 0, "", model.SpoolFault(err)
	}
	n, err := io.Copy(model.SpoolTo(f), io.MultiReader(start, rest))
	if cerr := f.Close(); err == nil && cerr != nil {
		err = model.SpoolFault(cerr)
	}
	if err != nil {
		os.Remove(f.Name())
		return n, "", err
	}
	return n, f.Name(), nil
}
