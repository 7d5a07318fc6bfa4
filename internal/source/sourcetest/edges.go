package sourcetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// accounts: a source tells its accounts or says that it cannot; opening one
// that does not exist is a Fault of that account.
func accounts(t *testing.T, h Harness) {
	found := false
	for a, err := range h.Source().Accounts(t.Context()) {
		if model.CodeOf(err) == "notEnumerable" {
			found = true
			break
		}
		if err != nil {
			t.Errorf("an account: %v", err)
		}
		if a.Login == "" {
			t.Error("an account without login")
		}
		found = found || a.Login == h.Account().Login
	}
	if !found {
		t.Errorf("%s is not among the accounts", h.Account().Login)
	}
	// Not to its end.
	for range h.Source().Accounts(t.Context()) {
		break
	}
}

// removedMailbox: what was deleted is not listed, the others are as before.
func removedMailbox(t *testing.T, h Harness) {
	r, ok := h.(Remover)
	if !ok {
		t.Skip("no mailbox can be deleted here")
	}
	h.Create(t, []string{"Keep"})
	h.Create(t, []string{"Lose"})
	fill(t, h, []string{"Keep"}, 2)
	fill(t, h, []string{"Lose"}, 2)
	s := open(t, h)
	was := collection(t, s, "Keep")
	r.Remove(t, []string{"Lose"})
	s = open(t, h)
	if cols := collections(t, s); slices.ContainsFunc(cols, func(c model.Collection) bool { return c.Path[0] == "Lose" }) {
		t.Errorf("a deleted mailbox is among %v", paths(cols))
	}
	is := collection(t, s, "Keep")
	if is.ID != was.ID || is.UIDValidity != was.UIDValidity {
		t.Errorf("the other one was %+v and is %+v", was, is)
	}
	var v view
	v.follow(t, s, is)
	if len(v.items) != 2 {
		t.Errorf("the other one has %d items, want 2", len(v.items))
	}
}

// rawOctets: NUL, bare LF and what else is on disk comes as the source's
// rules say, and an empty message as an empty message.
func rawOctets(t *testing.T, h Harness) {
	a, ok := h.(RawAppender)
	if !ok {
		t.Skip("no octets but those of the protocol can be stored here")
	}
	var want [][]byte
	for _, raw := range []string{"Subject: nul\n\na\x00b\x00\n", "Subject: mixed\r\nX: y\n\r\nlone \r stays\n", "\n\n", "", "no header"} {
		want = append(want, a.AppendRaw(t, inbox, []byte(raw)))
	}
	s := open(t, h)
	c := collection(t, s, "INBOX")
	var v view
	v.follow(t, s, c)
	items := v.list()
	if len(items) != len(want) {
		t.Fatalf("%d items, want %d", len(items), len(want))
	}
	got := readAll(t, s, c, refs(items))
	for i, it := range items {
		equalBytes(t, "raw message", got[it.UID], want[i])
	}
}

// anyOrder: items are read whatever their order, some or none of them, with
// or without a listing before.
func anyOrder(t *testing.T, h Harness) {
	fill(t, h, inbox, 6)
	s := open(t, h)
	c := collection(t, s, "INBOX")
	var v view
	v.follow(t, s, c)
	some := refs(v.list())
	slices.Reverse(some)
	some = slices.Delete(some, 1, 4)
	fresh := open(t, h)
	for _, s := range []source.Store{s, fresh} {
		got := readAll(t, s, collection(t, s, "INBOX"), some)
		for i, n := range []int{5, 1, 0} {
			equalBytes(t, "out of order", got[some[i].UID], message(n))
		}
	}
	err := s.Read(t.Context(), c, nil, func(model.ItemRef, *source.Content, error) error {
		t.Error("nothing was asked for, something came")
		return nil
	})
	if err != nil {
		t.Errorf("reading nothing: %v", err)
	}
}

// cancelled: a context that ends, ends what was begun.
func cancelled(t *testing.T, h Harness) {
	fill(t, h, inbox, 5)
	s := open(t, h)
	c := collection(t, s, "INBOX")
	var v view
	v.follow(t, s, c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	err := s.Read(ctx, c, refs(v.list()), func(model.ItemRef, *source.Content, error) error {
		n++
		cancel()
		return nil
	})
	// What was under way may still come, but then all of it.
	if err == nil && n != 5 || err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%d of 5 items after the context ended, and %v", n, err)
	}
}
