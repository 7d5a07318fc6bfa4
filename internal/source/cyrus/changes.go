package cyrus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
)

// cursor is the state of an index: nothing changes in it without a higher
// mod-sequence.
type cursor struct {
	validity uint32
	modseq   uint64
	last     uint32 // UID
}

func cursorOf(h indexHeader) cursor { return cursor{h.validity, h.modseq, h.lastUID} }

func (c cursor) String() string { return fmt.Sprintf("cyrus:%d:%d:%d", c.validity, c.modseq, c.last) }

func parseCursor(s string) (c cursor, ok bool) {
	n, err := fmt.Sscanf(s, "cyrus:%d:%d:%d", &c.validity, &c.modseq, &c.last)
	return c, err == nil && n == 3 && c.String() == s
}

// Changes implements source.Store. The index keeps mod-sequences, so only
// what has changed is told, with the UIDs that are left; before version 12,
// everything.
func (st *Store) Changes(ctx context.Context, c model.Collection, since string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) {
		if err := st.changes(ctx, c, since, yield); err != nil {
			yield(model.Change{}, err)
		}
	}
}

// errStopped: nobody wants more.
var errStopped = errors.New("stopped")

func (st *Store) changes(ctx context.Context, c model.Collection, since string, yield func(model.Change, error) bool) error {
	e, err := st.entry(c)
	if err != nil {
		return err
	}
	p, err := st.src.place(e)
	if err != nil {
		return st.fault(c.Native, err)
	}
	w := &walk{st: st, e: e, place: p, of: c, yield: yield}
	w.flags = flagNames{place: p, without: w.first}
	w.since, w.delta = parseCursor(since)
	w.again = since != ""
	f, err := p.openMeta("cyrus.index")
	if err == nil {
		defer f.Close()
		w.header, err = readIndexHeader(f, st.src.opts.Pause)
	}
	if (errors.Is(err, errIndex) || errors.Is(err, fs.ErrNotExist) && p.holdsMessages()) && !w.again && e.validity > 0 {
		// Without the index there are still the messages.
		err = w.filesOnly(err)
	} else if err == nil {
		err = w.run(ctx, f)
	}
	if errors.Is(err, errStopped) {
		return nil
	}
	if err != nil && ctx.Err() == nil {
		return st.fault(c.Native, err)
	}
	return err
}

// walk is one sequence of changes of a mailbox.
type walk struct {
	st    *Store
	e     entry
	place place
	of    model.Collection
	yield func(model.Change, error) bool

	since  cursor
	delta  bool
	again  bool // an earlier run was told of the mailbox
	header indexHeader
	flags  flagNames
	seen   *seenSet // nil: the index tells
	at     int      // in seen
	live   []model.UIDRange
}

func (w *walk) give(c model.Change) error {
	if !w.yield(c, nil) {
		return errStopped
	}
	return nil
}

func (w *walk) run(ctx context.Context, f io.ReaderAt) error {
	h := w.header
	if err := w.reader(); err != nil {
		return err
	}
	w.delta = w.delta && !w.st.seenAside() && h.version >= 12 && w.since.validity == h.validity && w.since.modseq > 0
	now := cursorOf(h)
	cursor := now.String()
	if w.delta && w.since == now {
		return w.give(model.Change{Op: model.OpCheckpoint, Cursor: cursor})
	}
	// What cannot be read must not pass for gone, and a listing says first
	// that it is one.
	readable, bad, err := w.survey(f)
	if err != nil {
		return err
	}
	if bad == 0 && !w.delta {
		if err := w.give(model.Change{Op: model.OpListing}); err != nil {
			return err
		}
	}
	n := 0
	s := scan{file: f, header: h, pause: w.st.src.opts.Pause}
	serr := s.run(func(r record) bool {
		if n++; n%chunk == 0 && ctx.Err() != nil {
			err = ctx.Err()
			return false
		}
		if r.live() {
			err = w.message(r)
		}
		return err == nil
	})
	switch {
	case err != nil:
		return err
	case serr != nil:
		return serr
	case bad > 0:
		w.st.damaged(w.of, "", plural.Count(bad, "record")+plural.Of(bad, " of cyrus.index is damaged: its message is carried without flags", " of cyrus.index are damaged: their messages are carried without flags"), nil)
		if err := w.recovered(readable); err != nil {
			return err
		}
		return w.give(model.Change{Op: model.OpCheckpoint})
	case s.bad > 0:
		return fmt.Errorf("%w: %s cannot be read any more", errIndex, plural.Count(s.bad, "record"))
	}
	if w.delta {
		if err := w.give(model.Change{Op: model.OpSurvivors, UIDs: w.live}); err != nil {
			return err
		}
	}
	return w.give(model.Change{Op: model.OpCheckpoint, Cursor: cursor})
}

