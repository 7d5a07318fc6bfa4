// Package cyrus reads the accounts of a Cyrus IMAP server from its disk, 2.3
// to 3.10: mailboxes.db in any of its formats and generations, cyrus.header
// and cyrus.index of every public version, each reader's seen state,
// annotations, subscriptions, quotas, rights and Sieve scripts.
//
// It never locks and never writes, so the server may run: databases are read
// again until checksums and counts fit (see cyrusdb), index records one by
// one until theirs do, and a message that vanishes meanwhile is a fault of
// that message only. What is damaged is read as far as it can be and named.
//
// It knows the formats on disk (imapd.conf is read by package cyrusconf) and
// nothing of IMAP or of the engine.
//
// Sources: Cyrus's imap/mailbox.c, mailbox.h of each release, mboxlist.c,
// mboxname.c, seen_db.c, annotate.c, quota_db.c, dlist.c and lib/acl_afs.c.
package cyrus
