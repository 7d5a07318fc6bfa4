// Package mailname reads the names that mail servers give mailboxes on disk:
// modified UTF-7 or UTF-8, and Dovecot's file of subscriptions, which holds
// such names.
//
// It knows names, not where they are found.
package mailname
