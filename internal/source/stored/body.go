package stored

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// CodeEncrypted is the code of a Fault for a message that mail_crypt has
// Encrypted: only the server can read it.
const CodeEncrypted = "encrypted"

const (
	// inMemory is the largest file that is read in one piece, which makes
	// the exact size known and shows damage before anything is handed out.
	inMemory = 1 << 20
	// maxUnpacked is how much such a file may unpack to in memory.
	maxUnpacked = 8 << 20
)

// Text is a message as it was before the server packed it, its lines as they
// are stored.
type Text struct {
	// Bytes is all of it, or the beginning if Rest is not nil.
	Bytes []byte
	Rest  io.Reader
}

// Unpack reads a message of size octets, as it is stored. A small one is read
// at once, so that damage shows here and not later. A message that only the
// server can read is a Fault of its item with CodeEncrypted.
func Unpack(r io.Reader, size int64) (Text, error) { return new(Buffers).Unpack(r, size) }

// Unpack is like the function. The Text may be used until the next call.
func (b *Buffers) Unpack(r io.Reader, size int64) (Text, error) {
	if size <= inMemory {
		raw, err := readAll(r, grow(&b.raw, int(size)))
		if err != nil {
			return Text{}, err
		}
		return b.unpackBytes(raw)
	}
	buffered := bufio.NewReaderSize(io.LimitReader(r, size), 256<<10)
	head, err := buffered.Peek(MagicLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return Text{}, err
	}
	if !Packed(head) {
		return Text{Rest: buffered}, nil
	}
	unpacked, err := unpack(buffered, head)
	return Text{Rest: unpacked}, err
}

func (b *Buffers) unpackBytes(raw []byte) (Text, error) {
	if !Packed(raw) {
		return Text{Bytes: raw}, nil
	}
	r, err := unpack(bytes.NewReader(raw), raw)
	if err != nil {
		return Text{}, err
	}
	text := bytes.NewBuffer(grow(&b.text, 4*len(raw)+bytes.MinRead)[:0])
	n, err := text.ReadFrom(io.LimitReader(r, maxUnpacked))
	b.text = text.Bytes()
	if err != nil || n < maxUnpacked {
		again(r)
		return Text{Bytes: text.Bytes()}, err
	}
	return Text{Bytes: text.Bytes(), Rest: r}, nil
}

// Reader reads the whole text.
func (t Text) Reader() io.Reader {
	switch {
	case t.Rest == nil:
		return bytes.NewReader(t.Bytes)
	case len(t.Bytes) == 0:
		return t.Rest
	}
	return io.MultiReader(bytes.NewReader(t.Bytes), t.Rest)
}

// Content is the text with CRLF at the end of every line. It may be used until
// the next call.
func (b *Buffers) Content(t Text) *source.Content {
	if t.Rest != nil {
		return streamed(t.Reader())
	}
	bare := bareLFs(t.Bytes)
	if bare == 0 {
		return source.Whole(t.Bytes)
	}
	return source.Whole(appendCRLF(grow(&b.crlf, len(t.Bytes)+bare)[:0], t.Bytes))
}

// Open opens a file that holds one message. It closes f, or what it returns
// does. The content may be used until the next call.
func (b *Buffers) Open(f *os.File) (*source.Content, io.Closer, error) {
	info, err := f.Stat()
	var t Text
	if err == nil {
		t, err = b.Unpack(f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	if t.Rest == nil || info.Size() <= inMemory {
		f.Close()
		return b.Content(t), io.NopCloser(nil), nil
	}
	return b.Content(t), f, nil
}

// streamed is content that is converted while it is read. What goes wrong
// then concerns this message only.
func streamed(r io.Reader) *source.Content {
	return &source.Content{Reader: itemReader{newCRLF(r)}, Size: -1}
}

type itemReader struct{ io.Reader }

func (r itemReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	var known *model.Fault
	if err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &known) {
		err = &model.Fault{Class: model.ClassItem, Code: "unreadable", Err: err}
	}
	return n, err
}

func readAll(r io.Reader, raw []byte) ([]byte, error) {
	n, err := io.ReadFull(r, raw)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return raw[:n], nil
	}
	return raw[:n], err
}

// Compression and encryption are known by their first octets, never by a
// name or a flag: lib-compression/compression.c, lib-dcrypt/dcrypt-iostream.h.
var (
	magicGzip  = []byte{0x1f, 0x8b}
	magicBzip2 = []byte("BZh")
	magicZstd  = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicXZ    = []byte{0xfd, '7', 'z', 'X', 'Z', 0}
	magicLZ4   = []byte("Dovecot-LZ4\x0d\x2a\x9b\xc5")
	magicFrame = []byte{0x04, 0x22, 0x4d, 0x18} // the public LZ4 frame format
	magicCrypt = []byte("CRYPTED\x03\x07")
)

// MagicLen is how many octets tell how a message is stored.
const MagicLen = 16

// Packed reports whether a message beginning with head is stored in another
// form than its own.
func Packed(head []byte) bool {
	for _, m := range [][]byte{magicGzip, magicZstd, magicXZ, magicLZ4, magicFrame, magicCrypt} {
		if bytes.HasPrefix(head, m) {
			return true
		}
	}
	return bytes.HasPrefix(head, magicBzip2) && len(head) > 3 && head[3] >= '1' && head[3] <= '9'
}

// Encrypted reports whether only the server can read it.
func Encrypted(head []byte) bool { return bytes.HasPrefix(head, magicCrypt) }

// Unpackers take more time to make than a message takes to unpack.
var gzips, zstds, lz4s sync.Pool

// again lets an unpacker that is not needed any more be used again.
func again(r io.Reader) {
	switch z := r.(type) {
	case *gzip.Reader:
		gzips.Put(z)
	case *zstd.Decoder:
		zstds.Put(z)
	case *lz4Reader:
		lz4s.Put(z)
	}
}

func unpack(r io.Reader, head []byte) (io.Reader, error) {
	switch {
	case bytes.HasPrefix(head, magicGzip):
		z, ok := gzips.Get().(*gzip.Reader)
		if !ok {
			return gzip.NewReader(r)
		}
		return z, z.Reset(r)
	case bytes.HasPrefix(head, magicBzip2):
		return bzip2.NewReader(r), nil
	case bytes.HasPrefix(head, magicZstd):
		if d, ok := zstds.Get().(*zstd.Decoder); ok {
			return d, d.Reset(r)
		}
		// No goroutines, so that nothing is left running by a reader that is
		// not read to its end.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		return d, nil
	case bytes.HasPrefix(head, magicXZ):
		return xz.NewReader(r)
	case bytes.HasPrefix(head, magicLZ4):
		z, ok := lz4s.Get().(*lz4Reader)
		if !ok {
			z = new(lz4Reader)
		}
		return z, z.Reset(r)
	case bytes.HasPrefix(head, magicFrame):
		return newLZ4Frame(r), nil
	}
	return nil, &model.Fault{Class: model.ClassItem, Code: CodeEncrypted, Err: errors.New("the message is encrypted on disk (mail_crypt)"),
		Remedy: "read this account over IMAP"}
}
