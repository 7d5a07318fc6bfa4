package safeshare

import "fmt"

// Note is the code of the note by which a report tells that deletions were held back.
const Note = "deletionsHeld"

// Share is how much of something may be deleted.
type Share struct {
	Always int64 // so many in any case
	OneIn  int64 // and more of them, up to one in so many of all
}

var (
	// Items is the share of an account's messages, and of its objects of a kind.
	Items = Share{Always: 20, OneIn: 10}
	// Values is the share of the values that provisioning has written: a table that
	// could not be read, or a database on the wrong host, looks like an organisation
	// that has shrunk.
	Values = Share{Always: 10, OneIn: 5}
)

// Exceeded reports that too much is gone, beside what is left, for a run to do
// the same at the destination without being told to.
func (s Share) Exceeded(gone, left int64) bool { return gone > s.Always && gone*s.OneIn > gone+left }

// Advice tells that Items were exceeded and nothing was deleted, and what to do if it should be; things
// are what was counted, in the plural.
func Advice(gone, left int64, things string) string {
	return fmt.Sprintf("%d of %d %s are gone at the source, more than a tenth: nothing was deleted at the destination. If that is right, run again with --allow-deletions", gone, gone+left, things)
}
