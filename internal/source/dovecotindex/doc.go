// Package dovecotindex reads the index files that Dovecot keeps beside its
// mail: dovecot.index with its transaction logs dovecot.index.log and
// dovecot.index.log.2, and the files of the same format under other names
// (dovecot.map.index of mdbox, dovecot.list.index of LAYOUT=index).
//
// A small mailbox has a log only, and of a large one the log holds what
// happened since the index was last written: the present state is always the
// index with its logs replayed. Reading takes no lock: an index is replaced by
// rename and a log only grows; when both are rewritten meanwhile, they are
// read again.
//
// The records of a large index stay in its file, and a window of them is read when it
// is asked for. What a log does to records is the same code for all that are in
// memory and for a window: an edit (edit.go), carried out on rows (rows.go), at once
// on those in memory and on a window when it is read (large.go). What a log adds is
// always in memory.
//
// It knows records, flags, keywords and extensions, and nothing of what the
// extensions mean to a storage format, nor of messages.
//
// Sources: Dovecot's src/lib-index/mail-index.h, mail-index-map-hdr.c,
// mail-transaction-log.h, mail-index-sync-update.c, mail-index-sync-ext.c and
// mail-index-sync-keywords.c.
package dovecotindex
