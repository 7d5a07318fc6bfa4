// Package public reads the public mailboxes of a disk: trees that belong to
// nobody, as Dovecot's public namespaces and Courier's shared Maildirs, beside
// the accounts' own.
//
// It joins what the readers of single trees show. It knows no format.
package public
