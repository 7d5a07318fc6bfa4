// Package randomtest gives random tests their seeds, and takes one that failed
// from the environment, so that it can be repeated.
//
// It knows nothing of what is tested.
package randomtest
