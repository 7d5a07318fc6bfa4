package translate

import "time"

// Earliest and Latest bound the received date: a JMAP server that keeps
// seconds since 1970 without a sign cannot hold what lies outside.
var (
	Earliest = time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC)
	Latest   = time.Date(2999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// Received returns the date that the destination is given for a message
// received at t, and whether it had to differ.
func Received(t time.Time) (time.Time, bool) {
	t = t.UTC().Truncate(time.Second)
	switch {
	case t.Before(Earliest):
		return Earliest, true
	case t.After(Latest):
		return Latest, true
	}
	return t, false
}
