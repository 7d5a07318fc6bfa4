// Package model holds the nouns of a migration: accounts, collections,
// items, flags, changes, scripts, findings and faults.
//
// It does no I/O and imports nothing of mailhaul. Sources produce these
// values, the ledger stores them, destinations consume them.
package model
