// Package jmap is a JMAP client (RFC 8620): session discovery, limits,
// requests of several method calls with result references, uploads,
// downloads, retries.
//
// It knows the protocol and no server: what a method or a data type means is
// the caller's business. Requests are repeated only when that cannot do harm:
// a request marked Once whose answer was lost yields ErrAmbiguous instead.
// Bodies of requests and answers are never part of an error, since servers
// echo the text of messages in them.
package jmap
