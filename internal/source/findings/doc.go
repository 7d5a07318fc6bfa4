// Package findings gathers what is wrong with a disk: what a check finds in many
// places, told by a count and the first few, and what is found damaged while it
// is read.
//
// It knows findings, not the formats of disks.
package findings
