package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
)

// fill puts items into a mailbox, in the states given in turn.
func fill(t *testing.T, l *Ledger, c Collection, n int, states ...State) {
	t.Helper()
	write(t, l, func(tx *Tx) error {
		for i := range n {
			it := item(c, uint64(i+1), states[i%len(states)])
			it.GUID = GUID(fmt.Sprint(c.ID, i))
			if err := tx.PutItem(it); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestItemsOfSeveralStatesComeInOrderAcrossPages(t *testing.T) {
	t.Parallel()
	l, _, c := open(t)
	n := 3*itemsPage + 7
	fill(t, l, c, n, Pending, Moved, Refused, Moved, Pending)
	for _, states := range [][]State{nil, {Pending}, {Pending, Refused}, {Refused, Moved}, {Vanished}} {
		var want, got []uint64
		for i, s := range slices.Repeat([]State{Pending, Moved, Refused, Moved, Pending}, n/5+1)[:n] {
			if len(states) == 0 || slices.Contains(states, s) {
				want = append(want, uint64(i+1))
			}
		}
		for _, i := range items(t, l, c.ID, states...) {
			got = append(got, i.UID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %d items, want %d in order of UID", states, len(got), len(want))
		}
		if len(states) == 0 {
			continue
		}
		if k, octets, err := l.Count(t.Context(), c.ID, states...); err != nil || k != int64(len(want)) || octets != 1234*k {
			t.Errorf("Count(%v) = %d of %d octets, %v; want %d", states, k, octets, err, len(want))
		}
		if k, err := l.CountAccount(t.Context(), c.Account, states...); err != nil || k != int64(len(want)) {
			t.Errorf("CountAccount(%v) = %d, %v; want %d", states, k, err, len(want))
		}
	}
}

// A run works through what is pending while it iterates: each item comes once,
// whatever becomes of those behind, and the write-ahead log stays small.
func TestItemsCanBeWrittenWhileTheyAreIterated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := Collection{Account: 1, SourceID: "g"}
	write(t, l, func(tx *Tx) error { return tx.PutCollection(&c) })
	n := 40 * itemsPage
	if testing.Short() {
		n = 4 * itemsPage
	}
	fill(t, l, c, n, Pending)
	var last, seen, largest int64
	var batch []Item
	for i, err := range l.Items(t.Context(), c.ID, Pending) {
		if err != nil {
			t.Fatal(err)
		}
		if int64(i.UID) <= last {
			t.Fatalf("UID %d after %d", i.UID, last)
		}
		last, seen, batch = int64(i.UID), seen+1, append(batch, i)
		if len(batch) < 500 {
			continue
		}
		write(t, l, func(tx *Tx) error {
			for n, i := range batch {
				if n == 0 { // back to pending: for the next run
					continue
				}
				if err := tx.Confirm(i.Collection, i.UID, "e"); err != nil {
					return err
				}
			}
			return nil
		})
		batch = nil
		if info, err := os.Stat(filepath.Join(dir, FileName+"-wal")); err == nil {
			largest = max(largest, info.Size())
		}
	}
	if seen != int64(n) {
		t.Errorf("%d items, want %d", seen, n)
	}
	// SQLite empties it from 1,000 pages of 4 KiB on, when nobody reads.
	if largest > 6<<20 {
		t.Errorf("the write-ahead log reached %d octets", largest)
	}
}

// What DeleteItem does for every message must not walk the notes of all
// others.
func TestNotesOfAnItemAreFoundByTheirKey(t *testing.T) {
	t.Parallel()
	l, a, c := open(t)
	write(t, l, func(tx *Tx) error {
		for uid := range uint64(3) {
			if err := tx.PutItem(item(c, uid, Pending)); err != nil {
				return err
			}
			if err := tx.PutNote(a.ID, Note{Collection: c.ID, Item: NoteItem(uid), Code: "x"}); err != nil {
				return err
			}
		}
		return nil
	})
	write(t, l, func(tx *Tx) error { return tx.DeleteItem(c.ID, 1) })
	notes, err := l.Notes(t.Context(), a.ID)
	if err != nil || len(notes) != 2 || notes[0].Item != "0" || notes[1].Item != "2" {
		t.Errorf("notes = %v, %v; want those of 0 and 2", notes, err)
	}
	var plan string
	rows, err := l.read.Query("EXPLAIN QUERY PLAN DELETE FROM notes WHERE "+notesOf+" AND item = '1'", c.ID, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n [3]int
		var text string
		if err := rows.Scan(&n[0], &n[1], &n[2], &text); err != nil {
			t.Fatal(err)
		}
		plan += text + "\n"
	}
	if !strings.Contains(plan, "SEARCH notes USING PRIMARY KEY (account=? AND collection=? AND item=?)") {
		t.Errorf("SQLite's plan:\n%s", plan)
	}
	write(t, l, func(tx *Tx) error { return tx.DeleteCollection(c.ID) })
	if notes, err = l.Notes(t.Context(), a.ID); err != nil || len(notes) != 0 {
		t.Errorf("notes of a forgotten mailbox: %v, %v", notes, err)
	}
}

// Ranges of UIDs are listed page by page, with nothing from between them.
func TestItemsIn(t *testing.T) {
	t.Parallel()
	l, _, c := open(t)
	write(t, l, func(tx *Tx) error {
		for uid := range uint64(3*itemsPage + 7) {
			if err := tx.PutItem(item(c, 2*uid+2, Moved)); err != nil {
				return err
			}
		}
		return tx.PutItem(item(c, 1<<62|5, Vanished))
	})
	for _, ranges := range [][]model.UIDRange{
		nil, {{First: 0, Last: 1}}, {{First: 0, Last: 1<<64 - 1}}, {{First: 4, Last: 4}, {First: 7, Last: 10}, {First: 1 << 40, Last: 1<<63 - 1}},
		{{First: 3, Last: 2 * itemsPage}, {First: 2*itemsPage + 2, Last: 2*itemsPage + 2}, {First: 5 * itemsPage, Last: 1 << 40}},
	} {
		var want, got []uint64
		for _, i := range items(t, l, c.ID) {
			for _, r := range ranges {
				if r.First <= i.UID && i.UID <= r.Last {
					want = append(want, i.UID)
				}
			}
		}
		for i, err := range l.ItemsIn(t.Context(), c.ID, ranges) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, i.UID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: %d items, want %d", ranges, len(got), len(want))
		}
	}
	for range l.ItemsIn(t.Context(), c.ID, []model.UIDRange{{First: 0, Last: 100}, {First: 200, Last: 300}}) {
		break // leaves no reader behind
	}
}

// An item takes 150 octets at most when it has been moved, with all that is known of
// it, indexes and the free space of pages included.
func TestItemsAreSmall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, err := l.Account(t.Context(), "anna@acme.test", "anna@acme.test")
	if err != nil {
		t.Fatal(err)
	}
	c := Collection{Account: a.ID, Kind: model.KindMail, SourceID: "INBOX", UIDValidity: 1, Path: []string{"INBOX"}}
	write(t, l, func(tx *Tx) error { return tx.PutCollection(&c) })
	size := func() int64 {
		t.Helper()
		if _, err := l.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, FileName))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	const n = 30_000
	for from := 0; from < n; from += 500 {
		write(t, l, func(tx *Tx) error {
			for i := from; i < from+500; i++ {
				it := item(c, uint64(i+1), Pending)
				it.GUID, it.Size = GUID(fmt.Sprint("guid of ", i)), int64(20_000+i)
				if err := tx.PutItem(it); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for from := 0; from < n; from += 250 { // as a load does
		write(t, l, func(tx *Tx) error {
			for i := from; i < from+250; i++ {
				hash := [32]byte{byte(i), byte(i >> 8), 7: 9, 31: byte(i >> 4)}
				if err := tx.Intend(c.ID, uint64(i+1), hash, int64(20_000+i)); err != nil {
					return err
				}
			}
			return nil
		})
		write(t, l, func(tx *Tx) error {
			for i := from; i < from+250; i++ {
				if err := tx.Confirm(c.ID, uint64(i+1), fmt.Sprintf("b%09x", i*7919)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if each := float64(size()-before) / n; each > 150 {
		t.Errorf("an item takes %.1f octets", each)
	} else {
		t.Logf("an item takes %.1f octets", each)
	}
}
