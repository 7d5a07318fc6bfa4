package assess

import (
	"context"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
)

// DefaultSample is how many messages of each account are read completely.
const DefaultSample = 50

// Options are what an assessment needs. Only Source is required.
type Options struct {
	Source source.Source
	// Destination is asked which accounts exist and which passwords it will
	// take; nil: there is none yet.
	Destination destination.Destination
	Limits      destination.Limits
	// Accounts is how many are examined at once; 0 means 4.
	Accounts int
	// Sample is how many messages of each account are read completely, spread
	// over its mailboxes; -1 means all.
	Sample int
	// Progress is told about messages seen, from several goroutines; may be nil.
	Progress func(a model.Account, messages int)
	// ScriptSetting is that of engine.Options.
	ScriptSetting func(context.Context, model.Account) (model.ScriptSetting, error)
	Now           func() time.Time // nil means time.Now
}

// Run examines the accounts. One that cannot be read says so and does not stop
// the others; the error is only that of ctx.
func Run(ctx context.Context, o Options, accounts []model.Account) (Assessment, error) {
	if o.Accounts <= 0 {
		o.Accounts = 4
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(model.Account, int) {}
	}
	out := Assessment{Time: o.Now(), Accounts: make([]Account, len(accounts)), Parallel: o.Accounts, Destination: o.Destination != nil}
	passwords, err := o.passwords(ctx, accounts)
	if err != nil && ctx.Err() == nil {
		out.Warnings = append(out.Warnings, "what becomes of passwords is not known, because the destination could not be asked: "+err.Error())
	}
	slots := make(chan struct{}, o.Accounts)
	var wg sync.WaitGroup
	for i, a := range accounts {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			e := &examiner{Options: o, acc: a, out: Account{Login: a.Login, Address: a.Address, Name: a.Name, Quota: a.Quota}}
			if p, ok := passwords[a.Login]; ok {
				e.password(p)
			}
			if err := e.run(ctx); err != nil {
				e.out.Err, e.out.Error = err, err.Error()
			}
			e.grade()
			out.Accounts[i] = e.out
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	out.sum()
	out.Duration = estimate(out)
	return out, nil
}

// passwords asks what becomes of each account's password, by login.
func (o Options) passwords(ctx context.Context, accounts []model.Account) (map[string]destination.Action, error) {
	p, ok := o.Destination.(destination.Provisioner)
	if !ok {
		return nil, nil
	}
	plan, err := p.Plan(ctx, accounts)
	if err != nil {
		return nil, err
	}
	out := map[string]destination.Action{}
	for _, a := range plan {
		if a.Account.Login != "" { // not a domain
			out[a.Account.Login] = a
		}
	}
	return out, nil
}

func (a *Assessment) sum() {
	t := Totals{Anomalies: map[string]int64{}, Passwords: map[destination.PasswordFate]int{}, Risks: map[Risk]int{}}
	for _, acc := range a.Accounts {
		t.Accounts++
		t.Mailboxes += acc.Mailboxes
		t.Messages += acc.Messages
		t.Octets += acc.Octets
		t.Scripts += acc.Scripts
		for i, n := range acc.Sizes {
			t.Sizes[i] += n
		}
		for _, an := range acc.Anomalies {
			t.Anomalies[an.Code] += an.Count
		}
		if acc.Password != "" {
			t.Passwords[acc.Password]++
		}
		t.Risks[acc.Risk]++
	}
	a.Total = t
}
