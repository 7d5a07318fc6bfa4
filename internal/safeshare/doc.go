// Package safeshare tells how much a run may delete that was not told to delete
// much: a source that suddenly shows little is more likely broken than emptied.
//
// It knows numbers, and neither mail nor servers.
package safeshare
