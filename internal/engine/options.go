package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/connections"
	"mailhaul.org/mailhaul/internal/source/courtesy"
)

// Options are what a run needs. Source, Destination and Ledger are required
// and stay the caller's to close.
type Options struct {
	Source      source.Source
	Destination destination.Destination
	Ledger      *ledger.Ledger
	// Accounts is how many accounts move at once; 0 means 4.
	Accounts int
	// Buffer bounds the message bytes held in memory; 0 means 128 MiB.
	Buffer int64
	// SpoolDir takes messages too large for memory; it must exist.
	SpoolDir string
	// DryRun plans and reports, and writes nothing on either server.
	DryRun bool
	// AllowDeletions lifts the safety share: without it a run that would
	// delete more than a tenth of an account's messages (and more than 20)
	// deletes none of them and says so.
	AllowDeletions bool
	// RetryRefused tries again what was refused in an earlier run.
	RetryRefused bool
	// Adopt takes over messages that the destination holds already, by their
	// content, instead of importing them again. It is for a lost ledger and
	// for mail that another tool has copied.
	Adopt bool
	// Courtesy keeps the bounds within which the source is read; nil: none.
	Courtesy *courtesy.Courtesy
	// Connections bounds the source's, and tells how long they were waited for;
	// nil: nobody tells.
	Connections *connections.Bound
	// SettleDelay is how long the destination must stay still before a lost
	// answer counts as settled; 0 means 2 s.
	SettleDelay time.Duration
	// Backoff is the first pause before something is tried again; further
	// ones grow with the square of the attempt. 0 means 200 ms.
	Backoff time.Duration
	// ScriptSetting tells what surrounds an account's Sieve scripts where its
	// store does not; nil: nothing does.
	ScriptSetting func(context.Context, model.Account) (model.ScriptSetting, error)
	Progress      Progress     // may be nil
	Log           *slog.Logger // may be nil
	// Now tells the time; nil means time.Now.
	Now func() time.Time
	// Step, if set, is called before every effect on ledger or destination
	// with its name. An error from it stops the account there: tests use it
	// to stop a run at every step in turn. Calls come one at a time.
	Step func(name string) error

	firstBatch int // messages; 0 means firstItems
}

const (
	defaultAccounts    = 4
	defaultBuffer      = 128 << 20
	defaultSettleDelay = 2 * time.Second
	defaultBackoff     = 200 * time.Millisecond
	// inMemory is the largest message that is held in memory; larger ones
	// go through a file in SpoolDir.
	inMemory = 1 << 20
)

func (o Options) withDefaults() Options {
	if o.Accounts <= 0 {
		o.Accounts = defaultAccounts
	}
	if o.Buffer <= 0 {
		o.Buffer = defaultBuffer
	}
	if o.firstBatch <= 0 {
		o.firstBatch = firstItems
	}
	if o.SettleDelay <= 0 {
		o.SettleDelay = defaultSettleDelay
	}
	if o.Backoff <= 0 {
		o.Backoff = defaultBackoff
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = quiet{}
	}
	if step := o.Step; step != nil {
		var mu sync.Mutex
		o.Step = func(name string) error {
			mu.Lock()
			defer mu.Unlock()
			return step(name)
		}
	} else {
		o.Step = func(string) error { return nil }
	}
	return o
}
