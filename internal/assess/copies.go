package assess

import (
	"hash/maphash"
	"slices"
)

// maxCopies bounds the messages of one account that are compared with each
// other: 8 octets of memory each.
const maxCopies = 4 << 20

// copies finds messages that an account holds more than once, by the source's
// GUID. The zero value is ready.
type copies struct {
	seed   maphash.Seed
	hashes []uint64
}

// add takes notice of a message; those without GUID cannot be told apart.
func (c *copies) add(guid string) {
	if guid == "" || len(c.hashes) >= maxCopies {
		return
	}
	if c.hashes == nil {
		c.seed = maphash.MakeSeed()
	}
	c.hashes = append(c.hashes, maphash.String(c.seed, guid))
}

// count is how many messages are there beyond the first of each. add must not
// follow.
func (c *copies) count() int64 {
	all := len(c.hashes)
	slices.Sort(c.hashes)
	return int64(all - len(slices.Compact(c.hashes)))
}
