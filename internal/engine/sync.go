package engine

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/semaphore"

	"mailhaul.org/mailhaul/internal/model"
)

// Sync makes the destination converge to the source for these accounts,
// several at once. An account that fails does not stop the others; its
// result says why. The error is not nil only when the run itself had to
// stop (a ClassFatal fault or ctx); results of accounts that were reached
// are valid then, too. Run it again to continue.
func Sync(ctx context.Context, o Options, accounts []model.Account) (Result, error) {
	o = o.withDefaults()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &syncer{Options: o}
	s.Accounts = max(min(s.Accounts, len(accounts)), 1)
	s.room = semaphore.NewWeighted(s.Buffer)
	s.pace = newPace(s.Accounts, o.firstBatch, o.Destination.Limits().BatchItems, o.Now)
	res := Result{Accounts: make([]AccountResult, len(accounts))}
	places := newPlaces(s.Accounts)
	before := s.limited(Limited{})
	watch := &lately{pace: s.pace, now: o.Now, limited: func() Limited { return s.limited(before) }}
	watch.bottleneck() // from here on
	o.Progress.Watch(watch.bottleneck)
	var wg sync.WaitGroup
	for i, a := range accounts {
		res.Accounts[i] = AccountResult{Login: a.Login, Address: a.Address, Status: StatusFailed, Error: "not reached"}
		at := places.take(ctx)
		if at == nil {
			continue
		}
		wg.Go(func() {
			defer at.leave()
			res.Accounts[i] = s.account(ctx, a, at)
			if err := res.Accounts[i].Err; err != nil && model.ClassOf(err) == model.ClassFatal && ctx.Err() == nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	res.Pace = s.pace.result(s.limited(before))
	for _, r := range res.Accounts {
		res.Total.Add(r.Counts)
	}
	if ctx.Err() != nil {
		return res, context.Cause(ctx)
	}
	return res, nil
}

// syncer is one call of Sync.
type syncer struct {
	Options
	pace     *pace
	room     *semaphore.Weighted // octets of the buffer, for batches of all accounts
	uploaded witness
	imported witness
}

// limited is the time that limits have cost since before.
func (s *syncer) limited(before Limited) Limited {
	bandwidth, hours, latency := s.Courtesy.Waited()
	return Limited{Bandwidth: bandwidth, Hours: hours, Latency: latency, Connections: s.Connections.Waited()}.since(before)
}

// account runs one account to its end and never panics the others.
func (s *syncer) account(ctx context.Context, a model.Account, at *place) AccountResult {
	start := s.Now()
	portion := s.pace.load()
	defer s.pace.loaded(portion)
	defer s.pace.hasRead(portion)
	r := &run{syncer: s, acc: a, place: at, portion: portion, res: AccountResult{Login: a.Login, Address: a.Address}}
	err := r.run(ctx)
	r.res.Duration = s.Now().Sub(start)
	switch {
	case err != nil:
		r.res.Status, r.res.Err, r.res.Error = StatusFailed, err, why(ctx, err)
	case r.refused > 0:
		r.res.Status = StatusPartial
	case r.unchanged || r.res.Counts == Counts{}: // nothing refused, either
		r.res.Status = StatusUnchanged
	default:
		r.res.Status = StatusDone
	}
	if r.row.ID != 0 && !s.DryRun {
		// The outcome is recorded even when the run was interrupted.
		if ferr := s.Ledger.Finish(context.WithoutCancel(ctx), r.row.ID, string(r.res.Status), r.res.Error, s.Now()); ferr != nil && err == nil {
			r.res.Status, r.res.Err, r.res.Error = StatusFailed, ferr, ferr.Error()
		}
	}
	s.Progress.AccountDone(r.res)
	return r.res
}

// why tells why an account failed. What ended the run is no fault of an account
// that was stopped by it, however it comes back from what was under way.
func why(ctx context.Context, err error) string {
	if !errors.Is(err, context.Canceled) && (ctx.Err() == nil || !errors.Is(err, context.Cause(ctx))) {
		return err.Error()
	}
	if _, failed := errors.AsType[*model.Fault](context.Cause(ctx)); failed {
		return "stopped, as another account ended the whole run; run the same command again to continue"
	}
	return "interrupted; run the same command again to continue"
}

// quiet is the Progress that shows nothing.
type quiet struct{}

func (quiet) AccountStarted(model.Account, int64, int64) {}
func (quiet) Moved(model.Account, int64, int64)          {}
func (quiet) AccountDone(AccountResult)                  {}
func (quiet) Watch(func() Bottleneck)                    {}
