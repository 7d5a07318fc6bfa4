package sandbox

import "slices"

// queryPage answers a Foo/query (RFC 8620 §5.5) from all matching ids. place tells
// where one of them is among them, or -1; nil: they are in no order.
func (c *call) queryPage(st string, ids []uint64, place func(id uint64) int) (obj, *methodError) {
	max := c.s.limits.QueryMaxResults
	limit := max
	if l := c.args.get("limit"); l.isSet() {
		n, ok := l.integer()
		if !ok || n < 0 {
			return nil, invalidArguments("invalid limit")
		}
		limit = 0 // the server reads 0 as no cap
		if n > 0 {
			limit = int(min(n, int64(max)))
		}
	}
	position := 0
	if p := c.args.get("position"); p.isSet() {
		n, ok := p.integer()
		if !ok {
			return nil, invalidArguments("invalid position")
		}
		position = int(n)
	}
	total := len(ids)
	start := position
	switch anchor := c.args.get("anchor"); {
	case anchor.isSet():
		id, err := parseID(anchor.text)
		if err != nil {
			return nil, invalidArguments("invalid anchor")
		}
		if place == nil {
			place = func(id uint64) int { return slices.Index(ids, id) }
		}
		if start = place(id); start < 0 {
			return nil, errAnchorNotFound
		}
		if o, ok := c.args.get("anchorOffset").integer(); ok {
			start += int(o)
		}
		start = max0(start)
	case start < 0:
		start = max0(total + start)
	}
	out := obj{"accountId": formatID32(c.account), "queryState": st, "canCalculateChanges": true, "position": start}
	if c.args.get("calculateTotal").bool {
		out["total"] = total
	}
	if total > limit {
		out["limit"] = limit
	}
	page := ids[min(start, total):]
	if limit > 0 && len(page) > limit {
		page = page[:limit]
	}
	if start > total {
		out["position"] = 0
	}
	list := make([]any, len(page))
	for i, id := range page {
		list[i] = formatID(id)
	}
	out["ids"] = list
	return out, nil
}

func max0(n int) int { return max(n, 0) }
