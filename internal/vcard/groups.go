package vcard

import (
	"slices"
	"strings"

	"mailhaul.org/mailhaul/internal/contentline"
)

// grouped is what each group says: its labels, and which properties belong together
// where there are several, as an address and what is printed on its letters.
func grouped(c *card) map[string]string {
	names, members := map[string][]string{}, map[string]int{}
	for _, l := range c.lines {
		g := strings.ToLower(l.Group)
		if g == "" || l.Is(bookkeeping...) {
			continue
		}
		names[g] = append(names[g], strings.ToUpper(l.Name)+":"+canonicalValue(l))
		if !labels(l) {
			members[g]++
		}
	}
	all := make(map[string]string, len(names))
	for g, list := range names {
		if members[g] < 2 {
			list = slices.DeleteFunc(list, func(s string) bool { return !strings.HasPrefix(s, "X-ABLABEL:") && !strings.HasPrefix(s, "X-ABADR:") })
		}
		slices.Sort(list)
		all[g] = strings.Join(list, " ")
	}
	return all
}

// shown is the full name that clients show where there are several and none is
// preferred: the first; empty: there is one, or it says so itself.
func (c *card) shown() string {
	first, several := "", false
	for _, l := range c.all("FN") {
		v := canonicalValue(l)
		switch {
		case l.First("PREF") != "":
			return ""
		case first == "":
			first = v
		default:
			several = several || v != first
		}
	}
	if !several {
		return ""
	}
	return first
}

// labels: the property describes the others of its group.
func labels(l contentline.Line) bool { return l.Is("X-ABLABEL", "X-ABADR") }
