// Package source defines what every legacy server must offer to be read:
// Source (the organisation) and Store (one account), plus the optional
// interfaces for what only some servers have.
//
// Everything here reads and nothing writes: a source never changes a flag,
// creates a lock or leaves a file behind. Implementations live in the
// subpackages; sourcetest holds the one conformance suite that all of them
// run.
package source
