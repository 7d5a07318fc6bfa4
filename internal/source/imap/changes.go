package imap

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"mailhaul.org/mailhaul/internal/model"
)

// listRange is how many messages are asked for at once.
const listRange = 2000

// changedRange is about how many messages are asked for changes at once: mostly few
// have changed, but it may be all of them.
const changedRange = 100_000

// cursor is the state of a mailbox as of an EXAMINE.
type cursor struct {
	validity uint32
	modseq   uint64
	next     imap.UID
	count    uint32
}

func (c cursor) String() string {
	return fmt.Sprintf("v1:%d:%d:%d:%d", c.validity, c.modseq, c.next, c.count)
}

func parseCursor(s string) (c cursor, ok bool) {
	var next uint32
	n, err := fmt.Sscanf(s, "v1:%d:%d:%d:%d", &c.validity, &c.modseq, &next, &c.count)
	c.next = imap.UID(next)
	return c, err == nil && n == 4 && c.String() == s
}

// examine opens a mailbox read-only where that is possible, and with CONDSTORE
// so that its mod-sequences count from now on (RFC 7162 §3.1).
func (st *Store) examine(mailbox string) (*imap.SelectData, error) {
	data, err := st.ses.Select(mailbox, &imap.SelectOptions{ReadOnly: !st.src.courier.Load(), CondStore: st.ses.caps.Has(imap.CapCondStore)}).Wait()
	st.ses.selected = ""
	if err == nil {
		st.ses.selected = mailbox
	}
	return data, err
}

// Changes implements source.Store. With CONDSTORE only what changed since
// the cursor is told, and deletions when the counts show that there were any.
func (st *Store) Changes(ctx context.Context, c model.Collection, since string) iter.Seq2[model.Change, error] {
	return func(yield func(model.Change, error) bool) {
		w := &walk{st: st, mailbox: c.Native, yield: yield}
		w.since, w.delta = parseCursor(since)
		err := st.retry(ctx, func() (bool, error) {
			before := w.from
			err := w.run()
			return w.from > before, err
		})
		if err != nil && !w.stopped {
			yield(model.Change{}, st.fault(c.Native, err))
		}
	}
}

// walk is one sequence of changes; run may be called again after the
// connection broke, and goes on where it was.
type walk struct {
	st      *Store
	mailbox string
	yield   func(model.Change, error) bool
	since   cursor
	delta   bool
	opened  bool // OpListing was sent
	at      cursor
	from    imap.UID // everything below was told
	told    uint32   // messages told in a listing
	fresh   uint32   // messages told that are newer than the cursor
	stopped bool
}

func (w *walk) give(c model.Change) bool {
	if !w.stopped && !w.yield(c, nil) {
		w.stopped = true
	}
	return !w.stopped
}

func (w *walk) run() error {
	data, err := w.st.examine(w.mailbox)
	if err != nil {
		return err
	}
	now := cursor{validity: data.UIDValidity, modseq: data.HighestModSeq, next: data.UIDNext, count: data.NumMessages}
	if w.from > 0 && now.validity != w.at.validity {
		return model.Faultf(model.ClassAccount, "uidvalidity", "%s: UIDVALIDITY changed while it was read; run again", w.mailbox)
	}
	if w.from == 0 {
		w.at, w.from = now, 1
		w.delta = w.delta && w.since.validity == now.validity && w.since.modseq > 0 && now.modseq > 0
	}
	switch {
	case !w.delta:
		err = w.listing(data)
	case w.since == w.at:
	default:
		err = w.changed(data)
	}
	if err != nil || w.stopped {
		return err
	}
	cursor := ""
	if w.at.modseq > 0 {
		cursor = w.at.String()
	}
	w.give(model.Change{Op: model.OpCheckpoint, Cursor: cursor})
	return nil
}

