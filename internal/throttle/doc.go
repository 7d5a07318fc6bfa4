// Package throttle keeps a rate of octets per second, for all together who
// share a Throttle: connections to a source, files read from its disk.
//
// It knows nothing of what is read.
package throttle
