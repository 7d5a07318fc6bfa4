package verify

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/vcard"
)

// maxObject bounds what is read as a calendar object or card.
const maxObject = 32 << 20

// pair is one object whose text is to be compared.
type pair struct {
	row    ledger.Object
	event  icalendar.Part
	card   vcard.Card
	digest [32]byte
}

// chunk reads some resources of the source, judges what the ledger knows of
// them, and compares the rest with what the destination gives.
func (o *objectComparison) chunk(ctx context.Context, refs []model.ObjectRef) error {
	pairs := map[string]pair{} // by the destination's ID
	err := o.src.ReadObjects(ctx, o.about, refs, func(ref model.ObjectRef, content *source.Content, err error) error {
		if model.CodeOf(err) == model.CodeGone {
			return nil
		}
		if err == nil {
			err = o.read(ctx, ref, content, pairs)
		}
		if err == nil || model.ClassOf(err) != model.ClassItem {
			return err
		}
		o.unreadable(ref, err)
		return nil
	})
	if err != nil {
		return err
	}
	o.Compared(o.acc, len(refs))
	return o.compareTexts(ctx, pairs)
}

// unreadable judges a resource whose content nobody can read: it was refused, or
// left to the next run, for that reason, or it differs.
func (o *objectComparison) unreadable(ref model.ObjectRef, err error) {
	o.rep.Source++
	rows := o.rows[ref.ID]
	if len(rows) > 0 && !slices.ContainsFunc(rows, func(r ledger.Object) bool { return r.State != ledger.Refused && !o.awaited(r) }) {
		o.rep.Refused++
		o.tell(ref.ID, "refused", err.Error())
		return
	}
	o.rep.Different++
	o.tell(ref.ID, "different", err.Error())
}

// awaited reports an object that the last sync could not read, either.
func (o *objectComparison) awaited(r ledger.Object) bool {
	return r.State == ledger.Pending && slices.ContainsFunc(o.notes[o.noted(r)], func(n ledger.Note) bool { return n.Code == groupware.NoteUnreadable })
}

// read judges the objects of one resource as far as that needs no text of the
// destination.
func (o *objectComparison) read(ctx context.Context, ref model.ObjectRef, content *source.Content, pairs map[string]pair) error {
	if o.about.Kind == model.KindFiles {
		sum, err := HashFile(ctx, content)
		if err != nil {
			return err
		}
		for _, r := range o.rows[ref.ID] {
			if at, ok := o.standing(r); ok {
				o.file(r, at, sum)
			}
			return nil
		}
		o.unknown(ref.ID)
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(content, maxObject))
	if err != nil {
		return err
	}
	all, err := ReadObjects(o.about.Kind, text)
	if err != nil {
		return err
	}
	for uid, p := range all.Events {
		o.object(ref.ID, pair{event: p, digest: p.Digest, row: ledger.Object{UID: uid}}, pairs)
	}
	for uid, c := range all.Cards {
		o.object(ref.ID, pair{card: c, digest: c.Digest, row: ledger.Object{UID: uid}}, pairs)
	}
	return nil
}

func (o *objectComparison) object(id string, p pair, pairs map[string]pair) {
	i := slices.IndexFunc(o.rows[id], func(r ledger.Object) bool { return r.UID == p.row.UID })
	if i < 0 {
		// Refused before its UID was known.
		if i = slices.IndexFunc(o.rows[id], func(r ledger.Object) bool { return r.UID == "" }); i < 0 {
			o.unknown(p.row.UID)
			return
		}
	}
	p.row = o.rows[id][i]
	if _, ok := o.standing(p.row); ok {
		pairs[p.row.Remote] = p
	}
}

func (o *objectComparison) unknown(name string) {
	o.rep.Source++
	o.rep.Missing++
	o.tell(name, "missing", "arrived since the last sync")
}

