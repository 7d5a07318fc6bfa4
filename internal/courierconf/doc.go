// Package courierconf reads what a Courier's own files tell about it: imapd,
// authdaemonrc, authmysqlrc and its like. init drafts an engagement file from
// that.
//
// It reads the folder that it is given, or looks in the usual ones, and knows
// Courier's notations. It asks no server and no database, and knows nothing of
// the engagement file.
//
// Sources: courier-libs imap/imapd.dist, courier-authlib authdaemonrc,
// authmysqlrc, authpgsqlrc and authldaprc with their manuals.
package courierconf
