// Package location tells where an account's mail lies: path templates with
// Dovecot's variables ("/srv/mail/%d/%n/Maildir"), filled in for an account
// or, the other way round, read for the accounts that they lead to.
//
// It knows paths, not what is found there.
package location
