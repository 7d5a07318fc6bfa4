package stored

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"
)

// lz4Reader reads Dovecot's own LZ4 container (lib-compression/iostream-lz4.h):
// the magic, the largest chunk as 32 bits big-endian, then chunks of a 32-bit
// big-endian length and one raw LZ4 block.
type lz4Reader struct {
	r         io.Reader
	packed    []byte
	block     []byte   // room for one unpacked chunk
	have      []byte   // of block, not yet read
	head      [19]byte // the magic and the largest chunk
	maxUnpack int
	maxOnDisk int
}

// maxLZ4Chunk bounds what a header may ask for; Dovecot writes 64 KiB.
const maxLZ4Chunk = 16 << 20

// Reset begins another container. The room for a chunk stays.
func (z *lz4Reader) Reset(r io.Reader) error {
	z.r, z.have = r, nil
	if _, err := io.ReadFull(r, z.head[:]); err != nil {
		return fmt.Errorf("lz4: %w", err)
	}
	n := int(binary.BigEndian.Uint32(z.head[len(magicLZ4):]))
	if n <= 0 || n > maxLZ4Chunk {
		return fmt.Errorf("lz4: chunks of %d octets", n)
	}
	z.maxUnpack, z.maxOnDisk = n, lz4.CompressBlockBound(n)
	return nil
}

func (z *lz4Reader) Read(p []byte) (int, error) {
	for len(z.have) == 0 {
		if err := z.chunk(); err != nil {
			return 0, err
		}
	}
	n := copy(p, z.have)
	z.have = z.have[n:]
	return n, nil
}

func (z *lz4Reader) chunk() error {
	var size [4]byte
	if _, err := io.ReadFull(z.r, size[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("lz4: the file ends early: %w", err)
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	if n <= 0 || n > z.maxOnDisk {
		return fmt.Errorf("lz4: a chunk of %d octets", n)
	}
	packed, block := grow(&z.packed, n), grow(&z.block, z.maxUnpack)
	if _, err := io.ReadFull(z.r, packed); err != nil {
		return fmt.Errorf("lz4: the file ends early: %w", err)
	}
	out, err := lz4.UncompressBlock(packed, block)
	if err != nil {
		return fmt.Errorf("lz4: %w", err)
	}
	z.have = block[:out]
	return nil
}

func newLZ4Frame(r io.Reader) io.Reader { return lz4.NewReader(r) }
