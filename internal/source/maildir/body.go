package maildir

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// CodeEncrypted is the code of a Fault for a message that mail_crypt has
// encrypted: only the server can read it.
const CodeEncrypted = "encrypted"

const (
	// inMemory is the largest file that is read in one piece, which makes
	// the exact size known and shows damage before anything is handed out.
	inMemory = 1 << 20
	// maxUnpacked is how much such a file may unpack to in memory.
	maxUnpacked = 8 << 20
)

// content opens a message file as IMAP would show it: decompressed, every
// line with CRLF. It closes f, or what it returns does.
func content(f *os.File) (*source.Content, io.Closer, error) {
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	if info.Size() <= inMemory {
		defer f.Close()
		raw, err := readAll(f, info.Size())
		if err != nil {
			return nil, nil, err
		}
		if !packed(raw) {
			return source.Whole(withCRLF(raw)), io.NopCloser(nil), nil
		}
		r, err := unpack(bytes.NewReader(raw), raw)
		if err != nil {
			return nil, nil, err
		}
		text, err := io.ReadAll(io.LimitReader(r, maxUnpacked))
		if err != nil {
			return nil, nil, err
		}
		if len(text) < maxUnpacked {
			return source.Whole(withCRLF(text)), io.NopCloser(nil), nil
		}
		return streamed(io.MultiReader(bytes.NewReader(text), r)), io.NopCloser(nil), nil
	}
	buffered := bufio.NewReaderSize(f, 256<<10)
	head, err := buffered.Peek(magicLen)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, nil, err
	}
	var r io.Reader = buffered
	if packed(head) {
		if r, err = unpack(buffered, head); err != nil {
			f.Close()
			return nil, nil, err
		}
	}
	return streamed(r), f, nil
}

// streamed is content that is converted while it is read. What goes wrong
// then concerns this message only.
func streamed(r io.Reader) *source.Content {
	return &source.Content{Reader: itemReader{newCRLF(r)}, Size: -1}
}

type itemReader struct{ io.Reader }

func (r itemReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &model.Fault{Class: model.ClassItem, Code: "unreadable", Err: err}
	}
	return n, err
}

func readAll(f *os.File, size int64) ([]byte, error) {
	raw := make([]byte, size, size+1)
	n, err := io.ReadFull(f, raw)
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

const magicLen = 16

// packed reports whether a message beginning with head is stored in another
// form than its own.
func packed(head []byte) bool {
	for _, m := range [][]byte{magicGzip, magicZstd, magicXZ, magicLZ4, magicFrame, magicCrypt} {
		if bytes.HasPrefix(head, m) {
			return true
		}
	}
	return bytes.HasPrefix(head, magicBzip2) && len(head) > 3 && head[3] >= '1' && head[3] <= '9'
}

// encrypted reports whether only the server can read it.
func encrypted(head []byte) bool { return bytes.HasPrefix(head, magicCrypt) }

func unpack(r io.Reader, head []byte) (io.Reader, error) {
	switch {
	case bytes.HasPrefix(head, magicGzip):
		return gzip.NewReader(r)
	case bytes.HasPrefix(head, magicBzip2):
		return bzip2.NewReader(r), nil
	case bytes.HasPrefix(head, magicZstd):
		// No goroutines, so that nothing is left running by a reader that is
		// not read to its end.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, err
		}
		return d, nil
	case bytes.HasPrefix(head, magicXZ):
		return xz.NewReader(r)
	case bytes.HasPrefix(head, magicLZ4):
		return newLZ4(r)
	case bytes.HasPrefix(head, magicFrame):
		return newLZ4Frame(r), nil
	}
	return nil, &model.Fault{Class: model.ClassItem, Code: CodeEncrypted, Err: errors.New("the message is encrypted on disk (mail_crypt)"),
		Remedy: "read this account over IMAP"}
}
