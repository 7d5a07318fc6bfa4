package engine

import (
	"hash/maphash"
	"slices"

	"mailhaul.org/mailhaul/internal/destination"
)

// unclaimed are the emails of one mailbox of the destination that nobody knows:
// about 180 octets each, whatever their size.
type unclaimed struct {
	name    string // of the source's mailbox, for reports
	left    int    // not claimed yet
	all     []unclaimedEmail
	chains  [3]map[uint64]int32 // key → first email with it; see unclaimedEmail.next
	present map[string]bool     // IDs, only while it is filled
}

// unclaimedEmail is one that may be a message of the source.
type unclaimedEmail struct {
	id       string
	hash     destination.Hash
	size     int64
	received int64  // Unix seconds
	message  uint64 // key of its Message-ID; 0: none
	sender   uint64 // key of its From and Subject
	date     uint64 // key of its Date; 0: none
	body     uint64 // of its body once that was seen; 0: not yet
	next     [3]int32
	claimed  bool
}

// The chains in which emails are found.
const (
	chainHash = iota
	chainMessage
	chainSender
)

var seed = maphash.MakeSeed()

// keyLength is how much of a header value counts: servers cut long ones.
const keyLength = 400

// key reduces header values to what no server, parser or encoding changes:
// their first visible ASCII characters. Nothing at all gives 0.
func key(values ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	empty := true
	for _, v := range values {
		left := keyLength
		for i := 0; i < len(v) && left > 0; i++ {
			if c := v[i]; c > ' ' && c < 0x7f {
				_ = h.WriteByte(c)
				empty = false
				left--
			}
		}
		_ = h.WriteByte(0)
	}
	if empty {
		return 0
	}
	return h.Sum64() | 1
}

func hashKey(h destination.Hash) uint64 { return maphash.Bytes(seed, h[:]) }

func (s *unclaimed) put(o destination.Outline) {
	if s.present == nil {
		s.present = map[string]bool{}
	}
	s.present[o.ID] = true
	s.all = append(s.all, unclaimedEmail{id: o.ID, hash: o.Hash, size: o.Size, received: o.Received.Unix(),
		message: key(o.MessageID), sender: key(o.From, o.Subject), date: key(o.Date)})
}

func (s *unclaimed) has(id string) bool { return s.present[id] }

// index leaves out what is known and makes the rest findable, in the order of
// the listing.
func (s *unclaimed) index(known map[string]bool) {
	s.present = nil
	s.all = slices.Clip(slices.DeleteFunc(s.all, func(u unclaimedEmail) bool { return known[u.id] }))
	s.left = len(s.all)
	for c := range s.chains {
		s.chains[c] = make(map[uint64]int32)
	}
	for n := int32(len(s.all)) - 1; n >= 0; n-- {
		u := &s.all[n]
		for c, k := range []uint64{hashKey(u.hash), u.message, u.sender} {
			u.next[c] = -1
			if first, ok := s.chains[c][k]; ok {
				u.next[c] = first
			}
			s.chains[c][k] = n
		}
	}
}

// walk calls fn for the emails of a chain that are not claimed, until it
// returns false. Claimed ones leave the chain on the way.
func (s *unclaimed) walk(chain int, k uint64, fn func(n int32, u *unclaimedEmail) bool) {
	n, ok := s.chains[chain][k]
	if !ok {
		return
	}
	last := int32(-1)
	for ; n >= 0; n = s.all[n].next[chain] {
		switch u := &s.all[n]; {
		case !u.claimed:
			last = n
			if !fn(n, u) {
				return
			}
		case last >= 0:
			s.all[last].next[chain] = u.next[chain]
		case u.next[chain] >= 0:
			s.chains[chain][k] = u.next[chain]
		}
	}
}

// byHash finds an email of this content, one received at the same time first;
// -1 is none.
func (s *unclaimed) byHash(hash destination.Hash, received int64) int32 {
	found := int32(-1)
	s.walk(chainHash, hashKey(hash), func(n int32, u *unclaimedEmail) bool {
		if u.hash != hash {
			return true
		}
		if found < 0 || u.received == received {
			found = n
		}
		return u.received != received
	})
	return found
}

func (s *unclaimed) claim(n int32) *unclaimedEmail {
	u := &s.all[n]
	u.claimed = true
	s.left--
	return u
}

// duplicates counts the emails left that are the same message as a claimed
// one: equal in content, or in everything that identifies it.
func (s *unclaimed) duplicates() (n int64) {
	if s.left == 0 {
		return 0
	}
	type identity struct{ message, sender, date uint64 }
	hashes, identities := map[destination.Hash]bool{}, map[identity]bool{}
	for i := range s.all {
		if u := &s.all[i]; u.claimed {
			hashes[u.hash] = true
			if u.message != 0 {
				identities[identity{u.message, u.sender, u.date}] = true
			}
		}
	}
	for i := range s.all {
		if u := &s.all[i]; !u.claimed && (hashes[u.hash] || identities[identity{u.message, u.sender, u.date}]) {
			n++
		}
	}
	return n
}
