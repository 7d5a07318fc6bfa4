package sandbox

import "sort"

// changeLog records changes for Foo/changes (RFC 8620 §5.2). Entries are in
// order of their change numbers.
type changeLog struct {
	entries   []logEntry
	cutAt     uint64 // last change that was cut off
	item      uint64 // last change of an item
	container uint64 // last change of a container or its properties
}

type logEntry struct {
	change uint64
	op     logOp
	id     uint64
}

type logOp uint8

const (
	insertItem logOp = iota
	updateItem
	deleteItem
	insertContainer
	updateContainer
	deleteContainer
	updateContainerProperty // only the counts changed
)

func (op logOp) isContainer() bool { return op >= insertContainer }

func (l *changeLog) add(change uint64, op logOp, id uint64) {
	l.entries = append(l.entries, logEntry{change, op, id})
	if op.isContainer() {
		l.container = change
	} else {
		l.item = change
	}
}

// cut leaves the changes of the last n transactions.
func (l *changeLog) cut(n int) {
	seen, last := 0, uint64(0)
	for i := len(l.entries) - 1; i >= 0; i-- {
		if c := l.entries[i].change; c != last {
			if seen++; seen > n {
				l.entries = append([]logEntry(nil), l.entries[i+1:]...)
				l.cutAt = c
				return
			}
			last = c
		}
	}
}

// list folds the changes in (since, to] into what became of each object, in
// order of first mention: created and then updated is created, created and
// then destroyed is nothing.
func (l *changeLog) list(container bool, since, to uint64) []logEntry {
	at := map[uint64]int{}
	var out []logEntry
	dead := 0
	for _, e := range l.entries[l.after(since):] {
		if e.change > to {
			break
		}
		if e.op.isContainer() != container {
			continue
		}
		i, seen := at[e.id]
		if !seen {
			at[e.id] = len(out)
			out = append(out, e)
			continue
		}
		prev := out[i].op
		switch e.op {
		case deleteItem, deleteContainer:
			if prev == insertItem || prev == insertContainer {
				out[i].op = 255
				dead++
				delete(at, e.id)
			} else {
				out[i].op = e.op
			}
		case updateContainer:
			if prev == updateContainerProperty {
				out[i].op = e.op
			}
		case insertItem, insertContainer:
			// Destroyed and back again: an update.
			if prev == deleteItem {
				out[i].op = updateItem
			} else if prev == deleteContainer {
				out[i].op = updateContainer
			}
		}
	}
	if dead > 0 {
		kept := out[:0]
		for _, e := range out {
			if e.op != 255 {
				kept = append(kept, e)
			}
		}
		out = kept
	}
	return out
}

// after returns the index of the first entry later than the change.
func (l *changeLog) after(change uint64) int {
	return sort.Search(len(l.entries), func(i int) bool { return l.entries[i].change > change })
}

// holds reports whether the log can tell what happened since the change. Like
// the server's, it does not mind a number that it never gave out, as long as
// later ones exist.
func (l *changeLog) holds(change uint64) bool {
	if n := len(l.entries); n == 0 || l.entries[n-1].change < change {
		return false
	}
	return change >= l.cutAt
}

// changes answers Foo/changes from one log.
func (c *call) changes(l *changeLog, container bool) (obj, []logEntry, *methodError) {
	arg := c.args.get("sinceState")
	since, ok := parseState(arg.text)
	if arg.kind != kindString || arg.escaped || !ok {
		return nil, nil, invalidArguments("invalid JMAP State")
	}
	max := c.s.limits.ChangesMaxResults
	if m := c.args.get("maxChanges"); m.isSet() {
		n, ok := m.integer()
		if !ok || n < 0 {
			return nil, nil, invalidArguments("invalid maxChanges")
		}
		if n > 0 && int(n) < max {
			max = int(n)
		}
	}
	last := l.item
	if container {
		last = l.container
	}
	out := obj{"accountId": formatID32(c.account), "oldState": since.String(), "newState": "n", "hasMoreChanges": false,
		"created": []any{}, "updated": []any{}, "destroyed": []any{}}

	from, to, sent := uint64(0), ^uint64(0), 0
	switch since.kind {
	case 'n':
		if len(l.entries) == 0 {
			return out, nil, nil
		}
	case 's':
		if since == exactState(last) {
			out["newState"] = since.String()
			return out, nil, nil
		}
		if !l.holds(since.to) {
			return nil, nil, errCannotCalculate
		}
		from = since.to
	case 'r':
		if !l.holds(since.from) {
			return nil, nil, errCannotCalculate
		}
		from, to, sent = since.from-1, since.to, int(since.sent)
		if all := l.list(container, from, to); sent >= len(all) {
			from, to, sent = since.to, ^uint64(0), 0
		}
	}
	all := l.list(container, from, to)
	first := from + 1
	if i := l.after(from); i < len(l.entries) {
		first = l.entries[i].change
	}
	if sent > len(all) {
		sent = len(all)
	}
	page := all[sent:]
	if len(page) > max {
		end := to
		if last < end {
			end = last
		}
		page = page[:max]
		out["newState"] = state{kind: 'r', from: first, to: end, sent: uint64(sent + max)}.String()
		out["hasMoreChanges"] = true
	} else {
		out["newState"] = exactState(last).String()
	}
	var created, updated, destroyed = []any{}, []any{}, []any{}
	for _, e := range page {
		id := formatID(e.id)
		switch e.op {
		case insertItem, insertContainer:
			created = append(created, id)
		case deleteItem, deleteContainer:
			destroyed = append(destroyed, id)
		default:
			updated = append(updated, id)
		}
	}
	out["created"], out["updated"], out["destroyed"] = created, updated, destroyed
	return out, page, nil
}
