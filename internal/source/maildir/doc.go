// Package maildir reads accounts from Maildirs on disk, as Dovecot, Courier
// and most delivery agents write them: Maildir++ (".Folder.Sub" beside the
// inbox) and the fs layout (nested directories).
//
// It takes UIDs from dovecot-uidlist, flags from file names, keywords from
// dovecot-keywords and dates from the files' mtime, and shows messages as
// Dovecot would over IMAP: with CRLF, and decompressed. It never locks and
// never writes, so it must live with files that are renamed or removed while
// it reads; a file that cannot be read is a fault of that message only.
//
// It knows the format on disk and nothing of servers or of the engine.
//
// Sources: Dovecot's maildir-uidlist.c, maildir-filename.c and
// maildir-keywords.c; the Maildir++ and Maildir specifications.
package maildir
