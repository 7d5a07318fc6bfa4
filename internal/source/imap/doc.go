// Package imap reads accounts over IMAP (RFC 3501, RFC 9051): with a master
// user or each user's own password, in one round trip for an account that has
// not changed, and without a trace at the server.
//
// Mailboxes are opened with EXAMINE and messages fetched with BODY.PEEK, so
// nothing is marked read and \Recent stays. CONDSTORE tells changed flags,
// counts and ESEARCH tell deletions, X-GUID or EMAILID the identity of a
// message where the server has one. Bodies are streamed; a connection that
// breaks is made again and reading goes on where it stopped.
//
// It knows IMAP and nothing of the server's files or of the engine.
package imap
