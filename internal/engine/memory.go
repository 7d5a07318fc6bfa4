package engine

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/zeebo/blake3"
)

// Messages on their way lie in slabs, which are used again when all in them
// are through. Allocated one by one, tens of thousands of octets a thousand
// times a second, they would keep the collector at work all the time.
const (
	slabSize = 512 << 10
	// slabbed is the largest message that goes into a slab. Of larger ones
	// there are few, and slabs would end half empty.
	slabbed = slabSize / 4
	// mostScratch is the largest buffer that is kept for the next message.
	mostScratch = 256 << 10
)

// slab is memory for several messages.
type slab struct {
	octets []byte
	used   int
	// users are the messages in it, and the memory that fills it.
	users atomic.Int32
}

var spareSlabs = sync.Pool{New: func() any { return &slab{octets: make([]byte, slabSize)} }}

// leave gives up one use. What lay there must not be looked at any more.
func (s *slab) leave() {
	if s.users.Add(-1) == 0 {
		s.used = 0
		spareSlabs.Put(s)
	}
}

// memory is where a reader puts messages. The zero value is ready; one
// goroutine uses it, while what it returned may be released by any.
type memory struct {
	now     *slab
	scratch bytes.Buffer
	hash    *blake3.Hasher
}

// keep copies text to where it stays until the slab, which may be nil, is
// left.
func (m *memory) keep(text []byte) ([]byte, *slab) {
	if len(text) > slabbed {
		return bytes.Clone(text), nil
	}
	if m.now != nil && len(m.now.octets)-m.now.used < len(text) {
		m.now.leave()
		m.now = nil
	}
	if m.now == nil {
		m.now = spareSlabs.Get().(*slab)
		m.now.users.Store(1)
	}
	s := m.now
	s.users.Add(1)
	kept := s.octets[s.used : s.used+len(text) : s.used+len(text)]
	s.used += copy(kept, text)
	return kept, s
}

// buffer is empty and may be used until the next call.
func (m *memory) buffer() *bytes.Buffer {
	if m.scratch.Cap() > mostScratch {
		m.scratch = bytes.Buffer{}
	}
	m.scratch.Reset()
	return &m.scratch
}

// hasher is as good as new and may be used until the next call.
func (m *memory) hasher() *blake3.Hasher {
	if m.hash == nil {
		m.hash = blake3.New()
	}
	m.hash.Reset()
	return m.hash
}

// done lets the last slab go when its messages are through.
func (m *memory) done() {
	if m.now != nil {
		m.now.leave()
		m.now = nil
	}
}
