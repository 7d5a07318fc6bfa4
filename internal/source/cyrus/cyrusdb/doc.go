// Package cyrusdb reads the key-value files of Cyrus IMAP: twoskip, skiplist
// and flat, told apart by their first octets.
//
// A file is read as a whole and without a lock, so that the server never
// waits. What a writer was in the middle of shows by checksums and counts, and
// the file is read again. A damaged file yields the records that can be read,
// with an error that tells how far it can be trusted.
//
// It knows the formats and nothing of what is kept in them.
//
// Sources: Cyrus's lib/cyrusdb_twoskip.c, cyrusdb_skiplist.c and
// cyrusdb_flat.c.
package cyrusdb
