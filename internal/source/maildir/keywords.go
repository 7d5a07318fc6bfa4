package maildir

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"
)

// letters is how many keywords file names can carry; Dovecot keeps further
// ones only in its index.
const letters = 26

// parseKeywords reads dovecot-keywords: lines of index and name. full
// reports that all letters are in use, so that there may be more keywords
// than the file names show.
func parseKeywords(r io.Reader) (names [letters]string, full bool, err error) {
	sc := bufio.NewScanner(r)
	n := 0
	for sc.Scan() {
		number, name, ok := strings.Cut(sc.Text(), " ")
		i, perr := strconv.Atoi(number)
		if !ok || perr != nil || i < 0 || i >= letters || name == "" {
			continue
		}
		if names[i] == "" {
			n++
		}
		names[i] = name
	}
	return names, n == letters, sc.Err()
}

// keywordsOf translates the letters of a file name. A letter without a name
// is left out, as Dovecot does.
func keywordsOf(used string, names *[letters]string) []string {
	var out []string
	for i := range len(used) {
		if name := names[used[i]-'a']; name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
