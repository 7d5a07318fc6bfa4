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

// mailbox compares one mailbox: the source's listing, the ledger's rows and what the
// destination has of them side by side, all in ascending order of UID.
func (v *account) mailbox(ctx context.Context, c model.Collection, row ledger.Collection, m *Mailbox) error {
	at, err := v.emails(ctx, row)
	if err != nil {
		return err
	}
	defer at.close()
	w := &walk{account: v, ctx: ctx, c: c, row: row, m: m, at: at}
	rows := newRows(v.Ledger.Items(ctx, row.ID))
	defer rows.stop()
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
		i, known, err := rows.upTo(ch.Item.UID, w.onlyHere)
		if err != nil {
			return err
		}
		if known {
			if err := v.extras.know(row.Target, i); err != nil {
				return err
			}
		}
		ok, err := w.compare(ch.Item, i, known)
		if err == nil && ok && v.Reread {
			err = w.again(ch.Item.ItemRef)
		}
		if err != nil {
			return err
		}
		v.Compared(v.acc, 1)
	}
	if _, _, err := rows.upTo(math.MaxInt64, w.onlyHere); err != nil {
		return err
	}
	if err := w.lookFor(); err != nil {
		return err
	}
	v.tellCopies(m)
	return w.reread()
}

// walk is the comparison of one mailbox. Nothing of it grows with the mailbox.
type walk struct {
	*account
	ctx  context.Context
	c    model.Collection
	row  ledger.Collection
	m    *Mailbox
	at   *emails
	gone []absent        // to be looked for
	seen []model.ItemRef // to be read again
}

// onlyHere judges a row whose message the source no longer has.
func (w *walk) onlyHere(i ledger.Item) error {
	if err := w.extras.know(w.row.Target, i); err != nil {
		return err
	}
	if i.State != ledger.Moved && i.State != ledger.Changed && i.State != ledger.Vanished {
		return nil
	}
	_, there, err := w.at.of(i)
	if there {
		w.m.Gone++
		w.find(w.m.Name, uid(i.UID), "gone", "deleted at the source, still at the destination: run sync")
	}
	return err
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
func (r *rows) upTo(uid uint64, skipped func(ledger.Item) error) (ledger.Item, bool, error) {
	for r.more && r.err == nil {
		i := r.head
		if i.UID > uid {
			return ledger.Item{}, false, nil
		}
		r.head, r.err, r.more = r.next()
		if i.UID == uid {
			return i, true, nil
		}
		if err := skipped(i); err != nil {
			return ledger.Item{}, false, err
		}
	}
	return ledger.Item{}, false, r.err
}

func uid(n uint64) string { return fmt.Sprintf("UID %d", n) }

// compare judges one message of the source. It reports whether its bytes are
// at the destination as far as the ledger knows.
func (w *walk) compare(s model.Item, i ledger.Item, known bool) (bool, error) {
	m := w.m
	m.Source++
	missing := func(text string) (bool, error) {
		m.Missing++
		w.find(m.Name, uid(s.UID), "missing", text)
		return false, nil
	}
	notes := w.notes[noteKey{w.row.ID, ledger.NoteItem(s.UID)}]
	if !known {
		return missing("arrived since the last sync")
	}
	switch i.State {
	case ledger.Pending, ledger.Intended:
		return missing("not moved yet")
	case ledger.Refused:
		m.Refused++
		w.find(m.Name, uid(s.UID), "refused", reasons(notes))
		return false, nil
	case ledger.Excluded:
		m.Excluded++
		return false, nil
	case ledger.Detached:
		m.Kept++
		return false, nil
	}
	e, there, err := w.at.of(i)
	if err != nil {
		return false, err
	}
	if !there {
		if has(notes, "kept") {
			m.Kept++
			return false, nil
		}
		return false, w.absent(absent{s.UID, i.Remote})
	}
	return w.equal(s, i, e, notes), nil
}

// equal compares a message of the source with the email that it became.
func (w *walk) equal(s model.Item, i ledger.Item, e destination.Email, notes []ledger.Note) bool {
	m := w.m
	received, _ := translate.Received(s.Received)
	keywords, _ := w.vocab.Keywords(s.Flags)
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
			w.find(m.Name, uid(s.UID), "kept", text+why)
			return false
		}
		diff = append(diff, text)
	}
	if len(diff) > 0 {
		m.Different++
		w.find(m.Name, uid(s.UID), "different", strings.Join(diff, "; "))
		return false
	}
	m.Octets += e.Size
	if len(notes) > 0 {
		m.Repaired++
		w.explain(m, s.UID, notes)
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

// again has a message read again, with others.
func (w *walk) again(ref model.ItemRef) error {
	if w.seen = append(w.seen, ref); len(w.seen) < rereadChunk {
		return nil
	}
	return w.reread()
}

// reread hashes the source's bytes again. What was found identical so far
// and is not, moves over to Different.
func (w *walk) reread() error {
	if len(w.seen) == 0 {
		return nil
	}
	answered, err := w.Courtesy.Asking(w.ctx)
	if err != nil {
		return err
	}
	err = w.store.Read(w.ctx, w.c, w.seen, func(ref model.ItemRef, content *source.Content, err error) error {
		answered()
		if err == nil {
			err = w.rehash(w.ctx, w.row, ref, w.Courtesy.Pace(w.ctx, content))
		}
		if err == nil || model.CodeOf(err) == model.CodeGone {
			return nil
		}
		if model.ClassOf(err) != model.ClassItem {
			return err
		}
		if len(w.notes[noteKey{w.row.ID, ledger.NoteItem(ref.UID)}]) > 0 {
			w.m.Repaired--
		} else {
			w.m.Identical--
		}
		w.m.Different++
		w.find(w.m.Name, uid(ref.UID), "different", err.Error())
		return nil
	})
	w.seen = w.seen[:0]
	return err
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
	original, err := translate.ReadMessage(content)
	if err != nil {
		return err
	}
	var copied *translate.Message
	if err := v.dst.Content(ctx, i.Remote, func(r io.Reader) (err error) {
		copied, err = translate.ReadMessage(r)
		return err
	}); err != nil {
		return err
	}
	if _, ok := translate.Copied(original, copied); !ok {
		return model.Faultf(model.ClassItem, "content", "the copy that another tool had made is not the source's message any more")
	}
	return nil
}
