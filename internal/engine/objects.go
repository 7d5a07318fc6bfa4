package engine

import (
	"context"

	"mailhaul.org/mailhaul/internal/groupware"
	"mailhaul.org/mailhaul/internal/source"
)

// surveyObjects asks the source for calendars, address books and files; nil
// where it holds none.
func (r *run) surveyObjects(ctx context.Context) (*groupware.Account, error) {
	src, ok := r.store.(source.Objects)
	if !ok {
		return nil, nil
	}
	m := &objectMeter{run: r}
	a, err := groupware.Survey(ctx, groupware.Options{
		Source: r.Courtesy.Objects(meteredObjects{src, m}), Meter: m, Now: r.Now, Ledger: r.Ledger, Account: r.row.ID, SpoolDir: r.SpoolDir,
		AllowDeletions: r.AllowDeletions, RetryRefused: r.RetryRefused, SettleDelay: r.SettleDelay,
		Step: r.Step, Note: r.note,
	})
	if err != nil || a.Collections() == 0 && a.Idle() && a.Result().Unreadable == 0 {
		return nil, err
	}
	return a, nil
}

// moveObjects makes them converge, after the mail: people miss that first.
func (r *run) moveObjects(ctx context.Context, a *groupware.Account) error {
	if a == nil {
		return nil
	}
	r.pace.reads(r.portion)
	do := a.Run
	if r.DryRun {
		do = a.Plan
	}
	err := do(ctx, r.dst)
	r.countObjects(a)
	return err
}

// refusedObjects tells what an earlier run left behind.
func (r *run) refusedObjects(ctx context.Context, a *groupware.Account) error {
	if a == nil {
		return nil
	}
	err := a.CountRefused(ctx)
	r.countObjects(a)
	return err
}

// countObjects takes over what was counted; what stayed behind makes the
// account partial.
func (r *run) countObjects(a *groupware.Account) {
	res := a.Result()
	r.res.Counts.Objects = res
	sum := res.Sum()
	r.refused += sum.Refused + sum.NotTaken + res.Unreadable
}
