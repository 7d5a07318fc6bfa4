package contentline

import (
	"fmt"
	"slices"
)

// Apart returns what only one of two lists holds, compared by what it says.
func Apart[T fmt.Stringer](a, b []T) (onlyA, onlyB []T) {
	return without(a, b), without(b, a)
}

func without[T fmt.Stringer](all, known []T) (out []T) {
	for _, v := range all {
		if !slices.ContainsFunc(known, func(k T) bool { return k.String() == v.String() }) {
			out = append(out, v)
		}
	}
	return out
}
