package provision

import (
	"fmt"
	"slices"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/safeshare"
)

// guard makes the removals of a plan wait if there are too many of them.
func guard(plan []destination.Action, written []destination.Written) {
	removals := 0
	for _, a := range plan {
		if a.Verb == destination.VerbDelete {
			removals++
		} else if a.Verb == destination.VerbChange {
			removals += len(taken(a))
		}
	}
	if !safeshare.Values.Exceeded(int64(removals), int64(len(written)-removals)) {
		return
	}
	why := fmt.Sprintf("a run that takes back %d of %d values at once is more likely a source that was not read as a whole: if it is meant, --update does it", removals, len(written))
	for i := range plan {
		a := &plan[i]
		switch {
		case a.Verb == destination.VerbDelete:
			a.Verb, a.Note = destination.VerbWait, why
		case a.Verb == destination.VerbChange && len(taken(*a)) > 0:
			a.Kept = append(a.Kept, taken(*a)...)
			a.Changes = slices.DeleteFunc(slices.Clone(a.Changes), removal)
			a.Forget, a.Note = nil, why
			if len(a.Changes) == 0 {
				a.Verb = destination.VerbWait
			}
		}
	}
}

// removal is a change that takes a member out of a set. A login that is allowed
// again is none.
func removal(c destination.Change) bool { return c.New == "" && c.Old != "" }

func taken(a destination.Action) (out []destination.Change) {
	for _, c := range a.Changes {
		if removal(c) {
			out = append(out, c)
		}
	}
	return out
}
