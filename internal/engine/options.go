package engine

import (
	"log/slog"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/source"
)

// Options are what a run needs. Source, Destination and Ledger are required
// and stay the caller's to close.
type Options struct {
	Source      source.Source
	Destination destination.Destination
	Ledger      *ledger.Ledger
	// Accounts is how many accounts move at once; 0 means 4.
	Accounts int
	// Buffer bounds the message bytes held in memory; 0 means 64 MiB.
	Buffer int64
	// SpoolDir takes messages too large for memory; it must exist.
	SpoolDir string
	// DryRun plans and reports, and writes nothing on either server.
	DryRun bool
	// AllowDeletions lifts the safety share: without it a run that would
	// delete more than a tenth of an account's messages (and more than 20)
	// deletes none of them and says so.
	AllowDeletions bool
	Progress       Progress     // may be nil
	Log            *slog.Logger // may be nil
}
