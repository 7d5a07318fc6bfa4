package verify

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/extsort"
	"mailhaul.org/mailhaul/internal/ledger"
)

// extras finds what the destination holds and the ledger does not know. Rows and
// emails of the account are sorted by ID; for what is left, by content.
type extras struct {
	*account
	targets []string // mailboxes of the destination, by number
	byID    *extsort.Sorter
	record  []byte
}

func (v *account) newExtras() *extras { return &extras{account: v, byID: extsort.New(v.SpoolDir)} }

// number is that of a mailbox.
func (x *extras) number(target string) uint64 {
	n := slices.Index(x.targets, target)
	if n < 0 {
		n = len(x.targets)
		x.targets = append(x.targets, target)
	}
	return uint64(n)
}

// know takes a row of the ledger whose mailbox is target. Several mailboxes of the
// source may share one.
func (x *extras) know(target string, i ledger.Item) error {
	if i.Remote == "" {
		return nil
	}
	e := extra{kind: ofRow, target: x.number(target), id: i.Remote, hash: i.Hash}
	return x.add(x.byID, maphash.String(seed, e.id), e)
}

// extra is a row of the ledger or an email of the destination.
type extra struct {
	kind   byte
	moved  bool   // the ledger knows it in another mailbox
	target uint64 // number of its mailbox
	place  uint64 // of an email among those listed
	id     string
	hash   destination.Hash
}

func (x *extras) add(s *extsort.Sorter, key uint64, e extra) error {
	x.record = append(x.record[:0], e.kind, 0)
	if e.moved {
		x.record[1] = 1
	}
	x.record = binary.AppendUvarint(binary.AppendUvarint(x.record, e.target), e.place)
	x.record = append(appendText(x.record, e.id), e.hash[:]...)
	return s.Add(key, x.record)
}

// read calls fn for what was added, and tells where another key begins.
func (x *extras) read(s *extsort.Sorter, fn func(another bool, e extra) error) error {
	first, before := true, uint64(0)
	return s.Each(func(key uint64, record []byte) error {
		e := extra{kind: record[0], moved: record[1] == 1}
		n, rest := 0, record[2:]
		e.target, n = binary.Uvarint(rest)
		rest = rest[n:]
		e.place, n = binary.Uvarint(rest)
		e.id, rest = cutText(rest[n:])
		copy(e.hash[:], rest)
		another := first || key != before
		first, before = false, key
		return fn(another, e)
	})
}

// count counts emails that the ledger does not know. One with the content of one
// that we brought to the same mailbox is a duplicate; others were written there by
// their user. What is known in another mailbox was moved there by its user.
func (x *extras) count(ctx context.Context, targets []string, present map[string]destination.Mailbox) error {
	place := uint64(0)
	for _, t := range targets {
		for e, err := range x.dst.List(ctx, t) {
			if err != nil {
				return err
			}
			place++
			e := extra{kind: ofEmail, target: x.number(t), place: place, id: e.ID, hash: e.Hash}
			if err := x.add(x.byID, maphash.String(seed, e.id), e); err != nil {
				return err
			}
		}
	}
	unknown := extsort.New(x.SpoolDir) // by content
	defer unknown.Close()
	n, err := x.unknown(unknown)
	if n == 0 || err != nil {
		return err
	}
	return x.judge(unknown, present)
}

// unknown puts the emails into out that the ledger does not know where they are.
func (x *extras) unknown(out *extsort.Sorter) (n int, err error) {
	var rows []extra // with this hash of an ID; they come first
	err = x.read(x.byID, func(another bool, e extra) error {
		if another {
			rows = rows[:0]
		}
		if e.kind == ofRow {
			if !slices.ContainsFunc(rows, func(r extra) bool { return r.id == e.id && r.target == e.target }) {
				rows = append(rows, e)
			}
			return nil
		}
		for _, r := range rows {
			if r.id == e.id {
				if r.target == e.target {
					return nil
				}
				e.moved = true
			}
		}
		n++
		return x.add(out, maphash.Bytes(seed, e.hash[:]), e)
	})
	return n, err
}

// judge tells duplicates from what was written at the destination.
func (x *extras) judge(unknown *extsort.Sorter, present map[string]destination.Mailbox) error {
	byContent, duplicates := extsort.New(x.SpoolDir), extsort.New(x.SpoolDir)
	defer byContent.Close()
	defer duplicates.Close()
	move := func(kind byte) func(bool, extra) error {
		return func(_ bool, e extra) error {
			if e.kind != kind {
				return nil
			}
			return x.add(byContent, maphash.Bytes(seed, e.hash[:]), e)
		}
	}
	if err := x.read(x.byID, move(ofRow)); err != nil {
		return err
	}
	if err := x.read(unknown, move(ofEmail)); err != nil {
		return err
	}
	m := Mailbox{Name: "(only at the destination)"}
	var rows []extra // with this hash of a content; they come first
	err := x.read(byContent, func(another bool, e extra) error {
		if another {
			rows = rows[:0]
		}
		like := func(r extra) bool { return r.hash == e.hash && r.target == e.target }
		switch brought := slices.ContainsFunc(rows, like); {
		case e.kind == ofRow:
			if !brought {
				rows = append(rows, e)
			}
		case brought:
			m.Duplicates++
			return x.add(duplicates, e.place, e)
		case !e.moved:
			m.Extra++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := x.read(duplicates, func(_ bool, e extra) error {
		x.find(present[x.targets[e.target]].Name, "email "+e.id, "duplicates", "has the content of another message of this mailbox and was not recorded")
		return nil
	}); err != nil {
		return err
	}
	if m.Duplicates+m.Extra > 0 {
		x.rep.Mailboxes = append(x.rep.Mailboxes, m)
	}
	return nil
}
