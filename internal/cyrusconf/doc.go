// Package cyrusconf reads what a Cyrus IMAP server's own configuration,
// imapd.conf and cyrus.conf, tells of where its mail is and how it is reached.
//
// It reads the two files and nothing else, and knows nothing of what lies in
// the folders that they name.
//
// Sources: Cyrus's lib/libconfig.c and lib/imapoptions.
package cyrusconf
