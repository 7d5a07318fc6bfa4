package nearest

import "strings"

// To returns the candidate most like name, or "" when none is like it: more
// than a third of the letters, and more than one, would have to change. The
// first of equally good candidates wins. Case counts for nothing.
func To(name string, candidates []string) string {
	best, limit := "", max(1, len([]rune(name))/3)+1
	for _, c := range candidates {
		if d := Distance(strings.ToLower(name), strings.ToLower(c)); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// Hint is To as the end of a sentence, `: did you mean "x"?`, or "".
func Hint(name string, candidates []string) string {
	if n := To(name, candidates); n != "" {
		return `: did you mean "` + n + `"?`
	}
	return ""
}

// Distance counts the insertions, deletions, replacements and exchanges of
// neighbours that lead from a to b (optimal string alignment), in runes.
func Distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, above := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range above {
		above[j] = j
	}
	for i := range x {
		row := make([]int, len(y)+1)
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(y)]
}
