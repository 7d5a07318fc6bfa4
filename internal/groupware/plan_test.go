package groupware_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"mailhaul.org/mailhaul/internal/groupware"
)

var allChanges = []groupware.Change{groupware.Absent, groupware.Same, groupware.Created, groupware.Edited, groupware.Removed}

func writes(v groupware.Verb) bool {
	return v == groupware.Create || v == groupware.Update || v == groupware.Remove
}

// The merge holds in both directions: at most one side writes, and never over what
// the other has done.
func TestDecideInBothDirections(t *testing.T) {
	t.Parallel()
	for _, a := range allChanges {
		for _, b := range allChanges {
			for _, equal := range []bool{false, true} {
				ab, ba := groupware.Decide(a, b, equal), groupware.Decide(b, a, equal)
				if writes(ab) && writes(ba) {
					t.Errorf("%d and %d: both sides write, %d and %d", a, b, ab, ba)
				}
				if (ab == groupware.Update || ab == groupware.Remove) && b != groupware.Same {
					t.Errorf("%d is written over %d", a, b)
				}
				if ab == groupware.Create && (b == groupware.Created || b == groupware.Edited || b == groupware.Same) {
					t.Errorf("%d is created over %d", a, b)
				}
			}
		}
	}
}

// side is what one side holds of each of a few objects: a content, 0 for none.
type side [6]int

// change is what happened on a side since common.
func change(now, common int) groupware.Change {
	switch {
	case now == 0 && common == 0:
		return groupware.Absent
	case now == common:
		return groupware.Same
	case common == 0:
		return groupware.Created
	case now == 0:
		return groupware.Removed
	}
	return groupware.Edited
}

// merge carries here's changes to there.
func merge(here, there, common *side) {
	for i := range common {
		switch groupware.Decide(change(here[i], common[i]), change(there[i], common[i]), here[i] == there[i]) {
		case groupware.Create, groupware.Update, groupware.Remove:
			there[i], common[i] = here[i], here[i]
		case groupware.Adopt, groupware.Forget:
			common[i] = here[i]
		}
	}
}

// Two sides that both live, merged in either direction in turn, are equal but for
// what both have changed since it was common; that stays as each has it.
func TestTwoLivingSidesConverge(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			var a, b, common side
			content := 0
			for range 20 {
				mine, other := a, b
				for _, s := range []*side{&a, &b} {
					for range r.IntN(4) {
						content++
						s[r.IntN(len(s))] = content * r.IntN(2)
					}
				}
				changedA, changedB, before := a, b, common
				merge(&a, &b, &common)
				merge(&b, &a, &common)
				for i := range common {
					onA, onB := changedA[i] != before[i], changedB[i] != before[i]
					switch {
					case onA && onB:
						if a[i] != b[i] && (a[i] != changedA[i] || b[i] != changedB[i]) && changedA[i] != 0 && changedB[i] != 0 {
							t.Fatalf("object %d: both changed it (%d to %d, %d to %d), and it became %d and %d", i, mine[i], changedA[i], other[i], changedB[i], a[i], b[i])
						}
					case a[i] != b[i]:
						t.Fatalf("object %d: one changed it, and it is %d and %d", i, a[i], b[i])
					case onA && a[i] != changedA[i], onB && b[i] != changedB[i]:
						t.Fatalf("object %d: a change was lost", i)
					}
				}
			}
		})
	}
}
