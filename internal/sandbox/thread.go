package sandbox

// threadKey is one way for emails to meet: the same normalised subject and
// one message id in common.
type threadKey struct{ subject, id string }

// threadGroup is who shares a key. The count per thread spares walking over
// the emails of a long thread each time that one more joins it.
type threadGroup struct {
	docs    map[uint32]struct{}
	threads map[uint32]int // emails of this group by thread
}

func (a *account) joinGroup(k threadKey, e *email) {
	g := a.threading[k]
	if g == nil {
		g = &threadGroup{docs: map[uint32]struct{}{}, threads: map[uint32]int{}}
		a.threading[k] = g
	}
	if _, ok := g.docs[e.doc]; !ok {
		g.docs[e.doc] = struct{}{}
		g.threads[e.thread]++
	}
}

func (a *account) leaveGroup(k threadKey, e *email) {
	g := a.threading[k]
	if g == nil {
		return
	}
	if _, ok := g.docs[e.doc]; !ok {
		return
	}
	delete(g.docs, e.doc)
	if g.threads[e.thread]--; g.threads[e.thread] == 0 {
		delete(g.threads, e.thread)
	}
	if len(g.docs) == 0 {
		delete(a.threading, k)
	}
}

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
	for _, k := range keys {
		if g := a.threading[k]; g != nil {
			for t := range g.threads {
				counts[t] = 0
			}
		}
	}
	if len(counts) == 0 {
		return 0, false, nil
	}
	if len(counts) > 1 {
		seen := map[uint32]bool{}
		for _, k := range keys {
			if g := a.threading[k]; g != nil {
				for doc := range g.docs {
					if !seen[doc] {
						seen[doc] = true
						counts[a.emails[doc].thread]++
					}
				}
			}
		}
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
		a.joinGroup(k, e)
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
			keys := e.threadKeys()
			for _, k := range keys {
				a.leaveGroup(k, e)
			}
			e.thread = best
			for _, k := range keys {
				a.joinGroup(k, e)
			}
			a.logs[logEmail].add(change, insertItem, e.id())
			a.threads[best][doc] = struct{}{}
		}
		delete(a.threads, t)
		a.logs[logThread].add(change, deleteContainer, uint64(t))
	}
	a.logs[logThread].add(change, updateContainer, uint64(best))
}
