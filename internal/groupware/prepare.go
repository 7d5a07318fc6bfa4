package groupware

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/zeebo/blake3"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/icalendar"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/vcard"
)

const (
	// inMemory is the largest file that is held in memory; larger ones go
	// through a file in SpoolDir.
	inMemory = 1 << 20
	// maxText bounds what is read as a calendar object or card: no server
	// takes anything near it.
	maxText = 32 << 20
)

// prepared is one object of the source, ready to be written.
type prepared struct {
	write   destination.ObjectWrite
	digest  [32]byte
	remarks []string // repairs
	doubts  []string
	spool   string // path of the file that holds it; empty: memory
}

func (p *prepared) drop() {
	if p.spool != "" {
		_ = os.Remove(p.spool)
	}
}

// prepare makes of a resource of the source what a destination takes.
func (a *Account) prepare(kind model.Kind, about string, ref model.ObjectRef, content *source.Content) ([]*prepared, error) {
	if kind == model.KindFiles {
		p, err := a.prepareFile(about, ref, content)
		if err != nil {
			return nil, err
		}
		return []*prepared{p}, nil
	}
	raw := content.Whole
	if raw == nil {
		var text bytes.Buffer
		text.Grow(int(min(max(content.Size, 0), maxText)) + bytes.MinRead)
		if _, err := text.ReadFrom(io.LimitReader(content.Reader, maxText+1)); err != nil {
			return nil, &model.Fault{Class: model.ClassRetry, Code: "read", Err: err}
		}
		raw = text.Bytes()
	}
	if len(raw) > maxText {
		return nil, model.Faultf(model.ClassItem, destination.CodeTooLarge, "it has more than %d octets", maxText)
	}
	return prepareText(kind, raw)
}

func prepareText(kind model.Kind, raw []byte) ([]*prepared, error) {
	var out []*prepared
	say := map[string][]string{}
	if kind == model.KindContacts {
		cards, remarks, err := vcard.Prepare(raw)
		if err != nil {
			return nil, err
		}
		for _, r := range remarks {
			say[r.UID] = append(say[r.UID], r.Text)
		}
		for _, c := range cards {
			out = append(out, &prepared{write: destination.ObjectWrite{UID: c.UID, Content: c.Text, Size: int64(len(c.Text))}, digest: c.Digest})
		}
	} else {
		parts, remarks, err := icalendar.Prepare(raw)
		if err != nil {
			return nil, err
		}
		for _, r := range remarks {
			say[r.UID] = append(say[r.UID], r.Text)
		}
		for _, p := range parts {
			why := p.ByDAV
			if why == "" {
				why = exact(p.Text)
			}
			out = append(out, &prepared{write: destination.ObjectWrite{UID: p.UID, Content: p.Text, Size: int64(len(p.Text)), Exact: why}, digest: p.Digest, doubts: p.Doubts})
		}
	}
	for _, p := range out {
		p.remarks = append(say[p.write.UID], say[""]...)
		delete(say, p.write.UID)
	}
	// What is said of something that became no object is said with the first.
	for _, uid := range slices.Sorted(maps.Keys(say)) {
		if uid != "" && len(out) > 0 {
			out[0].remarks = append(out[0].remarks, say[uid]...)
		}
	}
	return out, nil
}

// meaning is the digest of the one object in a text; false: there is not just
// one.
func meaning(kind model.Kind, text []byte) ([32]byte, bool) {
	if kind == model.KindContacts {
		return vcard.Digest(text)
	}
	return icalendar.Digest(text)
}

// exact says why JMAP would change a meeting: it makes the account's owner the
// organizer of one that has attendees only.
func exact(text []byte) string {
	attendee, organizer := false, false
	for line := range bytes.Lines(text) {
		attendee = attendee || begins(line, "ATTENDEE")
		organizer = organizer || begins(line, "ORGANIZER")
	}
	if attendee && !organizer {
		return "attendees without an organizer"
	}
	return ""
}

func begins(line []byte, name string) bool {
	return len(line) >= len(name) && strings.EqualFold(string(line[:len(name)]), name)
}

