package assess

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"mailhaul.org/mailhaul/internal/model"
)

// maxSampleOctets bounds what is read of one account for a sample; the
// account's largest message is read in any case.
const maxSampleOctets = 64 << 20

// sampler picks messages of one account: spread over its mailboxes, within
// each over classes of size, within each class evenly. Rare large messages are
// where servers differ, and a plain random sample seldom holds one.
type sampler struct {
	want    int // messages; below 0 all
	rng     *rand.Rand
	strata  [len(SizeClasses)]reservoir // of the mailbox that is being listed
	boxes   [][]model.Item              // of the mailboxes before, the first ones most wanted
	largest model.Item
	where   int // index of the mailbox that holds largest
}

// reservoir keeps an even choice of a stream of unknown length.
type reservoir struct {
	seen   int
	picked []model.Item
}

func newSampler(want int, login string) *sampler {
	h := fnv.New64a()
	h.Write([]byte(login))
	// The same account gives the same sample: two assessments can be compared.
	return &sampler{want: want, rng: rand.New(rand.NewPCG(h.Sum64(), 1))}
}

// offer takes notice of a message of the mailbox being listed.
func (s *sampler) offer(i model.Item) {
	if s.want == 0 {
		return
	}
	if i.Size > s.largest.Size {
		s.largest, s.where = i, len(s.boxes)
	}
	r := &s.strata[sizeClass(i.Size)]
	r.seen++
	if s.want < 0 || len(r.picked) < s.want {
		r.picked = append(r.picked, i)
	} else if j := s.rng.IntN(r.seen); j < s.want {
		r.picked[j] = i
	}
}

// endMailbox closes the mailbox being listed. What stays of it is no more than
// could be wanted, in an order of which every beginning is spread over sizes.
func (s *sampler) endMailbox() {
	lists := make([][]model.Item, len(s.strata))
	for k := range s.strata {
		lists[k] = s.strata[k].picked
		s.rng.Shuffle(len(lists[k]), func(a, b int) { lists[k][a], lists[k][b] = lists[k][b], lists[k][a] })
		s.strata[k] = reservoir{}
	}
	var out []model.Item
	inTurn(lists, func(_ int, i model.Item) bool {
		out = append(out, i)
		return s.want < 0 || len(out) < s.want
	})
	s.boxes = append(s.boxes, out)
}

// choose returns what to read of each mailbox, in ascending order of UID.
func (s *sampler) choose() [][]model.Item {
	out := make([][]model.Item, len(s.boxes))
	var n int
	var octets int64
	take := func(box int, i model.Item) {
		out[box] = append(out[box], i)
		n++
		octets += max(i.Size, 0)
	}
	if s.largest.UID != 0 {
		take(s.where, s.largest)
		octets, n = 0, 0 // comes on top
	}
	inTurn(s.boxes, func(box int, i model.Item) bool {
		if box == s.where && i.UID == s.largest.UID {
			return true
		}
		if s.want < 0 || octets+max(i.Size, 0) <= maxSampleOctets {
			take(box, i)
		}
		return s.want < 0 || n < s.want
	})
	for _, items := range out {
		slices.SortFunc(items, func(a, b model.Item) int {
			if a.UID < b.UID {
				return -1
			}
			return 1
		})
	}
	return out
}

// forget drops what was chosen so far, for mailboxes that have been read.
func (s *sampler) forget() {
	clear(s.boxes)
	s.largest = model.Item{}
}

// inTurn gives one item of each list, then the next of each, until fn has
// enough.
func inTurn(lists [][]model.Item, fn func(list int, i model.Item) bool) {
	for k, more := 0, true; more; k++ {
		more = false
		for l, items := range lists {
			if k >= len(items) {
				continue
			}
			more = true
			if !fn(l, items[k]) {
				return
			}
		}
	}
}

// sizeClass is the index into SizeClasses of a message of so many octets.
func sizeClass(octets int64) int {
	for k, bound := range SizeClasses {
		if bound == 0 || octets <= bound {
			return k
		}
	}
	return len(SizeClasses) - 1
}
