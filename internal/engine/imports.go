package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/translate"
)

// importBatch files a batch, whatever happens on the way: entries that the
// destination refuses are recorded, lost uploads are repeated, lost answers
// are settled by asking. It returns an error only when the account has to
// stop; then every entry is either confirmed or still intended or pending.
//
// The next batch, if any, is uploaded on the way, once; whether it was, it
// says itself.
func (r *run) importBatch(ctx context.Context, entries []*entry, next *batch) error {
	entries, err := r.matchByContent(ctx, entries)
	if err != nil {
		return err
	}
	return r.isolate(ctx, entries, &r.imported, func(ctx context.Context, some []*entry) ([]*entry, int, error) {
		ready, err := r.sortOutUploads(ctx, some)
		if err != nil || len(ready) == 0 {
			return nil, 0, err
		}
		riding := next
		next = nil
		return r.importOnce(ctx, ready, riding)
	}, r.refuse)
}

// importOnce does intent, effect and confirmation once. It is an attempt: with
// an error and entries to send again, the request failed without storing them.
func (r *run) importOnce(ctx context.Context, entries []*entry, next *batch) (again []*entry, stored int, err error) {
	generation, err := r.enter(ctx)
	if err != nil {
		return entries, 0, err
	}
	leave := r.unconfirmed.RUnlock
	defer func() { leave() }()
	p := r.prepare(entries)
	if err := r.intend(ctx, entries, p); err != nil {
		return nil, 0, err
	}
	if err := r.Step("import"); err != nil {
		return nil, 0, err
	}
	results, err := r.exchange(ctx, p.emails, next)
	failed := err
	if err != nil && model.CodeOf(err) == destination.CodeAmbiguous {
		// Until this one is confirmed, too, no other import may be in flight.
		r.unconfirmed.RUnlock()
		r.unconfirmed.Lock()
		leave = r.unconfirmed.Unlock
		if results, err = r.settleBatch(ctx, generation.state, entries); err != nil {
			return nil, 0, err // still in doubt: the entries stay intended
		}
	}
	if err != nil {
		if model.ClassOf(err) != model.ClassFatal && ctx.Err() == nil {
			// Certainly without effect: nothing is in doubt.
			if uerr := r.unintend(ctx, entries); uerr != nil {
				return nil, 0, uerr
			}
			r.unconfirmed.left(generation)
		}
		return entries, 0, err
	}
	if len(results) != len(entries) {
		return nil, 0, model.Faultf(model.ClassAccount, "import", "the destination answered for %d of %s", len(results), plural.Count(len(entries), "message"))
	}
	var stop error
	// The answer is here: that the run is to end is no reason to forget it.
	err = r.step(context.WithoutCancel(ctx), "confirm", func(t *ledger.Tx) error {
		again, stop, stored = nil, nil, 0
		for i, e := range entries {
			if results[i].Err == nil {
				stored++
			}
			if err := r.confirm(t, e, results[i], &again, &stop); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	r.unconfirmed.left(generation)
	r.count(entries, results, p)
	if stop != nil {
		return nil, stored, stop
	}
	if len(again) == 0 {
		failed = nil
	}
	return again, stored, failed
}

// prepared is what a batch's import carries, and what of it differs from the source.
type prepared struct {
	emails  []destination.Import
	dropped [][]string // keywords that the destination has no room for
	clamped []bool     // the date of receipt had to differ
	words   []string   // keywords that are new in this account
}

func (r *run) prepare(entries []*entry) *prepared {
	p := &prepared{emails: make([]destination.Import, len(entries)), dropped: make([][]string, len(entries)), clamped: make([]bool, len(entries))}
	r.tally(func() {
		for i, e := range entries {
			p.emails[i].BlobID = e.blobID
			p.emails[i].Mailboxes = []string{e.mailbox.row.Target}
			p.emails[i].Received, p.clamped[i] = translate.Received(e.item.Received)
			p.emails[i].Keywords, p.dropped[i] = r.vocab.Keywords(e.item.Flags)
		}
		p.words = r.vocab.Fresh()
	})
	return p
}

// intend makes durable what is about to be imported.
func (r *run) intend(ctx context.Context, entries []*entry, p *prepared) error {
	return r.step(ctx, "intend", func(t *ledger.Tx) error {
		for _, w := range p.words {
			if err := t.AddWord(r.row.ID, w); err != nil {
				return err
			}
		}
		for i, e := range entries {
			if err := t.Intend(e.item.Collection, e.item.UID, e.body.Hash, e.body.Size); err != nil {
				return err
			}
			if err := r.explain(t, e, p.dropped[i], p.clamped[i]); err != nil {
				return err
			}
		}
		return t.SetSettle(r.row.ID, r.unconfirmed.oldest())
	})
}

// errMissing marks an entry that a settled import turned out not to hold.
var errMissing = errors.New("not stored")

// explain notes what is about to differ from the source. That belongs to the
// intent: an import whose answer is lost is confirmed by asking, and then
// nobody remembers how it was prepared.
func (r *run) explain(t *ledger.Tx, e *entry, dropped []string, clamped bool) error {
	if e.item.State == ledger.Refused {
		if err := t.ClearNote(r.row.ID, e.item.Collection, ledger.NoteItem(e.item.UID), "refused"); err != nil {
			return err
		}
	}
	if e.repair {
		if err := r.putNote(t, e.item, "repaired", repairText); err != nil {
			return err
		}
	}
	if clamped {
		if err := r.putNote(t, e.item, "date", dateText(e.item)); err != nil {
			return err
		}
	}
	if len(dropped) > 0 {
		return r.putNote(t, e.item, "keyword", keywordText(dropped))
	}
	return nil
}

// putNote records in the ledger what an administrator should know of an item.
func (r *run) putNote(t *ledger.Tx, i ledger.Item, code, text string) error {
	return t.PutNote(r.row.ID, ledger.Note{Collection: i.Collection, Item: ledger.NoteItem(i.UID), Code: code, Text: text})
}

func (r *run) confirm(t *ledger.Tx, e *entry, res destination.Imported, again *[]*entry, stop *error) error {
	if res.Err == nil {
		return t.Confirm(e.item.Collection, e.item.UID, res.ID)
	}
	switch {
	case errors.Is(res.Err, errMissing), model.CodeOf(res.Err) == destination.CodeBlobNotFound,
		model.CodeOf(res.Err) == destination.CodeInvalidEmail && !e.repair:
		if !errors.Is(res.Err, errMissing) {
			e.err = res.Err
		}
		*again = append(*again, e)
		return t.SetState(e.item.Collection, e.item.UID, ledger.Pending)
	case model.ClassOf(res.Err) == model.ClassRetry:
		e.again = res.Err
		*again = append(*again, e)
		return t.SetState(e.item.Collection, e.item.UID, ledger.Pending)
	case model.ClassOf(res.Err) != model.ClassItem:
		*stop = res.Err
		return t.SetState(e.item.Collection, e.item.UID, ledger.Pending)
	}
	return r.putRefused(t, e, res.Err)
}

// putRefused records that an item stays behind, and why.
func (r *run) putRefused(t *ledger.Tx, e *entry, why error) error {
	for _, code := range []string{"repaired", "date", "keyword"} {
		if err := t.ClearNote(r.row.ID, e.item.Collection, ledger.NoteItem(e.item.UID), code); err != nil {
			return err
		}
	}
	if err := r.putNote(t, e.item, "refused", why.Error()); err != nil {
		return err
	}
	return t.SetState(e.item.Collection, e.item.UID, ledger.Refused)
}

const repairText = "the message has no header field that the destination accepts as one; it was stored behind an added Date field"

func dateText(i ledger.Item) string {
	return "received " + i.Received.Format("2006-01-02 15:04:05") + ", outside of what the destination can hold; stored with the nearest date"
}

func keywordText(dropped []string) string {
	return "not carried: " + strings.Join(dropped, " ")
}

// count adds a confirmed batch to the result.
func (r *run) count(entries []*entry, results []destination.Imported, p *prepared) {
	var n, octets int64
	for i, e := range entries {
		res := results[i]
		switch {
		case res.Err == nil:
			n, octets = n+1, octets+e.body.Size
		case model.ClassOf(res.Err) == model.ClassItem && !errors.Is(res.Err, errMissing) && e.err == nil:
			r.tally(func() {
				r.res.Counts.Refused++
				r.note(e.mailbox.name(), e.name(), "refused", res.Err.Error())
			})
			continue
		default:
			continue
		}
		r.tally(func() {
			if e.repair || p.clamped[i] {
				r.res.Counts.Repaired++
			}
			if e.repair {
				r.note(e.mailbox.name(), e.name(), "repaired", repairText)
			}
			if p.clamped[i] {
				r.note(e.mailbox.name(), e.name(), "date", dateText(e.item))
			}
			if len(p.dropped[i]) > 0 {
				r.note(e.mailbox.name(), e.name(), "keyword", keywordText(p.dropped[i]))
			}
		})
	}
	r.tally(func() {
		r.res.Counts.Messages += n
		r.res.Counts.Octets += octets
	})
	r.pace.stored(r.portion, n, octets)
	r.Progress.Moved(r.acc, n, octets)
}

// unintend takes intents back after a request that had no effect.
func (r *run) unintend(ctx context.Context, entries []*entry) error {
	return r.step(ctx, "unintend", func(t *ledger.Tx) error {
		for _, e := range entries {
			if err := t.SetState(e.item.Collection, e.item.UID, ledger.Pending); err != nil {
				return err
			}
		}
		return nil
	})
}

// sortOutUploads repairs and repeats uploads that need it, and refuses what
// cannot be uploaded. It returns the entries that are ready.
func (r *run) sortOutUploads(ctx context.Context, entries []*entry) ([]*entry, error) {
	var ready, anew []*entry
	for _, e := range entries {
		switch {
		case e.err == nil:
			ready = append(ready, e)
		case model.CodeOf(e.err) == destination.CodeBlobNotFound:
			anew = append(anew, e)
		case model.CodeOf(e.err) == destination.CodeInvalidEmail && !e.repair:
			if err := r.repair(ctx, e); err != nil {
				return nil, err
			}
			anew = append(anew, e)
		case model.ClassOf(e.err) == model.ClassItem:
			if err := r.refuse(ctx, e, e.err); err != nil {
				return nil, err
			}
		default:
			return nil, e.err
		}
	}
	if len(anew) == 0 {
		return ready, nil
	}
	for _, e := range anew {
		e.err = nil
	}
	if err := r.upload(ctx, anew); err != nil {
		return nil, err
	}
	for _, e := range anew {
		if e.err != nil {
			if model.ClassOf(e.err) != model.ClassItem {
				return nil, e.err
			}
			if err := r.refuse(ctx, e, fmt.Errorf("after a repeated upload: %w", e.err)); err != nil {
				return nil, err
			}
			continue
		}
		ready = append(ready, e)
	}
	return ready, nil
}
