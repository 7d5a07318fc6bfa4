package sample_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/sample"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/maildir"
)

// Reading from disk, which shares no code with the sample, finds what was
// planned: every mailbox, message and script.
func TestReadFromDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := sample.New(sample.Options{Accounts: 16, Messages: 800, Oddities: true, Large: 300_000, MessageSize: 2000, Seed: 5})
	if err := o.WriteMaildir(dir); err != nil {
		t.Fatal(err)
	}
	src := maildir.New(maildir.Options{Path: dir + "/%d/%n/Maildir"})
	defer src.Close()
	read := 0
	for _, a := range o.Accounts {
		store, err := src.Open(t.Context(), model.Account{Login: a.Login})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		collections, err := store.Collections(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(collections) != len(a.Mailboxes) {
			t.Errorf("%s: %d mailboxes, want %d", a.Login, len(collections), len(a.Mailboxes))
		}
		for _, c := range collections {
			m := a.Mailbox(c.Path...)
			if m == nil || c.Container != m.Container || c.Subscribed != m.Subscribed || !c.Container && (c.UIDValidity != m.UIDValidity || c.ID != m.GUID) {
				t.Errorf("%s: %q: got %+v", a.Login, c.Path, c)
				continue
			}
			if !c.Container {
				read += compare(t, store, c, m)
			}
		}
		scripts, err := store.(source.Scripts).Scripts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := slices.SortedFunc(slices.Values(a.Scripts), func(a, b model.Script) int { return strings.Compare(a.Name, b.Name) })
		if !slices.EqualFunc(scripts, want, func(a, b model.Script) bool {
			return a.Name == b.Name && a.Active == b.Active && bytes.Equal(a.Content, b.Content)
		}) {
			t.Errorf("%s: %d scripts differ from %d", a.Login, len(scripts), len(want))
		}
	}
	if _, _, messages, _ := o.Totals(); read != messages {
		t.Errorf("read %d messages, want %d", read, messages)
	}
}

func compare(t *testing.T, store source.Store, c model.Collection, m *sample.Mailbox) (read int) {
	t.Helper()
	var items []model.Item
	var refs []model.ItemRef
	for change, err := range store.Changes(t.Context(), c, "") {
		if err != nil {
			t.Fatal(err)
		}
		if change.Op == model.OpUpsert {
			items, refs = append(items, change.Item), append(refs, change.Item.ItemRef)
		}
	}
	want := map[uint64]sample.Message{}
	for msg := range m.Messages() {
		want[uint64(msg.UID)] = msg
	}
	for _, i := range items {
		w, ok := want[i.UID]
		if !ok || i.GUID != w.GUID || !i.Flags.Equal(w.Flags) || !i.Received.Equal(w.Received) {
			t.Errorf("%q: got %+v, want %q %v %v", c.Path, i, w.GUID, w.Flags, w.Received)
		}
	}
	err := store.Read(t.Context(), c, refs, func(ref model.ItemRef, content *source.Content, err error) error {
		if err != nil {
			return err
		}
		read++
		w := want[ref.UID]
		got, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		shown, err := io.ReadAll(w.Open())
		if err != nil {
			return err
		}
		if !bytes.Equal(got, shown) {
			t.Errorf("%q: UID %d (%s): other octets", c.Path, ref.UID, w.Oddity)
		}
		return nil
	})
	if err != nil {
		t.Errorf("%q: %v", c.Path, err)
	}
	return read
}
