// Package desttest is the conformance suite for destinations: whatever
// package destination promises, it tries on a running server. It runs
// against the sandbox and against a real Stalwart, and it is what allows the
// one to stand for the other.
//
// It knows the interfaces only; the caller starts the server.
package desttest
