// Package pigeonhole reads, from disk, the Sieve scripts that a Dovecot host
// runs around those of its users: sieve_before, sieve_after, sieve_default and
// sieve_global. It knows the paths and the order in which Pigeonhole takes
// them; what the scripts say is package sieve's.
package pigeonhole
