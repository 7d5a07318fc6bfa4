package groupware

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// brittle is a destination that breaks off over some objects.
type brittle struct {
	bad   map[string]bool
	taken map[string]int
	calls int
	// down: it takes nothing any more after that many calls; 0: never.
	down int
	// class and code are those of its errors.
	class model.Class
	code  string
}

func (b *brittle) try(_ context.Context, parts []*part) ([]*part, error) {
	b.calls++
	err := &model.Fault{Class: b.class, Code: b.code, Err: errors.New("the connection is cut")}
	if b.down > 0 && b.calls > b.down {
		return parts, err
	}
	for _, p := range parts {
		if b.bad[p.row.UID] {
			return parts, err
		}
	}
	for _, p := range parts {
		b.taken[p.row.UID]++
	}
	return nil, nil
}

// run has isolate send n objects, and returns which were blamed, in order.
func (b *brittle) run(t *testing.T, a *Account, from, n int) (blamed []string, err error) {
	t.Helper()
	if b.taken == nil {
		b.taken = map[string]int{}
	}
	if b.class == 0 {
		b.class, b.code = model.ClassRetry, model.CodeUnreachable
	}
	var parts []*part
	for i := range n {
		parts = append(parts, &part{row: ledger.Object{UID: fmt.Sprint(from + i)}})
	}
	err = a.isolate(t.Context(), parts, b.try, func(p *part, why error) {
		if model.ClassOf(why) != model.ClassItem {
			t.Errorf("%s is blamed with %v", p.row.UID, why)
		}
		blamed = append(blamed, p.row.UID)
	})
	return blamed, err
}

func bad(uids ...int) map[string]bool {
	out := map[string]bool{}
	for _, uid := range uids {
		out[fmt.Sprint(uid)] = true
	}
	return out
}

// Among objects that the destination takes, those that break their request are
// found, wherever they are, and nothing else is blamed.
func TestIsolateFinds(t *testing.T) {
	t.Parallel()
	for _, uids := range [][]int{{0}, {99}, {37}, {0, 1, 2}, {3, 50, 51, 98}, {10, 20, 30, 40, 50, 60, 70, 80}} {
		b := &brittle{bad: bad(uids...)}
		blamed, err := b.run(t, &Account{}, 0, 100)
		if err != nil || len(blamed) != len(uids) || len(b.taken) != 100-len(uids) {
			t.Errorf("%v: blamed %v, %d taken, %v", uids, blamed, len(b.taken), err)
		}
		for uid, n := range b.taken {
			if n != 1 {
				t.Errorf("%v: %s was stored %d times", uids, uid, n)
			}
		}
	}
}

// A destination that takes nothing is given up soon, and no object is blamed for it.
func TestIsolateHopeless(t *testing.T) {
	t.Parallel()
	b := &brittle{down: -1, bad: map[string]bool{}}
	for i := range 500 {
		b.bad[fmt.Sprint(i)] = true
	}
	blamed, err := b.run(t, &Account{}, 0, 500)
	if model.CodeOf(err) != "destinationFails" || model.ClassOf(err) != model.ClassAccount || len(blamed) != 0 || b.calls > hopeless {
		t.Errorf("blamed %v after %d calls: %v", blamed, b.calls, err)
	}
}

// One that stops taking anything while it still answers when it is asked (else the
// account stops at once) is given up, too, after few objects.
func TestIsolateStopsTaking(t *testing.T) {
	t.Parallel()
	for down := 1; down < 40; down++ {
		b := &brittle{bad: bad(37, 61), down: down}
		blamed, err := b.run(t, &Account{}, 0, 400)
		switch {
		case err == nil && (len(b.taken) != 398 || len(blamed) != 2):
			t.Errorf("down after %d: %d taken, blamed %v", down, len(b.taken), blamed)
		case err != nil && (model.CodeOf(err) != "destinationFails" || len(blamed) > mostBlamed):
			t.Errorf("down after %d: blamed %v, %v", down, blamed, err)
		}
	}
}

// Where nothing else was taken, few objects may be blamed: batches of one object
// each do not prove that the destination works.
func TestIsolateUnproven(t *testing.T) {
	t.Parallel()
	a, b := &Account{}, &brittle{bad: bad(0, 1, 2, 3, 4, 5, 6, 7)}
	var all []string
	var err error
	n := 0
	for ; n < 8 && err == nil; n++ {
		var blamed []string
		blamed, err = b.run(t, a, n, 1)
		all = append(all, blamed...)
	}
	if model.CodeOf(err) != "destinationFails" || len(all) > unproven || n > unproven+1 {
		t.Errorf("blamed %v in %d batches: %v", all, n, err)
	}
	// Anything that it takes is a proof.
	a, b = &Account{}, &brittle{bad: bad(0, 2, 4, 6, 8, 10, 12, 14)}
	for n = range 16 {
		if _, err := b.run(t, a, n, 1); err != nil {
			t.Fatalf("object %d: %v", n, err)
		}
	}
	if len(b.taken) != 8 {
		t.Errorf("%v were taken", b.taken)
	}
}

// However much it takes in between, more than so many objects are not blamed.
func TestIsolateMostBlamed(t *testing.T) {
	t.Parallel()
	a, b := &Account{}, &brittle{bad: map[string]bool{}}
	for i := range 400 {
		b.bad[fmt.Sprint(i)] = i%10 == 3
	}
	var all []string
	var err error
	for n := 0; n < 400 && err == nil; n += 20 {
		var blamed []string
		blamed, err = b.run(t, a, n, 20)
		all = append(all, blamed...)
	}
	if model.CodeOf(err) != "destinationFails" || len(all) != mostBlamed {
		t.Errorf("blamed %d: %v: %v", len(all), all, err)
	}
}

// An error that says itself that the request is at fault needs no second look, and
// has no limits.
func TestIsolateOwnFault(t *testing.T) {
	t.Parallel()
	b := &brittle{bad: map[string]bool{}, class: model.ClassItem, code: destination.CodeTooLarge}
	for i := range 60 {
		b.bad[fmt.Sprint(i)] = i%2 == 0
	}
	blamed, err := b.run(t, &Account{}, 0, 60)
	if err != nil || len(blamed) != 30 || len(b.taken) != 30 {
		t.Errorf("blamed %v, %d taken, %v", blamed, len(b.taken), err)
	}
}

// A destination that is only busy blames nobody.
func TestIsolateBusy(t *testing.T) {
	t.Parallel()
	b := &brittle{bad: bad(0, 1, 2), class: model.ClassRetry, code: "busy"}
	blamed, err := b.run(t, &Account{}, 0, 3)
	if model.CodeOf(err) != "busy" || len(blamed) != 0 || b.calls != attempts {
		t.Errorf("blamed %v after %d calls: %v", blamed, b.calls, err)
	}
}
