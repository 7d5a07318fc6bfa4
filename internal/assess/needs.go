package assess

import (
	"fmt"

	"mailhaul.org/mailhaul/internal/destination"
)

// Need is something that the destination must have room for.
type Need struct {
	What string `json:"what"`
	// Needed is the number, in octets if Octets is set; Limit is what the
	// destination allows, 0 where there is no limit or it is not known.
	Needed int64 `json:"needed"`
	Limit  int64 `json:"limit,omitempty"`
	Octets bool  `json:"octets,omitempty"`
	// Account is where the need comes from, empty for all together.
	Account string `json:"account,omitempty"`
	Remedy  string `json:"remedy,omitempty"` // when the limit is too low
	Note    string `json:"note,omitempty"`
}

// Short reports that the limit is too low.
func (n Need) Short() bool { return n.Limit > 0 && n.Needed > n.Limit }

// AssumedOverhead is how much larger than the mail a Stalwart's store is
// planned, for its records, its indexes and the room that compaction takes. It
// is an assumption, and named as one in the report.
const AssumedOverhead = 1.5

func needs(a Assessment, l destination.Limits) []Need {
	out := []Need{{What: "disk", Octets: true, Needed: int64(float64(a.Total.Octets) * AssumedOverhead),
		Note: fmt.Sprintf("the mail and half as much again for records, indexes and compaction: an assumption (%.1f)", AssumedOverhead)}}
	most := func(what string, octets bool, limit int64, remedy string, value func(Account) int64) {
		n := Need{What: what, Octets: octets, Limit: limit}
		for _, acc := range a.Accounts {
			if v := value(acc); v > n.Needed {
				n.Needed, n.Account = v, acc.Login
			}
		}
		if n.Short() {
			n.Remedy = remedy
		}
		if n.Needed > 0 {
			out = append(out, n)
		}
	}
	most("largest account", true, 0, "", func(a Account) int64 { return a.Octets })
	most("largest message", true, l.MaxMessage, "raise the destination's limit on message size", func(a Account) int64 { return a.Largest.Octets })
	most("mailboxes of one account", false, int64(l.MaxMailboxes), "raise x:Email maxMailboxes; `mailhaul check --fix` does",
		func(a Account) int64 { return a.Mailboxes })
	most("levels of mailboxes", false, int64(l.MaxMailboxDepth), "raise x:Email maxMailboxDepth; deeper mailboxes are put at the deepest level otherwise",
		func(a Account) int64 { return int64(a.Depth) })
	most("keywords of one account", false, int64(l.MaxKeywords), "the destination cannot show more: the first that come are kept, the others named in the report",
		func(a Account) int64 { return int64(a.Keywords) })
	most("readers of one mailbox", false, int64(l.MaxShares), "let mailhaul check --fix raise x:Sharing maxShares, or share with a group", func(a Account) int64 { return int64(a.Readers) })
	return out
}
