// Package icalendar reads calendar objects (RFC 5545) as clients and servers
// have really written them, prepares them for a server that takes one object
// at a time, and tells what they mean.
//
// Prepare cuts a text into objects and repairs no more than is needed. Expand
// tells when a series takes place. Differences compares two objects by what
// their user sees.
//
// It knows no server, but for one thing: Part.ByDAV says what JSCalendar as
// JMAP servers speak it (RFC 8984 and its revision) cannot carry. It does no
// I/O.
package icalendar
