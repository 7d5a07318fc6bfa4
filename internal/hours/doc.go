// Package hours tells the hours of the week in which something may be done, as an
// administrator writes them down, and how long it is until they begin.
//
// It knows the wall clock and no reason why.
package hours
