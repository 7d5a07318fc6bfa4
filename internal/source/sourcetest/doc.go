// Package sourcetest is the conformance suite for sources: what source.Source
// and source.Store promise, asked of every implementation, in tests with the
// real server where there is one.
package sourcetest
