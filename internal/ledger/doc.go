// Package ledger is the durable state of an engagement: which account,
// mailbox and message is where, and what was about to be done when a run
// stopped. It knows SQL and nothing of protocols or planning.
//
// One engagement has one ledger, a SQLite database in the engagement's
// folder. Every item of the source has one row in exactly one State, so the
// sums of the states balance with the source's own count.
package ledger
