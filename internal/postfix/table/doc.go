// Package table reads Postfix's lookup tables (postconf(5), the names of the
// kinds are those of "postconf -m"): text files and what postmap makes of them,
// lists in main.cf itself, patterns, and the LDAP and SQL tables whose .cf files
// say what to ask.
//
// Every table answers single keys as "postmap -q" does. Most can tell all their
// keys, too; where only a query is there, an enumeration is derived from it when
// its shape allows. Nothing is written, locked or compiled: a compiled table is
// copied before postmap lists it.
//
// The package knows tables. What their keys and values mean is the business of
// package postfix.
package table
