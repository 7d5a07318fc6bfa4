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
	block     []byte // room for one unpacked chunk
	have      []byte // of block, not yet read
	maxUnpack int
	maxOnDisk int
}

// maxLZ4Chunk bounds what a header may ask for; Dovecot writes 64 KiB.
const maxLZ4Chunk = 16 << 20

func newLZ4(r io.Reader) (io.Reader, error) {
	head := make([]byte, len(magicLZ4)+4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("lz4: %w", err)
	}
	n := int(binary.BigEndian.Uint32(head[len(magicLZ4):]))
	if n <= 0 || n > maxLZ4Chunk {
		return nil, fmt.Errorf("lz4: chunks of %d octets", n)
	}
	return &lz4Reader{r: r, maxUnpack: n, maxOnDisk: lz4.CompressBlockBound(n)}, nil
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
	if z.block == nil {
		z.block, z.packed = make([]byte, z.maxUnpack), make([]byte, z.maxOnDisk)
	}
	if _, err := io.ReadFull(z.r, z.packed[:n]); err != nil {
		return fmt.Errorf("lz4: the file ends early: %w", err)
	}
	out, err := lz4.UncompressBlock(z.packed[:n], z.block)
	if err != nil {
		return fmt.Errorf("lz4: %w", err)
	}
	z.have = z.block[:out]
	return nil
}

func newLZ4Frame(r io.Reader) io.Reader { return lz4.NewReader(r) }
