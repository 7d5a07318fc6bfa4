// Package dovecot reads a Dovecot over IMAP and from its disk at once:
// mailboxes, flags and dates as the server tells them, messages from the
// Maildir, sdbox or mdbox where that has them, which is faster, spares the
// server and keeps octets that IMAP cannot show (NUL). What the disk cannot
// give comes over IMAP.
//
// It only combines the source imap with one that reads the disk.
package dovecot
