package sourcetest

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// view follows one mailbox by its changes, as the engine does.
type view struct {
	cursor string
	items  map[uint64]model.Item
	ops    []model.Op // of the last follow
}

// Within reports whether a UID is in one of some ranges.
func Within(ranges []model.UIDRange, uid uint64) bool {
	return slices.ContainsFunc(ranges, func(r model.UIDRange) bool { return r.First <= uid && uid <= r.Last })
}

// follow applies what changed since the last time, and checks the order that
// model.Op promises.
func (v *view) follow(t *testing.T, s source.Store, c model.Collection) {
	t.Helper()
	if v.items == nil {
		v.items = map[uint64]model.Item{}
	}
	o := order{t: t, path: c.Path}
	last, listing := uint64(0), false
	for ch, err := range s.Changes(t.Context(), c, v.cursor) {
		o.saw(ch.Op, err)
		switch ch.Op {
		case model.OpListing:
			listing = true
			for uid := range v.items {
				if len(ch.UIDs) == 0 || Within(ch.UIDs, uid) {
					delete(v.items, uid)
				}
			}
		case model.OpUpsert:
			if listing && ch.Item.UID <= last {
				t.Fatalf("UID %d after %d", ch.Item.UID, last)
			}
			last = ch.Item.UID
			v.items[ch.Item.UID] = ch.Item
		case model.OpRemoved:
			delete(v.items, ch.Item.UID)
		case model.OpSurvivors:
			for uid := range v.items {
				if !Within(ch.UIDs, uid) {
					delete(v.items, uid)
				}
			}
		case model.OpCheckpoint:
			v.cursor = ch.Cursor
		default:
			t.Fatalf("unknown change %v", ch)
		}
	}
	v.ops = o.ended()
}

// order checks the order that model.Op promises: a listing comes first, if at
// all, and a checkpoint last.
type order struct {
	t    *testing.T
	path []string
	ops  []model.Op
	done bool
}

func (o *order) saw(op model.Op, err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatalf("changes of %v: %v", o.path, err)
	}
	if o.done {
		o.t.Fatalf("a change after the checkpoint: %v", op)
	}
	o.ops = append(o.ops, op)
	if op == model.OpListing && len(o.ops) > 1 {
		o.t.Fatalf("a listing that does not come first: %v", o.ops)
	}
	o.done = op == model.OpCheckpoint
}

// ended returns all operations.
func (o *order) ended() []model.Op {
	o.t.Helper()
	if !o.done {
		o.t.Fatalf("no checkpoint after %v", o.ops)
	}
	return o.ops
}

// list returns the items in order of UID.
func (v *view) list() []model.Item {
	out := make([]model.Item, 0, len(v.items))
	for _, i := range v.items {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b model.Item) int {
		switch {
		case a.UID < b.UID:
			return -1
		case a.UID > b.UID:
			return 1
		}
		return 0
	})
	return out
}

// refs are the names of the items.
func refs(items []model.Item) []model.ItemRef {
	out := make([]model.ItemRef, len(items))
	for i, it := range items {
		out[i] = it.ItemRef
	}
	return out
}

// open opens the account, for the length of the test.
func open(t *testing.T, h interface {
	Source() source.Source
	Account() model.Account
}) source.Store {
	t.Helper()
	s, err := h.Source().Open(t.Context(), h.Account())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func collections(t *testing.T, s source.Store) []model.Collection {
	t.Helper()
	cols, err := s.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return cols
}

// collection finds a mailbox by its path.
func collection(t *testing.T, s source.Store, path ...string) model.Collection {
	t.Helper()
	cols := collections(t, s)
	i := slices.IndexFunc(cols, func(c model.Collection) bool { return slices.Equal(c.Path, path) })
	if i < 0 {
		t.Fatalf("no mailbox %q among %v", path, paths(cols))
	}
	return cols[i]
}

func paths(cols []model.Collection) []string {
	var out []string
	for _, c := range cols {
		out = append(out, strings.Join(c.Path, "/"))
	}
	return out
}

// readAll reads the items and demands that each is handed out exactly once.
func readAll(t *testing.T, s source.Store, c model.Collection, items []model.ItemRef) map[uint64][]byte {
	t.Helper()
	out := map[uint64][]byte{}
	err := s.Read(t.Context(), c, items, func(r model.ItemRef, body *source.Content, err error) error {
		if _, twice := out[r.UID]; twice {
			t.Errorf("UID %d was handed out twice", r.UID)
		}
		if err != nil {
			t.Errorf("UID %d: %v", r.UID, err)
			out[r.UID] = nil
			return nil
		}
		out[r.UID] = octets(t, fmt.Sprint("UID ", r.UID), body)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != len(items) {
		t.Errorf("%d of %d items were handed out", len(out), len(items))
	}
	return out
}

// octets reads a content, and demands that what is said of it is so.
func octets(t testing.TB, what string, body *source.Content) []byte {
	t.Helper()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if body.Size >= 0 && body.Size != int64(len(b)) {
		t.Errorf("%s: size %d announced, %d octets came", what, body.Size, len(b))
	}
	if body.Whole != nil && !bytes.Equal(body.Whole, b) {
		t.Errorf("%s: what is whole is not what is read", what)
	}
	return b
}

func equalBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	t.Errorf("%s: %d octets, want %d; they differ from octet %d on: %.40q, want %.40q", what, len(got), len(want), at, got[at:], want[at:])
}
