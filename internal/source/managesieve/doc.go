// Package managesieve is a client for reading Sieve scripts over ManageSieve
// (RFC 5804): it lists and fetches, and never writes. It knows the protocol
// and nothing of mail.
package managesieve