// standing counts an object by what the ledger says of it; ok: it is to be
// compared.
func (o *objectComparison) standing(r ledger.Object) (at destination.Object, ok bool) {
	o.rep.Source++
	switch r.State {
	case ledger.Pending, ledger.Intended:
		o.rep.Missing++
		o.tell(objectName(r), "missing", "not moved yet")
		return at, false
	case ledger.Refused:
		o.rep.Refused++
		o.tell(objectName(r), "refused", o.why(r))
		return at, false
	case ledger.Excluded:
		o.rep.Merged++
		return at, false
	case ledger.Detached:
		o.rep.Kept++
		return at, false
	}
	if at, ok = o.at[r.Remote]; !ok {
		o.rep.Missing++
		o.tell(objectName(r), "missing", "was moved, but is no longer at the destination")
	}
	return at, ok
}

// why is what the ledger noted of an object.
func (o *objectComparison) why(r ledger.Object) string {
	if notes := o.notes[o.noted(r)]; len(notes) > 0 {
		return reasons(notes)
	}
	return "left behind"
}

// noted is where the ledger keeps what was noted of an object.
func (o *objectComparison) noted(r ledger.Object) noteKey {
	return noteKey{0, o.about.Kind.String() + " " + strings.Join(o.about.Path, "/") + ": " + objectName(r)}
}

// file compares octets by their hash.
func (o *objectComparison) file(r ledger.Object, at destination.Object, sum [32]byte) {
	switch {
	case at.Hash == destination.Hash(sum):
		o.rep.Exact++
	case r.Digest == sum && at.Version != r.Stored:
		o.kept(r, "its content was changed at the destination since")
	default:
		o.rep.Different++
		o.tell(objectName(r), "different", o.stale(r, sum)+"other octets")
	}
}

func (o *objectComparison) kept(r ledger.Object, text string) {
	o.rep.Kept++
	o.tell(objectName(r), "kept", text)
}

// stale says that the source changed after the last sync.
func (o *objectComparison) stale(r ledger.Object, digest [32]byte) string {
	if r.Digest != digest {
		return "changed at the source since the last sync: "
	}
	return ""
}

// compareTexts reads the destination's side.
func (o *objectComparison) compareTexts(ctx context.Context, pairs map[string]pair) error {
	if len(pairs) == 0 {
		return nil
	}
	ids := make([]string, 0, len(pairs))
	for id := range pairs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var mu sync.Mutex
	return o.dst.ReadObjects(ctx, o.in(), ids, func(at destination.Object, r io.Reader, err error) error {
		var text []byte
		if err == nil {
			text, err = io.ReadAll(io.LimitReader(r, maxObject))
		}
		mu.Lock()
		defer mu.Unlock()
		p, ok := pairs[at.ID]
		if !ok {
			return nil
		}
		delete(pairs, at.ID)
		if err != nil {
			if model.ClassOf(err) != model.ClassItem {
				return err
			}
			o.rep.Missing++
			o.tell(objectName(p.row), "missing", err.Error())
			return nil
		}
		o.compareText(p, text)
		return nil
	})
}

// compareText judges one object of both sides.
func (o *objectComparison) compareText(p pair, text []byte) {
	there, err := ReadObjects(o.about.Kind, text)
	name := objectName(p.row)
	var j Judgement
	switch {
	case err != nil:
		j.Verdict, j.Real = Differs, []string{"the destination gives no object: " + err.Error()}
	case o.about.Kind == model.KindContacts:
		j = o.judge.Card(p.card, there.Cards[p.card.UID])
	default:
		j = o.judge.Event(p.event, there.Events[p.event.UID])
	}
	switch {
	case j.Verdict == Exact:
		o.rep.Exact++
	case j.Verdict == Explained:
		o.rep.Explained++
	case o.at[p.row.Remote].Version != p.row.Stored && p.digest == p.row.Digest:
		o.kept(p.row, "changed at the destination since it was written: "+strings.Join(j.Real, "; "))
	default:
		o.rep.Different++
		o.tell(name, "different", o.stale(p.row, p.digest)+strings.Join(j.Real, "; "))
	}
}
