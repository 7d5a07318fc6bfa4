package verify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/plural"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/translate"
)

// rereadChunk is how many messages are read again at once.
const rereadChunk = 200

// mailbox compares one mailbox: the source's listing and the ledger's rows
// side by side, both in ascending order of UID. The destination's emails of
// this mailbox are held in memory meanwhile, about 150 octets each, because
// no server lists them in that order.
func (v *account) mailbox(ctx context.Context, c model.Collection, row ledger.Collection, m *Mailbox) error {
	at := map[string]destination.Email{}
	if row.Target != "" {
		for e, err := range v.dst.List(ctx, row.Target) {
			if err != nil {
				return err
			}
			at[e.ID] = e
		}
	}
	var gone []absent
	rows := newRows(v.Ledger.Items(ctx, row.ID))
	defer rows.stop()
	var reread []model.ItemRef
	answered, err := v.Courtesy.Asking(ctx)
	if err != nil {
		return err
	}
	for ch, err := range v.store.Changes(ctx, c, "") {
		answered()
		if err != nil {
			return err
		}
		if ch.Op != model.OpUpsert {
			continue
		}
		i, known, err := rows.upTo(ch.Item.UID, func(i ledger.Item) { v.onlyHere(m, row, i, at) })
		if err != nil {
			return err
		}
		if known {
			v.own(row.Target, i)
		}
		ok := v.compare(m, row, ch.Item, i, known, at, &gone)
		if ok && v.Reread {
			reread = append(reread, ch.Item.ItemRef)
		}
		if len(reread) == rereadChunk {
			if err := v.reread(ctx, c, row, m, reread); err != nil {
				return err
			}
			reread = reread[:0]
		}
		v.Compared(v.acc, 1)
	}
	if _, _, err := rows.upTo(math.MaxInt64, func(i ledger.Item) { v.onlyHere(m, row, i, at) }); err != nil {
		return err
	}
	if err := v.lookFor(ctx, m, gone); err != nil {
		return err
	}
	v.tellCopies(m)
	if len(reread) > 0 {
		return v.reread(ctx, c, row, m, reread)
	}
	return nil
}

// onlyHere judges a row whose message the source no longer has.
func (v *account) onlyHere(m *Mailbox, row ledger.Collection, i ledger.Item, at map[string]destination.Email) {
	v.own(row.Target, i)
	if i.State != ledger.Moved && i.State != ledger.Changed && i.State != ledger.Vanished {
		return
	}
	if _, there := at[i.Remote]; there {
		m.Gone++
		v.find(m.Name, uid(i.UID), "gone", "deleted at the source, still at the destination: run sync")
	}
}

// rows walks the ledger's rows of a mailbox beside a listing.
type rows struct {
	next func() (ledger.Item, error, bool)
	stop func()
	head ledger.Item
	err  error
	more bool
}

func newRows(items iter.Seq2[ledger.Item, error]) *rows {
	r := &rows{}
	r.next, r.stop = iter.Pull2(items)
	r.head, r.err, r.more = r.next()
	return r
}

// upTo passes the rows below uid to skipped and returns the row with uid.
func (r *rows) upTo(uid uint64, skipped func(ledger.Item)) (ledger.Item, bool, error) {
	for r.more && r.err == nil {
		i := r.head
		if i.UID > uid {
			return ledger.Item{}, false, nil
		}
		r.head, r.err, r.more = r.next()
		if i.UID == uid {
			return i, true, nil
		}
		skipped(i)
	}
	return ledger.Item{}, false, r.err
}

func uid(n uint64) string { return fmt.Sprintf("UID %d", n) }

// compare judges one message of the source. It reports whether its bytes are
// at the destination as far as the ledger knows.
func (v *account) compare(m *Mailbox, row ledger.Collection, s model.Item, i ledger.Item, known bool, at map[string]destination.Email, gone *[]absent) bool {
	m.Source++
	missing := func(text string) bool {
		m.Missing++
		v.find(m.Name, uid(s.UID), "missing", text)
		return false
	}
	notes := v.notes[noteKey{row.ID, ledger.NoteItem(s.UID)}]
	if !known {
		return missing("arrived since the last sync")
	}
	switch i.State {
	case ledger.Pending, ledger.Intended:
		return missing("not moved yet")
	case ledger.Refused:
		m.Refused++
		v.find(m.Name, uid(s.UID), "refused", reasons(notes))
		return false
	case ledger.Excluded:
		m.Excluded++
		return false
	case ledger.Detached:
		m.Kept++
		return false
	}
	e, there := at[i.Remote]
	if !there {
		if has(notes, "kept") {
			m.Kept++
			return false
		}
		*gone = append(*gone, absent{s.UID, i.Remote})
		return false
	}
	received, _ := translate.Received(s.Received)
	keywords, _ := v.vocab.Keywords(s.Flags)
	var diff []string
	if e.Hash != destination.Hash(i.Hash) {
		diff = append(diff, fmt.Sprintf("content: BLAKE3 %x… at the destination, %x… was sent", e.Hash[:8], i.Hash[:8]))
	}
	if !e.Received.Equal(received) && !has(notes, ledger.NoteAdoptedDate) {
		diff = append(diff, fmt.Sprintf("received: %s, should be %s", e.Received.Format("2006-01-02 15:04:05"), received.Format("2006-01-02 15:04:05")))
	}
	if !slices.Equal(e.Keywords, keywords) {
		text := fmt.Sprintf("keywords: [%s], should be [%s]", strings.Join(e.Keywords, " "), strings.Join(keywords, " "))
		if len(diff) == 0 && i.Sent.Equal(s.Flags) {
			m.Kept++
			why := ": changed at the destination since they were written"
			if has(notes, ledger.NoteAdoptedChanged) {
				why = ": another tool has copied it so, or it was changed at the destination"
			}
			v.find(m.Name, uid(s.UID), "kept", text+why)
			return false
		}
		diff = append(diff, text)
	}
	if len(diff) > 0 {
		m.Different++
		v.find(m.Name, uid(s.UID), "different", strings.Join(diff, "; "))
		return false
	}
	m.Octets += e.Size
	if len(notes) > 0 {
		m.Repaired++
		v.explain(m, s.UID, notes)
	} else {
		m.Identical++
	}
	return true
}

