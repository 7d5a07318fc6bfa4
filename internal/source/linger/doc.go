// Package linger closes connections so that whoever waits for Close knows that
// the server has closed, too. Servers bound connections by their own count; a
// client that only closes its side is one too many for a moment when it comes
// back at once.
//
// It knows TCP and no protocol.
package linger
