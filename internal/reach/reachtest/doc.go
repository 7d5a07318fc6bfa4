// Package reachtest holds whoever connects to servers to waiting for one that is
// being restarted, as long as a reach.Server says, and to not waiting where nobody
// asked for it.
//
// It knows no protocol: a test brings what connects, and the server.
package reachtest
