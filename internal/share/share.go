package share

import (
	"context"
	"sync"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/courtesy"
)

// Options are what a run needs. All but the last are required and stay the
// caller's to close.
type Options struct {
	Source      source.Source
	Destination destination.Destination
	Ledger      *ledger.Ledger
	// Everybody are all accounts of the source: who lists may name.
	Everybody []model.Account
	// Groups are the members, as logins, of the groups that lists name; nil
	// where nothing tells.
	Groups map[string][]string
	// GroupAddresses are groups of the destination that stand for groups of
	// Groups, by their names there, and for "anyone". They are made when a list
	// needs them, with all members who have arrived.
	GroupAddresses map[string]string
	// Courtesy keeps the bounds within which the source is read; nil: none.
	Courtesy *courtesy.Courtesy
	// Accounts is how many owners are worked on at once; 0 means 4.
	Accounts int
	// DryRun only says what would be shared.
	DryRun bool
}

// Run carries the lists of these owners' mailboxes. An owner that fails says so
// in its result and does not stop the others; the error is that of ctx, or a
// ClassFatal fault.
func Run(ctx context.Context, o Options, owners []model.Account) (Result, error) {
	if o.Accounts <= 0 {
		o.Accounts = 4
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	res := Result{Accounts: make([]AccountResult, len(owners)), DryRun: o.DryRun}
	people, groups := newPeople(o), &groups{Options: o, ids: map[string]string{}, notes: map[string]string{}, found: map[string]string{}}
	slots := make(chan struct{}, o.Accounts)
	var wg sync.WaitGroup
	for i, a := range owners {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			w := &owner{Options: o, acc: a, people: people, groups: groups, res: AccountResult{Login: a.Login, Address: a.Address}}
			if err := w.run(ctx); err != nil {
				w.res.Err, w.res.Error = err, err.Error()
				if model.ClassOf(err) == model.ClassFatal && ctx.Err() == nil {
					cancel(err)
				}
			}
			res.Accounts[i] = w.res
		})
	}
	wg.Wait()
	return res, context.Cause(ctx)
}
