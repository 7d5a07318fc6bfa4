package directory

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ReadGroups reads a file as group(5) writes it, "staff:x:50:anna,ben", and
// returns the members by group. Who has a group as his own (passwd's gid) is
// not in it. Lines of one group add up.
func ReadGroups(r io.Reader) (map[string][]string, error) {
	out := map[string][]string{}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' || line[0] == '+' || line[0] == '-' { // NIS
			continue
		}
		f := strings.Split(line, ":")
		if len(f) != 4 || f[0] == "" {
			return nil, fmt.Errorf("line %d is no group: %q", n, line)
		}
		for m := range strings.SplitSeq(f[3], ",") {
			if m = strings.TrimSpace(m); m != "" && !slices.Contains(out[f[0]], m) {
				out[f[0]] = append(out[f[0]], m)
			}
		}
		if out[f[0]] == nil {
			out[f[0]] = []string{}
		}
	}
	return out, sc.Err()
}
