// Package mailboxmap decides under which name each mailbox of the source
// appears at the destination. It is pure: no I/O, and equal input gives equal
// output in whatever order it comes.
//
// Two mailboxes never get the same name. A name that cannot be carried is
// changed so that it can be told back, and every change has a reason for
// the report.
package mailboxmap
