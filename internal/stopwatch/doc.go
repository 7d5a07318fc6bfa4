// Package stopwatch sums up how long several have been at something, those who
// still are included.
//
// It knows no clock: whoever uses it tells the time.
package stopwatch
