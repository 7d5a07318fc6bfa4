package stalwart

import "testing"

// A buffer has the room that was asked for, hardly more, and serves the next
// request of about that size.
func TestBuffers(t *testing.T) {
	t.Parallel()
	for room := 1; room < 12<<20; room += 1 + room/7 {
		var p buffers
		b := p.get(room)
		if len(b) != 0 || cap(b) < room || cap(b) > max(room+room/4, leastBuffer+leastBuffer/4) {
			t.Fatalf("room for %d octets: %d", room, cap(b))
		}
		p.put(b)
		for _, ask := range []int{room, cap(b)} {
			if c := p.get(ask); cap(c) < ask {
				t.Fatalf("room for %d octets after %d: %d", ask, room, cap(c))
			}
		}
	}
}
