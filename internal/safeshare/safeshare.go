package safeshare

import "fmt"

// Note is the code of the note by which a report tells that deletions were held back.
const Note = "deletionsHeld"

// always is how many deletions are always allowed, and oneIn the part of an
// account above which nothing is deleted.
const (
	always = 20
	oneIn  = 10
)

// Exceeded reports that too much is gone, beside what is left, for a run to do
// the same at the destination without being told to.
func Exceeded(gone, left int64) bool { return gone > always && gone*oneIn > gone+left }

// Advice tells that nothing was deleted, and what to do if it should be; things
// are what was counted, in the plural.
func Advice(gone, left int64, things string) string {
	return fmt.Sprintf("%d of %d %s are gone at the source, more than a tenth: nothing was deleted at the destination. If that is right, run again with --allow-deletions", gone, gone+left, things)
}
