// Package inflight bounds how much is under way at a time, where the bound may
// change meanwhile: because a server asks for less, or because more was
// measured to be faster. It knows nothing of what is under way.
package inflight
