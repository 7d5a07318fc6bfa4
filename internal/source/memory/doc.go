// Package memory is a source that lives in memory: tests of the engine
// script its history with it, message by message. It keeps the contract of
// package source as a good IMAP server would, and runs its conformance
// suite; it is not registered and no administrator can reach it.
package memory
