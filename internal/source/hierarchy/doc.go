// Package hierarchy makes a tree of the mailboxes that a Dovecot or a Courier
// keeps on disk, finds them again by their paths, and puts those of any server in
// order.
//
// It knows names and paths; what a mailbox holds is its reader's business.
package hierarchy
