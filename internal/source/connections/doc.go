// Package connections bounds how many connections there are to each host of a
// source, whatever is spoken over them: IMAP, ManageSieve, CalDAV.
//
// It knows hosts by their names and no protocol.
package connections
