// Package vcard reads cards of vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350) as
// clients and servers have really written them, prepares them for a server
// that takes one card at a time and refuses what it cannot read, and tells
// what they mean.
//
// Prepare cuts a text into cards and repairs no more than is needed. Differences
// compares two cards property by property.
//
// It knows no server and does no I/O.
package vcard
