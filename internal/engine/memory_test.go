package engine

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

// Messages that are kept stay what they are until they are left, whoever
// leaves others meanwhile.
func TestMemory(t *testing.T) {
	t.Parallel()
	type kept struct {
		n    int
		text []byte
		slab *slab
	}
	through := make(chan kept, 64)
	var lanes sync.WaitGroup
	text := func(n int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%d\r\n", n), n*37%9000) }
	for range 3 {
		lanes.Go(func() {
			for k := range through {
				if !bytes.Equal(k.text, text(k.n)) {
					t.Errorf("message %d is not what was kept", k.n)
				}
				if k.slab != nil {
					k.slab.leave()
				}
			}
		})
	}
	var m memory
	scratch := make([]byte, 0, 1<<20)
	slabs := map[*slab]bool{}
	for n := range 4000 {
		scratch = append(scratch[:0], text(n)...)
		k := kept{n: n}
		k.text, k.slab = m.keep(scratch)
		slabs[k.slab] = true
		if (k.slab == nil) != (len(scratch) > slabbed) {
			t.Errorf("%d octets: slab %v", len(scratch), k.slab != nil)
		}
		through <- k
	}
	close(through)
	lanes.Wait()
	m.done()
	if len(slabs) > 110 {
		t.Errorf("%d slabs were made; they are not used again", len(slabs))
	}
}
