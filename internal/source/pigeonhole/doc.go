// Package pigeonhole reads, from disk, the Sieve scripts that Pigeonhole,
// Dovecot's Sieve plugin, runs: those of an account, in its home directory
// (the folder sieve, and the link .dovecot.sieve to the active script), and
// those that a host runs around them: sieve_before, sieve_after, sieve_default
// and sieve_global. It knows the paths and the order in which Pigeonhole takes
// them; what the scripts say is package sieve's.
package pigeonhole
