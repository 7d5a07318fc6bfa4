// Package sieve reads Sieve scripts (RFC 5228) and rewrites them for another
// server: what they say in a dialect that the destination does not have, the
// scripts that ran around them, the names of mailboxes.
//
// Convert (convert.go) is the whole of it. A script is parsed, changed in
// places, and keeps every octet besides, comments included; changes name lines,
// so that an administrator finds the place. Steps that work on the result of
// others parse it again, so that each can be read by itself:
//
//	script.go     one source script: what has an equivalent, what becomes a comment
//	condition.go, notify.go, jmapquery.go   its harder words
//	include.go    scripts within scripts
//	compose.go    scripts after one another, with exit.go (there is no jump)
//	flow.go       what is certain of a message at a place
//	variables.go, require.go, vacation.go   what the whole then needs
//	plan.go       which scripts an account has
//
// It runs no script and does no I/O. What it makes is run by tests: old and new
// in Dovecot's interpreter and in a real Stalwart, on the same mail.
package sieve