// listing tells everything, in ranges of which the next is asked for before
// the last one is read.
func (w *walk) listing(data *imap.SelectData) error {
	if !w.opened {
		w.opened = true
		if !w.give(model.Change{Op: model.OpListing}) {
			return nil
		}
	}
	if data.NumMessages > 0 {
		ranges, err := w.ranges(data)
		if err != nil {
			return err
		}
		if err := w.fetch(ranges, 0); err != nil {
			return err
		}
	}
	w.at.count = w.told
	return nil
}

// changed tells what has a higher mod-sequence than the cursor, then what is
// left if the counts do not fit.
func (w *walk) changed(data *imap.SelectData) error {
	if data.HighestModSeq != w.since.modseq || w.at.next != w.since.next {
		if w.at.next > 1 {
			if err := w.fetch(pieces(w.from, w.at.next, w.at.next/imap.UID(data.NumMessages/w.st.src.changed+1)+1), w.since.modseq); err != nil || w.stopped {
				return err
			}
		}
	}
	expected := w.since.count + w.fresh
	if data.NumMessages >= expected && w.at.count == expected {
		return nil
	}
	alive, err := w.alive()
	if err != nil {
		return err
	}
	count := uint32(0)
	var out []model.UIDRange
	for _, r := range alive {
		if r.Start >= w.at.next {
			break
		}
		last := min(r.Stop, w.at.next-1)
		out = append(out, model.UIDRange{First: uint64(r.Start), Last: uint64(last)})
		count += uint32(last-r.Start) + 1
	}
	w.at.count = count
	if count > expected {
		// There is more than was told: mod-sequences cannot be trusted here.
		w.from = 1
		ranges, err := w.ranges(data)
		if err != nil {
			return err
		}
		if err := w.fetch(ranges, 0); err != nil {
			return err
		}
	}
	w.give(model.Change{Op: model.OpSurvivors, UIDs: out})
	return nil
}

// alive asks for all UIDs, in ranges with ESEARCH (RFC 4731).
func (w *walk) alive() ([]imap.UIDRange, error) {
	var opts *imap.SearchOptions
	if w.st.ses.caps.Has(imap.CapESearch) {
		opts = &imap.SearchOptions{ReturnAll: true}
	}
	data, err := w.st.ses.UIDSearch(&imap.SearchCriteria{}, opts).Wait()
	if err != nil {
		return nil, err
	}
	set, _ := data.All.(imap.UIDSet)
	set = slices.Clone(set)
	slices.SortFunc(set, func(a, b imap.UIDRange) int { return int(int64(a.Start) - int64(b.Start)) })
	return set, nil
}

// ranges cuts the mailbox into pieces of about listRange messages. Where
// UIDs are sparse the server is asked which exist.
func (w *walk) ranges(data *imap.SelectData) ([]imap.UIDRange, error) {
	if next := data.UIDNext; next > 0 && uint64(next) < 4*uint64(data.NumMessages)+listRange {
		return pieces(w.from, next, listRange), nil
	}
	alive, err := w.alive()
	if err != nil {
		return nil, err
	}
	var out []imap.UIDRange
	n := imap.UID(0)
	for _, r := range alive {
		r.Start = max(r.Start, w.from)
		for r.Start <= r.Stop && r.Stop > 0 {
			last := min(r.Stop, r.Start+listRange-1)
			if k := len(out) - 1; k >= 0 && n+last-r.Start < listRange {
				out[k].Stop = last
				n += last - r.Start + 1
			} else {
				out = append(out, imap.UIDRange{Start: r.Start, Stop: last})
				n = last - r.Start + 1
			}
			r.Start = last + 1
		}
	}
	return out, nil
}

// pieces are the UIDs from one on to below another, so many at a time.
func pieces(from, next, size imap.UID) (out []imap.UIDRange) {
	for from < next {
		n := min(size, next-from)
		out = append(out, imap.UIDRange{Start: from, Stop: from + n - 1})
		from += n
	}
	return out
}

