package engine

import (
	"slices"
	"testing"
	"time"
)

// Who has more to load gets more lanes, nobody none; who is still being listed
// counts as the average.
func TestPortions(t *testing.T) {
	t.Parallel()
	const listed = -1
	for _, c := range []struct {
		left, lanes []int64
	}{
		{[]int64{listed}, []int64{4}},
		{[]int64{500}, []int64{4}},
		{[]int64{listed, listed, listed, listed, listed, listed, listed, listed}, []int64{2, 2, 2, 2, 2, 2, 2, 2}},
		{[]int64{5400, 3200, 2700, 2200, 1600, 1600, 1600, 1600}, []int64{4, 3, 2, 2, 1, 1, 1, 1}},
		{[]int64{90_000, 100, 100, 100}, []int64{4, 1, 1, 1}},
		{[]int64{1000, 3000, listed}, []int64{3, 4, 4}}, // of 2,000
		{[]int64{0, 0}, []int64{4, 4}},
		{[]int64{0, 10}, []int64{1, 4}},
	} {
		p := newPace(len(c.left), firstItems, 500, time.Now)
		var portions []*portion
		for range c.left {
			portions = append(portions, p.load())
		}
		for i, n := range c.left {
			if n != listed {
				p.expect(portions[i], n, n<<10)
			}
		}
		got := make([]int64, len(portions))
		for i, of := range portions {
			for p.mayUse(of, int(got[i])) {
				got[i]++
			}
		}
		if !slices.Equal(got, c.lanes) {
			t.Errorf("with %v to load: %v lanes, want %v", c.left, got, c.lanes)
		}
	}
}

// A lane that waits opens when others have less to load, or are through, or when
// nothing more comes for it; one that is open closes when others begin.
func TestLanesShift(t *testing.T) {
	t.Parallel()
	p := newPace(8, firstItems, 500, time.Now)
	var of []*portion
	for range 8 {
		of = append(of, p.load())
		p.expect(of[len(of)-1], 1000, 0)
	}
	opened := make(chan int)
	open := func(n int, end chan struct{}) {
		go func() {
			p.open(t.Context(), of[0], n, end)
			opened <- n
		}()
	}
	shut := func(n int) {
		t.Helper()
		select {
		case n := <-opened:
			t.Fatalf("lane %d is open", n)
		default:
		}
		if p.mayUse(of[0], n) {
			t.Fatalf("lane %d may be used", n)
		}
	}
	open(1, nil)
	if n := <-opened; n != 1 { // two lanes from the start
		t.Fatal(n)
	}
	end := make(chan struct{})
	open(3, end)
	shut(3)
	close(end)
	if n := <-opened; n != 3 {
		t.Fatal(n)
	}
	open(2, nil)
	shut(2)
	for _, other := range of[1:] {
		p.stored(other, 250, 0)
	}
	if n := <-opened; n != 2 {
		t.Fatal(n)
	}
	open(3, nil)
	shut(3)
	for _, other := range of[5:] {
		p.loaded(other)
	}
	if n := <-opened; n != 3 {
		t.Fatal(n)
	}
	p.expect(p.load(), 10_000, 0)
	shut(1)
}
