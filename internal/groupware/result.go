package groupware

import "mailhaul.org/mailhaul/internal/model"

// Counts sum what a run did to one kind of objects.
type Counts struct {
	Created     int64 `json:"created"` // written new
	Octets      int64 `json:"octets"`  // of those created and changed
	Adopted     int64 `json:"adopted"` // were there already, with the same meaning
	Changed     int64 `json:"changed"` // replaced by the source's new content
	Moved       int64 `json:"moved"`   // from one collection to another
	Removed     int64 `json:"removed"` // because the source removed them
	Kept        int64 `json:"kept"`    // left as their user has them at the destination
	Repaired    int64 `json:"repaired"`
	Refused     int64 `json:"refused"`     // and those that the source could not give, which each run asks for again
	Collections int64 `json:"collections"` // created, renamed, recoloured, removed
	// NotTaken are objects of a kind that the destination does not keep.
	NotTaken int64 `json:"not_taken"`
}

// Add adds d to c.
func (c *Counts) Add(d Counts) {
	c.Created += d.Created
	c.Octets += d.Octets
	c.Adopted += d.Adopted
	c.Changed += d.Changed
	c.Moved += d.Moved
	c.Removed += d.Removed
	c.Kept += d.Kept
	c.Repaired += d.Repaired
	c.Refused += d.Refused
	c.Collections += d.Collections
	c.NotTaken += d.NotTaken
}

// Result is what a run did to an account's objects, by kind.
type Result struct {
	Calendar Counts `json:"calendar"` // events, tasks, journals
	Contacts Counts `json:"contacts"`
	Files    Counts `json:"files"`
	// Unreadable are collections, or all of a kind, that the source could not
	// list; nothing is known of what is in them.
	Unreadable int64 `json:"unreadable"`
}

// Of returns the counts of a kind.
func (r *Result) Of(kind model.Kind) *Counts {
	switch kind {
	case model.KindContacts:
		return &r.Contacts
	case model.KindFiles:
		return &r.Files
	}
	return &r.Calendar
}

// Add adds s to r.
func (r *Result) Add(s Result) {
	r.Calendar.Add(s.Calendar)
	r.Contacts.Add(s.Contacts)
	r.Files.Add(s.Files)
	r.Unreadable += s.Unreadable
}

// Sum is all kinds together.
func (r Result) Sum() Counts {
	c := r.Calendar
	c.Add(r.Contacts)
	c.Add(r.Files)
	return c
}
