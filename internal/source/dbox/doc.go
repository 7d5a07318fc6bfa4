// Package dbox reads accounts from Dovecot's own formats on disk: sdbox, one
// file for each message, and mdbox, many messages in a file.
//
// Which messages a mailbox has, with flags and keywords, is in its index alone
// (package dovecotindex); the files hold the bodies, dates and GUIDs. With
// mdbox a second index, the map, tells where in the files each message is.
// Messages in alternate storage (ALT=) and attachments that are kept apart
// are found and put back.
//
// Nothing is locked and nothing written: a server may be at work. Files only
// grow until a purge replaces them, so what is missing is looked for once more
// in newer indexes before it counts as gone. What mail_crypt has encrypted, and
// obox, only the server can read.
//
// Sources: Dovecot's src/lib-storage/index/dbox-common, dbox-single, dbox-multi,
// index-attachment.c, and src/lib-storage/list/mailbox-list-fs.c and
// mailbox-list-index.h.
package dbox
