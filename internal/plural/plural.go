package plural

import (
	"strings"

	"github.com/dustin/go-humanize"
)

// number is what can be counted.
type number interface{ ~int | ~int64 | ~uint32 }

// Count is a number with what is counted, a noun in the singular whose last word
// takes the plural: "1 address book", "1,200 address books".
func Count[N number](n N, noun string) string {
	return humanize.Comma(int64(n)) + " " + Of(n, noun, many(noun))
}

// Of is the word for one, or that for any other number of things: a verb, or a
// noun whose plural is not regular.
func Of[N number](n N, one, other string) string {
	if n == 1 {
		return one
	}
	return other
}

// many is the plural of a noun.
func many(noun string) string {
	stem, y := strings.CutSuffix(noun, "y")
	switch {
	case y && !strings.HasSuffix(stem, "a") && !strings.HasSuffix(stem, "e"):
		return stem + "ies"
	case strings.HasSuffix(noun, "x"), strings.HasSuffix(noun, "s"), strings.HasSuffix(noun, "ch"):
		return noun + "es"
	}
	return noun + "s"
}