// survey counts the records that cannot be read. If there are some, it tells
// the UIDs of the others.
func (w *walk) survey(f io.ReaderAt) (readable map[uint64]bool, bad int, err error) {
	s := scan{file: f, header: w.header, pause: w.st.src.opts.Pause}
	if err := s.run(func(record) bool { return true }); err != nil || s.bad == 0 {
		return nil, 0, err
	}
	readable, bad = map[uint64]bool{}, s.bad
	s = scan{file: f, header: w.header, pause: func(int) {}}
	err = s.run(func(r record) bool { readable[uint64(r.uid)] = true; return true })
	return readable, bad, err
}

// message tells one live message, if it has changed.
func (w *walk) message(r record) error {
	uid := uint64(r.uid)
	switch k := len(w.live) - 1; {
	case !w.delta: // a listing tells of all
	case k >= 0 && w.live[k].Last+1 == uid:
		w.live[k].Last = uid
	default:
		w.live = append(w.live, model.UIDRange{First: uid, Last: uid})
	}
	if w.delta && r.modseq <= w.since.modseq && r.uid <= w.since.last {
		return nil
	}
	it := model.Item{ItemRef: model.ItemRef{UID: uid, GUID: r.identity()}, Received: r.received, Size: r.size}
	it.Flags.System = r.system()
	if w.seen != nil {
		it.Flags.System &^= model.Seen
		if w.seen.has(r.uid, &w.at) {
			it.Flags.System |= model.Seen
		}
	}
	var err error
	if it.Flags.Keywords, err = w.flags.of(r); err != nil {
		return err
	}
	return w.give(model.Change{Op: model.OpUpsert, Item: it})
}

// holdsMessages: a mailbox that is being deleted has no files, and one that lost
// its index has.
func (p place) holdsMessages() bool {
	for _, dir := range p.messages {
		files, err := os.ReadDir(dir)
		if err == nil && slices.ContainsFunc(files, func(f fs.DirEntry) bool { return isMessage(f.Name()) }) {
			return true
		}
	}
	return false
}

// isMessage: the file of the message with UID 7 is "7.".
func isMessage(name string) bool {
	number, ok := strings.CutSuffix(name, ".")
	uid, err := strconv.ParseUint(number, 10, 32)
	return ok && err == nil && uid > 0
}

// filesOnly tells the messages of a mailbox whose index is lost.
func (w *walk) filesOnly(why error) error {
	w.st.damaged(w.of, "", "cyrus.index cannot be read: messages are carried without flags", why)
	if err := w.recovered(nil); err != nil {
		return err
	}
	return w.give(model.Change{Op: model.OpCheckpoint})
}

// recovered tells the messages that lie in the folder and are not known, with
// the time of the file, which Cyrus sets to the date of receipt. What an
// earlier run has told already keeps its flags.
func (w *walk) recovered(known map[uint64]bool) error {
	var items []model.Item
	for _, dir := range w.place.messages {
		files, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, f := range files {
			number, ok := strings.CutSuffix(f.Name(), ".")
			uid, err := strconv.ParseUint(number, 10, 32)
			if !ok || err != nil || uid == 0 || known[uid] || uid <= uint64(w.since.last) {
				continue
			}
			if info, err := f.Info(); err == nil && info.Mode().IsRegular() {
				items = append(items, model.Item{ItemRef: model.ItemRef{UID: uid}, Received: info.ModTime().UTC().Truncate(time.Second), Size: info.Size()})
			}
		}
	}
	slices.SortFunc(items, func(a, b model.Item) int { return cmp.Compare(a.UID, b.UID) })
	for _, it := range slices.CompactFunc(items, func(a, b model.Item) bool { return a.UID == b.UID }) {
		if err := w.give(model.Change{Op: model.OpUpsert, Item: it}); err != nil {
			return err
		}
	}
	return nil
}
