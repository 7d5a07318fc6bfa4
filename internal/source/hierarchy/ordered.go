package hierarchy

import (
	"cmp"
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/model"
)

// Ordered puts the inbox first and parents before children, and adds as
// containers the levels that a server does not list.
func Ordered(all []model.Collection) []model.Collection {
	have := map[string]bool{}
	for _, c := range all {
		have[strings.Join(c.Path, "\x00")] = true
	}
	for _, c := range slices.Clone(all) {
		for n := 1; n < len(c.Path); n++ {
			k := strings.Join(c.Path[:n], "\x00")
			if !have[k] {
				have[k] = true
				all = append(all, model.Collection{Kind: model.KindMail, ID: "level:" + k, Path: slices.Clone(c.Path[:n]), Container: true, Items: -1, Octets: -1})
			}
		}
	}
	first := func(c model.Collection) int {
		if c.Role == model.RoleInbox {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(a, b model.Collection) int {
		return cmp.Or(cmp.Compare(first(a), first(b)), slices.Compare(a.Path, b.Path))
	})
	return all
}
