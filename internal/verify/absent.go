package verify

// absent is a message that was moved and is no longer in its mailbox at the
// destination.
type absent struct {
	uid    uint64
	remote string
}

// absent has a message looked for, with others.
func (w *walk) absent(a absent) error {
	if w.gone = append(w.gone, a); len(w.gone) < rereadChunk {
		return nil
	}
	return w.lookFor()
}

// lookFor asks where messages are that are not where they were put: filed
// elsewhere is a user's doing and kept, nowhere is missing.
func (w *walk) lookFor() error {
	if len(w.gone) == 0 {
		return nil
	}
	ids := make([]string, len(w.gone))
	for i, a := range w.gone {
		ids[i] = a.remote
	}
	found, err := w.dst.Emails(w.ctx, ids)
	if err != nil {
		return err
	}
	for _, a := range w.gone {
		if _, ok := found[a.remote]; ok {
			w.m.Kept++
			w.find(w.m.Name, uid(a.uid), "kept", "its user has filed it elsewhere at the destination")
			continue
		}
		w.m.Missing++
		w.find(w.m.Name, uid(a.uid), "missing", "was moved, but is no longer at the destination")
	}
	w.gone = w.gone[:0]
	return nil
}
