package dav

import (
	"net/http"
	"net/url"
	"slices"

	"mailhaul.org/mailhaul/internal/model"
)

// maxHeld is how many files are held in memory between the walk that finds the
// folders of an account and the listing of each: what is in the others is asked
// for again.
const maxHeld = 20_000

// held are the files that the walk saw in each folder, by the folder's ID. A
// listing takes them once: they are as old as the folder's fingerprint, so that
// what changes afterwards is found by the next run.
type held struct {
	folders map[string][]model.Object
	n       int
}

// put holds what a folder has. What came twice, because the connection broke
// meanwhile, counts once.
func (h *held) put(folder string, files []model.Object) {
	seen := map[string]bool{}
	files = slices.DeleteFunc(files, func(o model.Object) bool {
		again := seen[o.ID]
		seen[o.ID] = true
		return again
	})
	if h.n += len(files); h.n <= maxHeld {
		h.folders[folder] = files
	}
}

func (h *held) take(folder string) ([]model.Object, bool) {
	files, ok := h.folders[folder]
	delete(h.folders, folder)
	return files, ok
}

// member is an object of a listing; ok is false for what is none, or vanished
// while the list was made. One that the server fails to look at is a member:
// reading it tells why, and nobody takes it for deleted.
func (l *listing) member(base *url.URL, r *response) (o model.Object, ok bool) {
	at := resolveHref(base, r.href, l.st.src.trusts)
	if r.href == "" || pathKey(at.EscapedPath()) == pathKey(base.EscapedPath()) {
		return o, false
	}
	if r.is(dav("collection")) {
		if l.c.Kind != model.KindFiles {
			l.st.odd.see(shownAs(l.c), inside, lastSegment(at.EscapedPath()))
		}
		return o, false
	}
	switch r.status {
	case http.StatusNotFound, http.StatusGone, http.StatusInsufficientStorage: // the last one speaks of the listing
		return o, false
	}
	o = l.object(at, r)
	if r.status/100 <= 2 {
		l.st.sees(l.c, r, o)
	}
	return o, true
}

// fromWalk reports the files of a folder as the walk saw them; ok is false where
// they are not held.
func (l *listing) fromWalk(since string) (ok bool, err error) {
	if l.c.Kind != model.KindFiles {
		return false, nil
	}
	files, ok := l.st.held.take(l.c.ID)
	if !ok {
		return false, nil
	}
	now := l.c.Fingerprint
	if now != "" && now == since {
		return true, l.put(model.ObjectChange{Op: model.OpCheckpoint, Cursor: now})
	}
	if err := l.open(); err != nil {
		return true, err
	}
	for _, o := range files {
		if err := l.put(model.ObjectChange{Op: model.OpUpsert, Object: o}); err != nil {
			return true, err
		}
	}
	return true, l.put(model.ObjectChange{Op: model.OpCheckpoint, Cursor: now})
}
