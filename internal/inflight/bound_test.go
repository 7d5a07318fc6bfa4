package inflight_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"mailhaul.org/mailhaul/internal/inflight"
)

// However many come and however the bound changes, never more are inside than
// the largest bound, and all get their turn.
func TestBound(t *testing.T) {
	t.Parallel()
	b := inflight.New(0)
	if b.Limit() != 1 {
		t.Fatalf("a bound of %d, want 1", b.Limit())
	}
	var inside, most, turns atomic.Int64
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			if n%50 == 7 {
				b.Set(1 + n/50)
			}
			if err := b.Enter(t.Context()); err != nil {
				t.Error(err)
				return
			}
			if now := inside.Add(1); now > most.Load() {
				most.Store(now)
			}
			turns.Add(1)
			inside.Add(-1)
			b.Leave()
		})
	}
	all.Wait()
	if turns.Load() != 200 || most.Load() > 4 {
		t.Errorf("%d turns, %d inside at a time", turns.Load(), most.Load())
	}
}

// A larger bound lets in who waits; who gives up leaves no place taken.
func TestBoundChanges(t *testing.T) {
	t.Parallel()
	b := inflight.New(1)
	if err := b.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	why := errors.New("given up")
	ctx, giveUp := context.WithCancelCause(t.Context())
	giveUp(why)
	if err := b.Enter(ctx); !errors.Is(err, why) {
		t.Fatalf("entered a full bound: %v", err)
	}
	second := make(chan error)
	go func() { second <- b.Enter(t.Context()) }()
	b.Set(2)
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	b.Set(1)
	third := make(chan error, 1)
	go func() { third <- b.Enter(t.Context()) }()
	b.Leave() // one stays inside: still full
	select {
	case <-third:
		t.Fatal("two inside a bound of one")
	default:
	}
	b.Leave()
	if err := <-third; err != nil {
		t.Fatal(err)
	}
	b.Leave()
}
