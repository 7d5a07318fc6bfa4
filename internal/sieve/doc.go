// Package sieve reads Sieve scripts (RFC 5228): it checks them against what a
// destination offers, and rewrites the mailbox names in them.
//
// It keeps every octet that it does not have to change, comments included,
// and names lines, so that an administrator finds the place. It runs no
// script and does no I/O.
package sieve
