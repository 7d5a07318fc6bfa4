package verify

import "mailhaul.org/mailhaul/internal/model"

// ObjectCounts balance: Source is the sum of all the others but Gone and
// Extra, which count what only the destination holds.
type ObjectCounts struct {
	Source    int64 `json:"source"`    // objects at the source now
	Exact     int64 `json:"exact"`     // the same meaning; files: the same octets
	Explained int64 `json:"explained"` // differ only in what docs/fidelity.md explains
	Kept      int64 `json:"kept"`      // as its user has it at the destination
	Merged    int64 `json:"merged"`    // there twice at the source, once at the destination
	Refused   int64 `json:"refused"`   // left behind, with a reason
	NotTaken  int64 `json:"not_taken"` // of a kind that the destination does not keep
	Missing   int64 `json:"missing"`   // at the source, not at the destination
	Different int64 `json:"different"` // at both, not equal

	Gone  int64 `json:"gone"`  // brought, removed at the source since, still at the destination
	Extra int64 `json:"extra"` // at the destination, not brought by us
}

// Add adds d to c.
func (c *ObjectCounts) Add(d ObjectCounts) {
	c.Source += d.Source
	c.Exact += d.Exact
	c.Explained += d.Explained
	c.Kept += d.Kept
	c.Merged += d.Merged
	c.Refused += d.Refused
	c.NotTaken += d.NotTaken
	c.Missing += d.Missing
	c.Different += d.Different
	c.Gone += d.Gone
	c.Extra += d.Extra
}

// Differences is how many findings stand between the two sides.
func (c ObjectCounts) Differences() int64 { return c.Missing + c.Different + c.Gone }

// Balanced reports whether every object of the source is accounted for.
func (c ObjectCounts) Balanced() bool {
	return c.Source == c.Exact+c.Explained+c.Kept+c.Merged+c.Refused+c.NotTaken+c.Missing+c.Different
}

// ObjectReport is the comparison of one calendar, address book or folder.
type ObjectReport struct {
	Kind string `json:"kind"` // "calendar", "contacts", "files"
	Name string `json:"name"` // at the source, levels separated by "/"
	ObjectCounts
}

// kindNames are those of reports.
var kindNames = map[model.Kind]string{model.KindCalendar: "calendar", model.KindContacts: "contacts", model.KindFiles: "files"}
