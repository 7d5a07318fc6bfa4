// Package pcp reads the calendars that Courier's webmail keeps in its users'
// Maildirs, in a folder "calendar": a file index with a line for each event, and
// a message (RFC 5322) for each, with its title as the subject, its description
// as the text, and files that belong to it as attachments. Events take place at
// one or more times; there are no rules of recurrence, and times are in UTC.
//
// The package turns an event into an iCalendar object. It opens no files and
// knows nothing of Maildirs.
//
// Sources: courier-libs pcp/pcpdir.c and pcp/README.html.
package pcp
