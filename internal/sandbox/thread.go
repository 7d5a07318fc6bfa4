package sandbox

// threadKey is one way for emails to meet: the same normalised subject and
// one message id in common.
type threadKey struct{ subject, id string }

func (e *email) threadKeys() []threadKey {
	name := threadName(e.head.subject)
	keys := make([]threadKey, len(e.head.threadIDs))
	for i, id := range e.head.threadIDs {
		keys[i] = threadKey{name, id}
	}
	return keys
}

// findThread returns the thread that a new email belongs to and, if it joins
// several, all of them. The largest group of matching emails wins, then the
// lowest number.
func (a *account) findThread(keys []threadKey) (thread uint32, found bool, all []uint32) {
	counts := map[uint32]int{}
	seen := map[uint32]bool{}
	for _, k := range keys {
		for doc := range a.threading[k] {
			if !seen[doc] {
				seen[doc] = true
				counts[a.emails[doc].thread]++
			}
		}
	}
	if len(counts) == 0 {
		return 0, false, nil
	}
	all = sortedKeys(counts)
	best := all[0]
	for _, t := range all {
		if counts[t] > counts[best] {
			best = t
		}
	}
	return best, true, all
}

// fileInThread indexes a new email.
func (a *account) fileInThread(e *email) {
	for _, k := range e.threadKeys() {
		if a.threading[k] == nil {
			a.threading[k] = map[uint32]struct{}{}
		}
		a.threading[k][e.doc] = struct{}{}
	}
	if a.threads[e.thread] == nil {
		a.threads[e.thread] = map[uint32]struct{}{}
	}
	a.threads[e.thread][e.doc] = struct{}{}
}

// mergeThreads gives all emails of the threads the number of the largest
// one. Their ids change: they are reported as destroyed and created.
func (a *account) mergeThreads(threads []uint32) {
	live := threads[:0:0]
	for _, t := range threads {
		if len(a.threads[t]) > 0 {
			live = append(live, t)
		}
	}
	if len(live) < 2 {
		return
	}
	best := live[0]
	for _, t := range live {
		if n, m := len(a.threads[t]), len(a.threads[best]); n > m || n == m && t < best {
			best = t
		}
	}
	change := a.nextChange()
	for _, t := range live {
		if t == best {
			continue
		}
		for _, doc := range sortedKeys(a.threads[t]) {
			e := a.emails[doc]
			a.logs[logEmail].add(change, deleteItem, e.id())
			e.thread = best
			a.logs[logEmail].add(change, insertItem, e.id())
			a.threads[best][doc] = struct{}{}
		}
		delete(a.threads, t)
		a.logs[logThread].add(change, deleteContainer, uint64(t))
	}
	a.logs[logThread].add(change, updateContainer, uint64(best))
}
