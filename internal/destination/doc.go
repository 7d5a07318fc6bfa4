// Package destination defines what the engine needs of the server that mail
// moves to: Destination (the server) and Account (one account on it), plus
// provisioning and preflight.
//
// It speaks of mailboxes, emails and keywords as JMAP does (RFC 8621) but
// knows no wire format. stalwart implements it; desttest holds the
// conformance suite that runs against the sandbox and the real server.
package destination
