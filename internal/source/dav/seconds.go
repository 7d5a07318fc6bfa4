package dav

import (
	"strconv"
	"strings"
	"time"
)

// A SOGo's sync tokens and ctags are the second of the last change. What changes
// later in that second, after the collection was listed, changes neither: it would
// be missed. So the state of a collection is not believed while its second may go
// on, and changes are asked for since the second before.

// fresh is how long ago a second must be over, so that clocks may differ.
const fresh = time.Minute

// second is the one that a sync token or ctag is; ok is false for what is none.
func second(token string) (at time.Time, ok bool) {
	n, err := strconv.ParseInt(token, 10, 64)
	if err != nil || len(token) != 10 || token[0] == '-' || token[0] == '+' {
		return time.Time{}, false
	}
	return time.Unix(n, 0), true
}

// over reports that what a fingerprint or cursor stands for cannot change any more
// without another one: that it is no second, or one that is over.
func (s *Source) over(cursor string) bool {
	_, token, _ := strings.Cut(cursor, ":")
	at, ok := second(token)
	return !ok || s.opts.Now().Sub(at) > fresh
}

// before is the token to ask for changes with.
func before(token string) string {
	if at, ok := second(token); ok {
		return strconv.FormatInt(at.Unix()-1, 10)
	}
	return token
}
