// Package findings gathers what a check of a disk finds in many places, and
// tells it by a count and the first few.
//
// It knows findings, not disks.
package findings
