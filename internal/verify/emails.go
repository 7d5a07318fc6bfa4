package verify

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/extsort"
	"mailhaul.org/mailhaul/internal/ledger"
)

// emails are those of a mailbox of the destination that the ledger knows, in order
// of the UIDs of its rows: no server lists them so.
type emails struct {
	sorted *extsort.Sorter
	next   func() (email, error, bool)
	stop   func()
	head   email
	err    error
	more   bool
}

// email is one with the UID of the row that knows it.
type email struct {
	uid uint64
	destination.Email
}

// Records begin with what they are of.
const (
	ofEmail = 'e'
	ofRow   = 'r'
)

var seed = maphash.MakeSeed()

// emails lists the mailbox of a collection at the destination. The caller closes
// them.
func (v *account) emails(ctx context.Context, row ledger.Collection) (_ *emails, err error) {
	out := &emails{sorted: extsort.New(v.SpoolDir)}
	defer func() {
		if err != nil {
			out.close()
		}
	}()
	if row.Target != "" {
		if err := v.match(ctx, row, out.sorted); err != nil {
			return nil, err
		}
	}
	out.next, out.stop = iter.Pull2(out.all())
	out.advance()
	return out, out.err
}

// match sorts rows and emails by the emails' IDs and puts into byUID what is both.
func (v *account) match(ctx context.Context, row ledger.Collection, byUID *extsort.Sorter) error {
	byID := extsort.New(v.SpoolDir)
	defer byID.Close()
	var record []byte
	for e, err := range v.dst.List(ctx, row.Target) {
		if err != nil {
			return err
		}
		record = appendText(append(record[:0], ofEmail), e.ID)
		if err := byID.Add(maphash.String(seed, e.ID), appendEmail(record, e)); err != nil {
			return err
		}
	}
	for i, err := range v.Ledger.Items(ctx, row.ID) {
		if err != nil {
			return err
		}
		if i.Remote == "" {
			continue
		}
		record = binary.AppendUvarint(appendText(append(record[:0], ofRow), i.Remote), i.UID)
		if err := byID.Add(maphash.String(seed, i.Remote), record); err != nil {
			return err
		}
	}
	// Of one ID the emails come first; with one hash there may be several.
	var hash uint64
	var here []string
	var at [][]byte
	return byID.Each(func(h uint64, record []byte) error {
		if h != hash {
			hash, here, at = h, here[:0], at[:0]
		}
		id, rest := cutText(record[1:])
		if record[0] == ofEmail {
			here, at = append(here, id), append(at, append([]byte(nil), record[1:]...))
			return nil
		}
		uid, _ := binary.Uvarint(rest)
		for n := len(here) - 1; n >= 0; n-- {
			if here[n] == id {
				return byUID.Add(uid, at[n])
			}
		}
		return nil
	})
}

// all yields what is sorted.
func (s *emails) all() iter.Seq2[email, error] {
	return func(yield func(email, error) bool) {
		stopped := false
		err := s.sorted.Each(func(uid uint64, record []byte) error {
			e := email{uid: uid}
			var rest []byte
			e.ID, rest = cutText(record)
			e.read(rest)
			if stopped = !yield(e, nil); stopped {
				return context.Canceled // nobody sees it
			}
			return nil
		})
		if err != nil && !stopped {
			yield(email{}, err)
		}
	}
}

func (s *emails) advance() { s.head, s.err, s.more = s.next() }

// of is the email of a row, if it is in the mailbox. Rows are asked for in ascending
// order of UID.
func (s *emails) of(i ledger.Item) (destination.Email, bool, error) {
	for s.more && s.err == nil && s.head.uid < i.UID {
		s.advance()
	}
	if s.err != nil || !s.more || s.head.uid != i.UID || s.head.ID != i.Remote {
		return destination.Email{}, false, s.err
	}
	return s.head.Email, true, nil
}

func (s *emails) close() error {
	if s.stop != nil {
		s.stop()
	}
	return s.sorted.Close()
}

// appendEmail writes an email but for its ID and its mailboxes.
func appendEmail(out []byte, e destination.Email) []byte {
	out = append(out, e.Hash[:]...)
	out = binary.AppendVarint(out, e.Size)
	out = binary.AppendVarint(out, e.Received.Unix())
	out = binary.AppendUvarint(out, uint64(e.Received.Nanosecond()))
	for _, k := range e.Keywords {
		out = appendText(out, k)
	}
	return out
}

// read reads what appendEmail has written.
func (e *email) read(in []byte) {
	in = in[copy(e.Hash[:], in):]
	number := func() int64 {
		n, k := binary.Varint(in)
		in = in[k:]
		return n
	}
	e.Size = number()
	seconds := number()
	ns, k := binary.Uvarint(in)
	e.Received = time.Unix(seconds, int64(ns)).UTC()
	for in = in[k:]; len(in) > 0; {
		var keyword string
		keyword, in = cutText(in)
		e.Keywords = append(e.Keywords, keyword)
	}
}

func appendText(out []byte, text string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}

func cutText(in []byte) (text string, rest []byte) {
	n, k := binary.Uvarint(in)
	return string(in[k : k+int(n)]), in[k+int(n):]
}
