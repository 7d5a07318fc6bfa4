package hierarchy

import (
	"fmt"
	"slices"

	"mailhaul.org/mailhaul/internal/source/mailname"
)

// Folder is one mailbox.
type Folder struct {
	// Name is where it is on disk, as its reader needs it; empty: a level that
	// exists only as part of names.
	Name      string
	Path      []string
	Container bool
}

// Complete makes paths unique, adds missing levels as containers and sorts: the
// inbox first, parents before children. Of equal paths, which two names on disk
// can mean (modified UTF-7 and UTF-8, or what is neither), the first keeps its
// own; so the order has to be the same in every run.
func Complete(all []Folder) []Folder {
	have := map[string]bool{}
	for i := range all {
		path := all[i].Path
		for n := 2; have[mailname.Key(path)]; n++ {
			path = slices.Clone(all[i].Path)
			path[len(path)-1] += fmt.Sprintf(" (%d)", n)
		}
		all[i].Path = path
		have[mailname.Key(path)] = true
	}
	for _, f := range slices.Clone(all) {
		for n := 1; n < len(f.Path); n++ {
			if k := mailname.Key(f.Path[:n]); !have[k] {
				have[k] = true
				all = append(all, Folder{Path: slices.Clone(f.Path[:n]), Container: true})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Folder) int {
		if ai, bi := mailname.Key(a.Path) == "INBOX", mailname.Key(b.Path) == "INBOX"; ai != bi {
			if ai {
				return -1
			}
			return 1
		}
		return slices.Compare(a.Path, b.Path)
	})
	return all
}
