// Package reach says what an administrator can do about a server that could not
// be reached, whether trying again can help, and how often and after which pauses
// that is done: for all protocols alike.
//
// It knows the errors of net, crypto/tls and net/http, and no protocol.
package reach
