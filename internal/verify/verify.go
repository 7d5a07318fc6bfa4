package verify

import (
	"context"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/courtesy"
)

// Options are what a verification needs; Source, Destination and Ledger are
// required and stay the caller's to close.
type Options struct {
	Source      source.Source
	Destination destination.Destination
	Ledger      *ledger.Ledger
	// Courtesy keeps the bounds within which the source is read; nil: none.
	Courtesy *courtesy.Courtesy
	Accounts int // compared at once; 0 means 4
	// Reread reads every message of the source again and compares its bytes,
	// instead of the hash taken when it was moved.
	Reread bool
	// SpoolDir takes what is too much for memory of a large mailbox; empty means
	// the system's directory for temporary files.
	SpoolDir string
	// Compared, if set, is told about progress, from several goroutines.
	Compared func(a model.Account, messages int)
	Now      func() time.Time // nil means time.Now
}

// Run compares the accounts. An account that cannot be compared says so in
// its report and does not stop the others.
func Run(ctx context.Context, o Options, accounts []model.Account) (Report, error) {
	if o.Accounts <= 0 {
		o.Accounts = 4
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Compared == nil {
		o.Compared = func(model.Account, int) {}
	}
	rep := Report{Accounts: make([]AccountReport, len(accounts)), Reread: o.Reread}
	slots := make(chan struct{}, o.Accounts)
	var wg sync.WaitGroup
	for i, a := range accounts {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			v := &account{Options: o, acc: a, rep: AccountReport{Login: a.Login, Address: a.Address}}
			if err := v.run(ctx); err != nil {
				v.rep.Err, v.rep.Error = err, err.Error()
			}
			rep.Accounts[i] = v.rep
		})
	}
	wg.Wait()
	for _, a := range rep.Accounts {
		rep.Total.Add(a.Counts)
		rep.Objects.Add(a.ObjectCounts)
	}
	return rep, context.Cause(ctx)
}
