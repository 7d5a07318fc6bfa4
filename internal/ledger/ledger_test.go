package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"mailhaul.org/mailhaul/internal/model"
)

// open returns a ledger in a new folder with one account and one mailbox.
func open(t *testing.T) (*Ledger, Account, Collection) {
	t.Helper()
	l, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	a, err := l.Account(t.Context(), "anna", "anna@acme.test")
	if err != nil {
		t.Fatal(err)
	}
	c := Collection{Account: a.ID, Kind: model.KindMail, SourceID: "g1", UIDValidity: 7, Native: "Work", Path: []string{"Work"}, Target: "m1", Subscribed: -1}
	write(t, l, func(tx *Tx) error { return tx.PutCollection(&c) })
	return l, a, c
}

func write(t *testing.T, l *Ledger, fn func(*Tx) error) {
	t.Helper()
	if err := l.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func items(t *testing.T, l *Ledger, collection int64, states ...State) []Item {
	t.Helper()
	var out []Item
	for i, err := range l.Items(t.Context(), collection, states...) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, i)
	}
	return out
}

func item(c Collection, uid uint64, s State) Item {
	return Item{Collection: c.ID, UID: uid, State: s, GUID: GUID("0123456789abcdef0123456789abcdef"),
		Flags:    model.Flags{System: model.Seen | model.Flagged, Keywords: []string{"$Forwarded", "work"}},
		Received: time.Date(2019, 4, 1, 8, 0, 0, 0, time.UTC), Size: 1234}
}

func TestItemSurvivesReopening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := item(Collection{ID: 3}, 1<<61, Pending)
	want.Hash, want.Remote = [32]byte{1, 2, 3}, "b7a"
	write(t, l, func(tx *Tx) error { return tx.PutItem(want) })
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if diff := cmp.Diff([]Item{want}, items(t, l, 3)); diff != "" {
		t.Error(diff)
	}
}

func TestIntentThenConfirmKeepsTheLastCommonFlags(t *testing.T) {
	t.Parallel()
	l, a, c := open(t)
	i := item(c, 17, Pending)
	write(t, l, func(tx *Tx) error { return tx.PutItem(i) })
	write(t, l, func(tx *Tx) error {
		if err := tx.Intend(c.ID, 17, [32]byte{9}, 1250); err != nil {
			return err
		}
		return tx.SetSettle(a.ID, "s1")
	})
	if got := items(t, l, c.ID, Intended); len(got) != 1 || got[0].Hash != [32]byte{9} || got[0].Size != 1250 {
		t.Fatalf("after the intent: %+v", got)
	}
	again, err := l.Account(t.Context(), "anna", "anna@acme.test")
	if err != nil || again.Settle != "s1" {
		t.Fatalf("settle = %q, %v; want s1", again.Settle, err)
	}
	write(t, l, func(tx *Tx) error { return tx.Confirm(c.ID, 17, "e1") })
	got := items(t, l, c.ID, Moved)
	if len(got) != 1 || got[0].Remote != "e1" || !got[0].Sent.Equal(i.Flags) {
		t.Fatalf("after the confirmation: %+v", got)
	}
	if work, err := l.HasWork(t.Context(), a.ID, true); err != nil || work {
		t.Errorf("HasWork = %v, %v; want false", work, err)
	}
}

