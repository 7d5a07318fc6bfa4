package cyrus

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source/cyrus/cyrusdb"
)

// reader finds where the account's \Seen of a mailbox is kept
// (imap/mailbox.c, mailbox_internal_seen): in the index for the owner and
// where all readers share one state, else in each reader's seen database.
// Before version 12 of the index, always there.
func (w *walk) reader() error {
	owner, _, _ := w.e.name.owner()
	if w.header.version >= 12 && (owner != "" && owner == w.st.user || w.header.sharedSeen) {
		return nil
	}
	if w.st.acc.Public != nil && w.st.user == "" {
		w.seen = &seenSet{} // nobody's
		return nil
	}
	id := w.e.id
	if id == "" {
		h, err := w.place.header()
		if err != nil && !w.first(err) {
			return err
		}
		id = h.id
	}
	seen, err := w.st.seenOf(id)
	if err != nil {
		return err
	}
	w.seen = &seen
	return nil
}

// first reports whether the mailbox is told for the first time, so that it may
// be told without what a damaged cyrus.header would add. Later the same would
// look as if users had taken their keywords away.
func (w *walk) first(err error) bool {
	if w.again || !errors.Is(err, errHeader) && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	w.st.damaged(w.of, "", "cyrus.header cannot be read: keywords are not carried", err)
	return true
}

// seenOf is what the account has seen of a mailbox, by the mailbox's id.
func (st *Store) seenOf(id string) (seenSet, error) {
	for _, file := range st.stateFiles("seen") {
		now := stampOf(file)
		if now == (stamp{}) {
			continue
		}
		if st.seenFile != file || st.seenAt != now {
			records, err := cyrusdb.Read(file)
			if errors.Is(err, cyrusdb.ErrDamaged) {
				st.damaged(model.Collection{}, "", "the seen state is damaged: some messages may be unread", err)
				err = nil
			}
			if err != nil {
				return nil, err
			}
			st.seen, st.seenFile, st.seenAt = map[string]seenSet{}, file, now
			for _, r := range records {
				set, ok := parseSeen(string(r.Value))
				if !ok {
					st.damaged(model.Collection{}, "", "the seen state of the mailbox with the id "+string(r.Key)+" is damaged: some of its messages may be unread", nil)
				}
				st.seen[string(r.Key)] = set
			}
		}
		return st.seen[id], nil
	}
	return nil, nil
}

// maxHeader bounds cyrus.header: 128 flags and a list of rights.
const maxHeader = 16 << 20

func (p place) header() (header, error) {
	f, err := p.openMeta("cyrus.header")
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxHeader))
	if err != nil {
		return header{}, err
	}
	h, err := parseHeader(raw)
	if err != nil {
		err = fmt.Errorf("%s: %w", f.Name(), err)
	}
	return h, err
}

// flagNames are the names of a mailbox's user flags.
type flagNames struct {
	place place
	names []string
	reads int
	// without decides whether it goes on without names.
	without func(error) bool
}

// of are the keywords of a message. A flag that has no name may be younger
// than the names: they are read once more.
func (n *flagNames) of(r record) ([]string, error) {
	if r.user == [4]uint32{} {
		return nil, nil
	}
	for n.reads == 0 || !n.named(r) && n.reads < 2 {
		h, err := n.place.header()
		n.names, n.reads = h.flags, n.reads+1
		if err != nil && !n.without(err) {
			return nil, err
		}
		if err != nil {
			n.reads = 2
		}
	}
	return sorted(r.keywords(n.names)), nil
}

func (n *flagNames) named(r record) bool {
	for i := range maxFlags {
		if r.user[i/32]&(1<<(i%32)) != 0 && (i >= len(n.names) || n.names[i] == "") {
			return false
		}
	}
	return true
}
