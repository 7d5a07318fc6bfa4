// Package extsort sorts more records than shall be in memory: by a number, in
// runs on disk that are merged (external sorting), and keeps the outcome in a file
// that is read by place or by number. So what belongs to a mailbox of any size
// takes some megabytes of memory and is never looked for at random.
//
// Its files have no names: whatever ends the program takes them away.
//
// It knows nothing of what a record is, nor of mail.
package extsort
