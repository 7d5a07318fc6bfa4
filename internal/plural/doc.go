// Package plural counts in words: "1 mailbox", "2 mailboxes", "1,200 mailboxes".
//
// It knows English grammar, as far as mailhaul's own nouns need it, and nothing
// of mail.
package plural