// explain names a repair or loss. Copies that another tool had made are told
// of together, lest thousands of them hide what matters.
func (v *account) explain(m *Mailbox, n uint64, notes []ledger.Note) {
	for _, note := range notes {
		if note.Code != ledger.NoteAdoptedChanged && note.Code != ledger.NoteAdoptedDate {
			v.find(m.Name, uid(n), "repaired", reasons(notes))
			return
		}
	}
	text := ""
	for _, note := range notes {
		if text != "" {
			text += "; "
		}
		if text += note.Text; note.Code == ledger.NoteAdoptedChanged {
			text = "the copy that another tool had made, taken over: " + text
		}
	}
	if v.copies == nil {
		v.copies = map[string]int64{}
	}
	v.copies[text]++
}

// tellCopies ends a mailbox.
func (v *account) tellCopies(m *Mailbox) {
	for _, text := range slices.Sorted(maps.Keys(v.copies)) {
		v.find(m.Name, plural.Count(v.copies[text], "message"), "repaired", text)
	}
	v.copies = nil
}

func has(notes []ledger.Note, code string) bool {
	return slices.ContainsFunc(notes, func(n ledger.Note) bool { return n.Code == code })
}

func reasons(notes []ledger.Note) string {
	var s []string
	for _, n := range notes {
		s = append(s, n.Text)
	}
	return strings.Join(s, "; ")
}

// reread hashes the source's bytes again. What was found identical so far
// and is not, moves over to Different.
func (v *account) reread(ctx context.Context, c model.Collection, row ledger.Collection, m *Mailbox, refs []model.ItemRef) error {
	answered, err := v.Courtesy.Asking(ctx)
	if err != nil {
		return err
	}
	return v.store.Read(ctx, c, refs, func(ref model.ItemRef, content *source.Content, err error) error {
		answered()
		if err == nil {
			err = v.rehash(ctx, row, ref, v.Courtesy.Pace(ctx, content))
		}
		if err == nil || model.CodeOf(err) == model.CodeGone {
			return nil
		}
		if model.ClassOf(err) != model.ClassItem {
			return err
		}
		if len(v.notes[noteKey{row.ID, ledger.NoteItem(ref.UID)}]) > 0 {
			m.Repaired--
		} else {
			m.Identical--
		}
		m.Different++
		v.find(m.Name, uid(ref.UID), "different", err.Error())
		return nil
	})
}

func (v *account) rehash(ctx context.Context, row ledger.Collection, ref model.ItemRef, content *source.Content) error {
	var i ledger.Item
	err := v.Ledger.View(ctx, func(t *ledger.Tx) (err error) {
		i, _, err = t.Item(row.ID, ref.UID)
		return err
	})
	if err != nil {
		return err
	}
	if has(v.notes[noteKey{row.ID, ledger.NoteItem(ref.UID)}], ledger.NoteAdoptedChanged) {
		return v.recompare(ctx, i, content)
	}
	h := blake3.New()
	var src io.Reader = content
	if has(v.notes[noteKey{row.ID, ledger.NoteItem(ref.UID)}], "repaired") {
		start, err := io.ReadAll(io.LimitReader(src, 4096))
		if err != nil {
			return err
		}
		h.Write(translate.Repair(start, i.Received))
		src = io.MultiReader(bytes.NewReader(start), src)
	}
	if _, err := io.Copy(h, src); err != nil {
		return err
	}
	var sum [32]byte
	if h.Sum(sum[:0]); sum != i.Hash {
		return model.Faultf(model.ClassItem, "content", "the source's bytes are not those that were moved")
	}
	return nil
}

// recompare proves again that what another tool had copied is the message of
// the source: no hash can, so that the copy is read, too.
func (v *account) recompare(ctx context.Context, i ledger.Item, content *source.Content) error {
	original, err := translate.Dissect(content)
	if err != nil {
		return err
	}
	var copied *translate.Anatomy
	if err := v.dst.Content(ctx, i.Remote, func(r io.Reader) (err error) {
		copied, err = translate.Dissect(r)
		return err
	}); err != nil {
		return err
	}
	if _, ok := translate.Copied(original, copied); !ok {
		return model.Faultf(model.ClassItem, "content", "the copy that another tool had made is not the source's message any more")
	}
	return nil
}
