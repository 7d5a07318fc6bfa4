package cyrus

import (
	"slices"
	"strconv"
	"strings"
)

// seenSet are the UIDs that a reader has seen in one mailbox, as ascending
// disjoint ranges.
type seenSet [][2]uint32

// parseSeen reads a value of a seen database: "1 lastread lastuid lastchange
// uids" (imap/seen_db.c). The set may be empty; "*" in it is the last UID.
func parseSeen(v string) (seenSet, bool) {
	f := strings.Fields(v)
	if len(f) < 4 || f[0] != "1" {
		return nil, false
	}
	last, err := strconv.ParseUint(f[2], 10, 32)
	if err != nil {
		return nil, false
	}
	if len(f) == 4 {
		return nil, true
	}
	number := func(s string) (uint32, bool) {
		if s == "*" {
			return uint32(last), true
		}
		n, err := strconv.ParseUint(s, 10, 32)
		return uint32(n), err == nil
	}
	var out seenSet
	whole := true
	for part := range strings.SplitSeq(f[4], ",") {
		from, to, ok := strings.Cut(part, ":")
		if !ok {
			to = from
		}
		a, ok1 := number(from)
		b, ok2 := number(to)
		if !ok1 || !ok2 {
			whole = false
			continue
		}
		out = append(out, [2]uint32{min(a, b), max(a, b)})
	}
	slices.SortFunc(out, func(a, b [2]uint32) int {
		if a[0] < b[0] {
			return -1
		}
		if a[0] > b[0] {
			return 1
		}
		return 0
	})
	return out, whole
}

// has reports whether the UID is in the set. at is where the last search
// ended: UIDs are asked for in ascending order.
func (s seenSet) has(uid uint32, at *int) bool {
	for *at < len(s) && s[*at][1] < uid {
		*at++
	}
	return *at < len(s) && s[*at][0] <= uid
}
