package connections

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// Whoever they are, and however they write the host, there are never more than
// the bound; other hosts have places of their own.
func TestBoundHoldsForAll(t *testing.T) {
	t.Parallel()
	const each = 3
	b := New(each)
	var inside, most atomic.Int64
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			free, err := b.Take(t.Context(), []string{"mail.old.test", "MAIL.old.test", "mail.old.test."}[n%3])
			if err != nil {
				t.Error(err)
				return
			}
			now := inside.Add(1)
			for {
				peak := most.Load()
				if now <= peak || most.CompareAndSwap(peak, now) {
					break
				}
			}
			inside.Add(-1)
			free()
			free() // twice gives back one place
		})
	}
	all.Wait()
	if most.Load() > each {
		t.Errorf("%d at once", most.Load())
	}
	for n := range each + 1 {
		if _, ok := b.Try("mail.old.test"); ok != (n < each) {
			t.Errorf("place %d of %d: %v", n+1, each, ok)
		}
	}
	if _, ok := b.Try("dav.old.test"); !ok {
		t.Error("another host has no place")
	}
}

// Who waits has idle connections to that host closed, and only those; who gives
// up waiting says why and takes no place.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	b := New(1)
	free, err := b.Take(t.Context(), "mail.old.test")
	if err != nil {
		t.Fatal(err)
	}
	b.Idle("dav.old.test", "other", func() { t.Error("idle connections to another host are closed") })
	why := errors.New("no more")
	ctx, cancel := context.WithCancelCause(t.Context())
	b.Idle("mail.old.test", "me", func() { cancel(why) })
	if _, err := b.Take(ctx, "mail.old.test"); !errors.Is(err, why) {
		t.Errorf("who gives up hears %v", err)
	}
	b.Idle("Mail.old.test", "me", free)
	again, err := b.Take(t.Context(), "mail.old.test")
	if err != nil {
		t.Fatal(err)
	}
	again()
}