// Somebody looks at the state while the first run makes the ledger.
func TestOpenedAtOnceByMany(t *testing.T) {
	t.Parallel()
	for range 10 {
		dir := t.TempDir()
		var all errgroup.Group
		for range 6 {
			all.Go(func() error {
				l, err := Open(dir)
				if err != nil {
					return err
				}
				return l.Close()
			})
		}
		if err := all.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFailedStepLeavesNothing(t *testing.T) {
	t.Parallel()
	l, _, c := open(t)
	boom := errors.New("boom")
	err := l.Write(t.Context(), func(tx *Tx) error {
		if err := tx.PutItem(item(c, 1, Pending)); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("err = %v", err)
	}
	if got := items(t, l, c.ID); len(got) != 0 {
		t.Fatalf("rows left: %v", got)
	}
	// The keyword set of the undone step must not be remembered by number.
	write(t, l, func(tx *Tx) error { return tx.PutItem(item(c, 1, Pending)) })
	if got := items(t, l, c.ID); len(got) != 1 || len(got[0].Flags.Keywords) != 2 {
		t.Fatalf("rows: %+v", got)
	}
}

func TestRetireMarksWhatWasAtTheDestinationAndForgetsTheRest(t *testing.T) {
	t.Parallel()
	l, a, c := open(t)
	write(t, l, func(tx *Tx) error {
		for n, s := range []State{Pending, Moved, Changed, Refused, Detached, Intended} {
			if err := tx.PutItem(item(c, uint64(n+1), s)); err != nil {
				return err
			}
		}
		return nil
	})
	write(t, l, func(tx *Tx) error { return tx.Retire(c.ID) })
	var got []State
	for _, i := range items(t, l, c.ID) {
		got = append(got, i.State)
	}
	if diff := cmp.Diff([]State{Vanished, Vanished, Vanished, Intended}, got); diff != "" {
		t.Error(diff)
	}
	if n, err := l.CountAccount(t.Context(), a.ID, Vanished); err != nil || n != 3 {
		t.Errorf("vanished = %d, %v; want 3", n, err)
	}
}

func TestVanishedPrefersTheSameMailboxAndLeavesOutWhatIsTaken(t *testing.T) {
	t.Parallel()
	l, a, c := open(t)
	other := Collection{Account: a.ID, Kind: model.KindMail, SourceID: "g2", UIDValidity: 7, Native: "Old", Path: []string{"Old"}, Subscribed: -1}
	write(t, l, func(tx *Tx) error { return tx.PutCollection(&other) })
	in := item(c, 5, Vanished)
	write(t, l, func(tx *Tx) error {
		if err := tx.PutItem(in); err != nil {
			return err
		}
		return tx.PutItem(item(other, 9, Vanished))
	})
	err := l.View(context.Background(), func(tx *Tx) error {
		taken := map[Key]bool{}
		for _, want := range []Key{{other.ID, 9}, {c.ID, 5}} {
			got, ok, err := tx.Vanished(a.ID, item(other, 1, Pending), taken)
			if err != nil || !ok || got.Key() != want {
				t.Errorf("Vanished = %v, %v, %v; want %v", got.Key(), ok, err, want)
			}
			taken[got.Key()] = true
		}
		if _, ok, err := tx.Vanished(a.ID, in, taken); ok || err != nil {
			t.Errorf("a third: %v, %v", ok, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNotesFollowTheirItem(t *testing.T) {
	t.Parallel()
	l, a, c := open(t)
	write(t, l, func(tx *Tx) error {
		return tx.PutNote(a.ID, Note{Collection: c.ID, Item: NoteItem(5), Code: "repaired", Text: "x"})
	})
	write(t, l, func(tx *Tx) error { return tx.MoveNotes(a.ID, Key{c.ID, 5}, Key{c.ID, 6}) })
	notes, err := l.Notes(t.Context(), a.ID)
	if err != nil || len(notes) != 1 || notes[0].Item != "6" {
		t.Errorf("notes = %v, %v", notes, err)
	}
}

func TestAccountKeepsItsRowAndFollowsItsAddress(t *testing.T) {
	t.Parallel()
	l, a, _ := open(t)
	write(t, l, func(tx *Tx) error { return tx.SetRemote(a.ID, "r1") })
	for _, address := range []string{"anna@acme.test", "anna.k@acme.test", "anna.k@acme.test"} {
		got, err := l.Account(t.Context(), "anna", address)
		if want := (Account{ID: a.ID, Login: "anna", Address: address, Remote: "r1", State: "new"}); err != nil || got != want {
			t.Errorf("Account = %+v, %v; want %+v", got, err, want)
		}
	}
	if other, err := l.Account(t.Context(), "bert", "bert@acme.test"); err != nil || other.ID == a.ID || other.Remote != "" {
		t.Errorf("another account: %+v, %v", other, err)
	}
	all, err := l.Statuses(t.Context())
	if err != nil || len(all) != 2 || all[0].Address != "anna.k@acme.test" {
		t.Errorf("accounts: %+v, %v", all, err)
	}
}

func TestGUID(t *testing.T) {
	t.Parallel()
	if GUID("") != [16]byte{} {
		t.Error("the empty identity must be the zero value")
	}
	if got := GUID("000102030405060708090a0b0c0d0e0f"); got != [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} {
		t.Errorf("hex: %x", got)
	}
	if GUID("1560000000.M1P2.host,S=703,W=710") == GUID("1560000000.M1P2.host,S=703,W=711") {
		t.Error("two identities, one GUID")
	}
}

// A disk that was full when the ledger was to be made leaves an empty file: it
// is made then.
func TestOpenAnEmptyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Account(t.Context(), "anna", "anna@acme.test"); err != nil {
			t.Error(err)
		}
		l.Close()
	}
}

func TestHoldings(t *testing.T) {
	t.Parallel()
	l, a, c := open(t)
	deep := Collection{Account: a.ID, Kind: model.KindMail, SourceID: "g2", UIDValidity: 7, Native: "A.B.C", Path: []string{"A", "B", "C"}, Subscribed: -1}
	gone := Collection{Account: a.ID, Kind: model.KindMail, SourceID: "g3", UIDValidity: 7, Native: "D", Path: []string{"D", "E", "F", "G"}, Retired: true, Subscribed: -1}
	if _, err := l.Account(t.Context(), "never listed", ""); err != nil {
		t.Fatal(err)
	}
	write(t, l, func(tx *Tx) error {
		for _, k := range []*Collection{&deep, &gone} {
			if err := tx.PutCollection(k); err != nil {
				return err
			}
		}
		for i, put := range []Item{item(c, 1, Pending), item(c, 2, Moved), item(deep, 1, Intended), item(deep, 2, Refused)} {
			put.Size = int64(1) << (10 * i)
			if err := tx.PutItem(put); err != nil {
				return err
			}
		}
		return nil
	})
	got, err := l.Holdings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []Holding{{Login: "anna", Mailboxes: 2, Depth: 3, Octets: 1 + 1<<20}}; !cmp.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
