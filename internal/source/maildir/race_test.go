package maildir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// list follows a complete listing.
func list(t testing.TB, s source.Store, c model.Collection) []model.Item {
	t.Helper()
	var out []model.Item
	for ch, err := range s.Changes(t.Context(), c, "") {
		must(t, err)
		if ch.Op == model.OpUpsert {
			out = append(out, ch.Item)
		}
	}
	return out
}

func names(items []model.Item) []model.ItemRef {
	var out []model.ItemRef
	for _, i := range items {
		out = append(out, i.ItemRef)
	}
	return out
}

// Given a listing, when each message is renamed while the one before it is
// read, then all are read all the same.
func TestRenamedWhileRead(t *testing.T) {
	t.Parallel()
	d := newDisk(t, LayoutMaildir, true)
	for i := range 20 {
		d.Append(t, []string{"INBOX"}, fmt.Appendf(nil, "Subject: %d\r\n\r\n", i), model.Flags{}, d.now)
	}
	st, err := d.src.Open(t.Context(), d.Account())
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	items := list(t, st, cols[0])
	n := 0
	must(t, st.Read(t.Context(), cols[0], names(items), func(_ model.ItemRef, c *source.Content, err error) error {
		if err != nil {
			t.Errorf("message %d: %v", n, err)
			return nil
		}
		text, err := io.ReadAll(c)
		if want := fmt.Sprintf("Subject: %d\r\n\r\n", n); string(text) != want || err != nil {
			t.Errorf("%q, want %q: %v", text, want, err)
		}
		if n++; n < 20 {
			// Twice, so that what was learned of the first time is outdated.
			d.SetFlags(t, []string{"INBOX"}, n, model.Flags{System: model.SystemFlags(n % 8)})
			d.SetFlags(t, []string{"INBOX"}, n, model.Flags{System: model.Seen | model.Deleted})
		}
		return nil
	}))
	if n != 20 {
		t.Errorf("%d of 20 were read", n)
	}
}

// Given a listing under way, when later messages are renamed or removed, then
// the renamed ones are listed with their new flags and the others are not.
func TestRenamedWhileListed(t *testing.T) {
	t.Parallel()
	d := newDisk(t, LayoutMaildir, true)
	for range 10 {
		d.Append(t, []string{"INBOX"}, []byte("x"), model.Flags{}, d.now)
	}
	st, err := d.src.Open(t.Context(), d.Account())
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	var got []model.Item
	for ch, err := range st.Changes(t.Context(), cols[0], "") {
		must(t, err)
		if ch.Op != model.OpUpsert {
			continue
		}
		if got = append(got, ch.Item); len(got) == 1 {
			for i := 5; i < 8; i++ {
				d.SetFlags(t, []string{"INBOX"}, i, model.Flags{System: model.Flagged})
			}
			d.Expunge(t, []string{"INBOX"}, 9)
			d.Expunge(t, []string{"INBOX"}, 8)
		}
	}
	if len(got) != 8 {
		t.Fatalf("%d items, want 8", len(got))
	}
	for i, it := range got {
		if want := i >= 5; (it.Flags.System == model.Flagged) != want {
			t.Errorf("item %d has flags %v", i, it.Flags)
		}
	}
}

// A message is listed however its file is renamed meanwhile: a client changes
// flags all the time, and no listing lacks a message.
func TestNoneMissed(t *testing.T) {
	t.Parallel()
	const messages, listings = 400, 25
	d := newDisk(t, LayoutMaildir, true)
	for range messages {
		d.Append(t, []string{"INBOX"}, []byte("x"), model.Flags{}, d.now)
	}
	// The client renames without asking the harness, which takes its time.
	cur := filepath.Join(d.root, "cur")
	bases := d.files(t, []string{"INBOX"})
	var client sync.WaitGroup
	stop := make(chan struct{})
	client.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			i := n * 7919 % messages
			base, _, _ := strings.Cut(bases[i], ":")
			next := base + ":2," + strings.Repeat("F", n%2) + strings.Repeat("S", n%3/2)
			if err := os.Rename(filepath.Join(cur, bases[i]), filepath.Join(cur, next)); err != nil {
				t.Error(err)
				return
			}
			bases[i] = next
		}
	})
	src := New(Options{Path: d.root}) // by the real clock
	st, err := src.Open(t.Context(), d.Account())
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	for range listings {
		if n := len(list(t, st, cols[0])); n != messages {
			t.Errorf("%d of %d messages were listed", n, messages)
		}
	}
	close(stop)
	client.Wait()
}

// Removing many messages while they are read costs one listing, not one each.
func TestManyGone(t *testing.T) {
	t.Parallel()
	x := &index{dir: t.TempDir()}
	must(t, os.MkdirAll(filepath.Join(x.dir, "cur"), 0o755))
	at := place{root: x.dir, inbox: x.dir, home: x.dir}
	for i := range 50 {
		m := &message{file: file{name: fmt.Sprint(i)}}
		if err := x.locate(at, time.Now(), m, func(string) error { return fs.ErrNotExist }); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if i == 0 {
			// A listing would fail from now on.
			must(t, os.Remove(filepath.Join(x.dir, "cur")))
		}
	}
}

// A mailbox that is removed while it is read has no messages any more.
func TestMailboxRemoved(t *testing.T) {
	t.Parallel()
	d := newDisk(t, LayoutMaildir, true)
	d.Create(t, []string{"Old"})
	d.Append(t, []string{"Old"}, []byte("x"), model.Flags{}, d.now)
	st, err := d.src.Open(t.Context(), d.Account())
	must(t, err)
	cols, err := st.Collections(t.Context())
	must(t, err)
	items := list(t, st, cols[1])
	must(t, os.RemoveAll(cols[1].Native))
	for _, s := range []source.Store{st, func() source.Store { s, err := d.src.Open(t.Context(), d.Account()); must(t, err); return s }()} {
		called := 0
		err := s.Read(t.Context(), cols[1], names(items), func(_ model.ItemRef, _ *source.Content, err error) error {
			called++
			if model.CodeOf(err) != model.CodeGone || model.ClassOf(err) != model.ClassItem {
				t.Errorf("%v, want a Fault %q", err, model.CodeGone)
			}
			return nil
		})
		if err != nil || called != 1 {
			t.Errorf("%d calls: %v", called, err)
		}
	}
	for _, err := range st.Changes(t.Context(), cols[1], "") {
		if model.CodeOf(err) != model.CodeGone {
			t.Errorf("listing it gives %v", err)
		}
	}
}