func (a *Account) prepareFile(about string, ref model.ObjectRef, content *source.Content) (*prepared, error) {
	var m meta
	_ = json.Unmarshal([]byte(about), &m)
	if m.Name == "" {
		m.Name = ref.ID[strings.LastIndexByte(ref.ID, '/')+1:]
	}
	p := &prepared{write: destination.ObjectWrite{UID: m.Name, Type: m.Type, Modified: m.Modified}}
	if m.Repaired {
		p.remarks = append(p.remarks, nameNotUTF8)
	}
	hash := blake3.New()
	var head bytes.Buffer
	n, err := io.Copy(io.MultiWriter(&head, hash), io.LimitReader(content.Reader, inMemory))
	if err == nil && n == inMemory {
		var f *os.File
		if f, err = os.CreateTemp(a.SpoolDir, "file-*"); err != nil {
			return nil, model.SpoolFault(err)
		}
		p.spool = f.Name()
		var more int64
		to := model.SpoolTo(f)
		if _, err = to.Write(head.Bytes()); err == nil {
			more, err = io.Copy(to, io.TeeReader(content.Reader, hash))
		}
		if cerr := f.Close(); err == nil && cerr != nil {
			err = model.SpoolFault(cerr)
		}
		n += more
		path := p.spool
		p.write.Open = func() (io.ReadCloser, error) { return os.Open(path) }
	}
	if err != nil {
		p.drop()
		if f, ok := errors.AsType[*model.Fault](err); ok && (f.Code == model.CodeSpool || f.Class == model.ClassItem) {
			return nil, err // an item's: what came is not the file
		}
		return nil, &model.Fault{Class: model.ClassRetry, Code: "read", Err: fmt.Errorf("read %s: %w", m.Name, err)}
	}
	if p.spool == "" {
		p.write.Content = bytes.Clone(head.Bytes())
	}
	p.write.Size = n
	hash.Sum(p.write.Hash[:0])
	p.digest = p.write.Hash
	return p, nil
}

// part is one object on its way.
type part struct {
	*prepared
	row ledger.Object
	// old are rows that row takes the place of.
	old []ledger.Object
	// from is the row of the same object in a place where it vanished.
	from *ledger.Object
	// doubt is why it could not be found out whether what is at the destination
	// was made of this.
	doubt error
	// altered says what the destination gives otherwise than it was written.
	altered string
}

// another says that what is at the destination is none of ours.
func (p *part) another() string {
	text := "an object with this UID is at the destination with another content; left so"
	if p.doubt != nil {
		text += ". Whether it was made of this one could not be found out: " + p.doubt.Error()
	}
	return text
}

func (p *part) name() string { return itemName(p.row) }

// itemName is how reports call an object.
func itemName(o ledger.Object) string {
	if o.UID != "" {
		return o.UID
	}
	return o.SourceID
}

// resource is what the ledger knows of one resource of the source.
type resource struct {
	ref  model.ObjectRef
	rows []ledger.Object
}

// match finds the rows of what a resource holds now. What needs no effect is
// returned as rows to put and to delete.
func (a *Account) match(c *collection, w *reading, r *resource, objects []*prepared) (parts []*part) {
	used := map[string]bool{}
	blank := []ledger.Object(nil)
	for _, o := range r.rows {
		if o.UID == "" {
			blank = append(blank, o)
		}
	}
	for _, o := range objects {
		uid := o.write.UID
		if used[uid] {
			o.drop()
			w.notes = append(w.notes, func(t *ledger.Tx) error {
				return a.note(t, c, uid, NoteDoubtful, "a second object of this UID stands in the same text; only the first was taken: "+r.ref.ID)
			})
			continue
		}
		used[uid] = true
		p := &part{prepared: o, row: ledger.Object{Collection: c.row.ID, SourceID: r.ref.ID, UID: uid, State: ledger.Pending}, old: blank}
		for _, have := range r.rows {
			if have.UID == uid {
				p.row = have
			}
		}
		p.row.Version, p.row.Meta = r.ref.Version, r.rows[0].Meta
		blank = nil
		if other, ok := w.here[uid]; ok && other.SourceID != r.ref.ID {
			state, code, text := ledger.Refused, NoteRefused, "another object of the "+c.src.Kind.String()+" has the same UID: "+other.SourceID
			if other.Digest == o.digest || other.Intent == o.digest {
				state, code, text = ledger.Excluded, NoteMerged, "the same object is there twice: "+other.SourceID
			}
			o.drop()
			p.row.State = state
			w.settle(p, func(t *ledger.Tx) error { return a.note(t, c, p.name(), code, text) })
			continue
		}
		w.here[uid] = ledger.Object{SourceID: r.ref.ID, Digest: o.digest}
		if p.row.State == ledger.Changed && p.row.Digest == o.digest && p.row.Intent == [32]byte{} {
			o.drop()
			p.row.State = ledger.Moved // only its spelling changed
			w.settle(p, nil)
			continue
		}
		if p.row.Remote == "" {
			p.from = a.vanishedElsewhere(w, c, p)
		}
		parts = append(parts, p)
	}
	for _, o := range r.rows {
		switch {
		case o.UID == "" && len(objects) == 0, o.UID != "" && !used[o.UID] && o.Remote == "":
			w.del = append(w.del, o)
		case o.UID != "" && !used[o.UID]:
			o.State = ledger.Vanished
			w.put = append(w.put, o)
		}
	}
	return parts
}

// vanishedElsewhere finds the row that an object had before it was moved at
// the source. Names of files say little; there the content must be the same.
func (a *Account) vanishedElsewhere(w *reading, c *collection, p *part) *ledger.Object {
	for i, o := range w.vanished[p.row.UID] {
		if o.Remote == "" || c.src.Kind == model.KindFiles && o.Digest != p.digest {
			continue
		}
		list := w.vanished[p.row.UID]
		w.vanished[p.row.UID] = append(list[:i:i], list[i+1:]...)
		return &o
	}
	return nil
}