// answer is what one FETCH told.
type answer struct {
	items []model.Item
	err   error
}

// ask sends a FETCH and receives its answer in the background: a server may
// mix the answers to commands that it was sent together.
func (w *walk) ask(r imap.UIDRange, since uint64) <-chan answer {
	opts := &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true, ChangedSince: since,
		Envelope: w.st.src.guids()}
	w.st.ses.guid.asking.Store(true)
	defer w.st.ses.guid.asking.Store(false)
	cmd := w.st.ses.Fetch(imap.UIDSet{r}, opts)
	out := make(chan answer, 1)
	go func() {
		items, err := collect(cmd)
		out <- answer{items, err}
	}()
	return out
}

// fetch tells the messages of the ranges, in ascending order of UID.
func (w *walk) fetch(ranges []imap.UIDRange, since uint64) error {
	var ahead <-chan answer
	for i, r := range ranges {
		now := ahead
		if now == nil {
			now = w.ask(r, since)
		}
		if ahead = nil; i+1 < len(ranges) {
			ahead = w.ask(ranges[i+1], since)
		}
		got := <-now
		if no, ok := errors.AsType[*imap.Error](got.err); ok && no.Type == imap.StatusResponseTypeBad && w.st.src.guids() {
			// The server does not know the attribute: without it, then.
			w.st.src.noGUIDs.Store(true)
			if ahead != nil {
				<-ahead
			}
			return w.fetch(ranges[i:], since)
		}
		if got.err != nil {
			return got.err
		}
		for _, it := range got.items {
			if it.UID >= uint64(w.since.next) {
				w.fresh++
			}
			w.told++
			w.from = imap.UID(it.UID) + 1
			if !w.give(model.Change{Op: model.OpUpsert, Item: it}) {
				if ahead != nil {
					<-ahead
				}
				return nil
			}
		}
	}
	return nil
}

// collect reads the answers to one FETCH, sorted by UID.
func collect(cmd *imapclient.FetchCommand) ([]model.Item, error) {
	defer cmd.Close()
	var items []model.Item
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		it := model.Item{Size: -1}
		for part := msg.Next(); part != nil; part = msg.Next() {
			switch p := part.(type) {
			case imapclient.FetchItemDataUID:
				it.UID = uint64(p.UID)
			case imapclient.FetchItemDataFlags:
				it.Flags = flagsOf(p.Flags)
			case imapclient.FetchItemDataInternalDate:
				it.Received = p.Time.UTC()
			case imapclient.FetchItemDataRFC822Size:
				it.Size = p.Size
			case imapclient.FetchItemDataEnvelope:
				// Cyrus says so of messages that it has no digest of.
				if strings.Trim(p.Envelope.Subject, "M0") != "" {
					it.GUID = p.Envelope.Subject
				}
			}
		}
		if it.UID > 0 && !it.Received.IsZero() {
			items = append(items, it)
		}
	}
	if err := cmd.Close(); err != nil {
		return nil, err
	}
	slices.SortFunc(items, func(a, b model.Item) int { return int(int64(a.UID) - int64(b.UID)) })
	return items, nil
}

// flagsOf sorts IMAP flags into system flags and keywords.
func flagsOf(flags []imap.Flag) model.Flags {
	var f model.Flags
	for _, fl := range flags {
		switch fl {
		case imap.FlagSeen:
			f.System |= model.Seen
		case imap.FlagAnswered:
			f.System |= model.Answered
		case imap.FlagFlagged:
			f.System |= model.Flagged
		case imap.FlagDeleted:
			f.System |= model.Deleted
		case imap.FlagDraft:
			f.System |= model.Draft
		default:
			if !strings.HasPrefix(string(fl), `\`) {
				f.Keywords = append(f.Keywords, string(fl))
			}
		}
	}
	slices.Sort(f.Keywords)
	f.Keywords = slices.Compact(f.Keywords)
	return f
}
