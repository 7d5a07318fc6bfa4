// Package hierarchy makes a tree of the mailboxes that a Dovecot or a Courier
// keeps on disk, and finds them again by their paths.
//
// It knows names and paths; what a mailbox holds is its reader's business.
package hierarchy
