package assess

import (
	"context"
	"sync"
	"time"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/source"
	"mailhaul.org/mailhaul/internal/source/courtesy"
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
	// Courtesy keeps the bounds within which the source is read; nil: none.
	Courtesy *courtesy.Courtesy
	// Accounts is how many are examined at once; 0 means 4.
	Accounts int
	// Sample is how many messages of each account are read completely, spread
	// over its mailboxes; -1 means all.
	Sample int
	// Progress is told about messages seen, from several goroutines; may be nil.
	Progress func(a model.Account, messages int)
	// ScriptSetting is that of engine.Options.
	ScriptSetting func(context.Context, model.Account) (model.ScriptSetting, error)
	// Complete is how many accounts are converted as a whole, each no larger
	// than maxComplete; 0 means none.
	Complete int
	// Waves are the engagement's, in order; empty: waves are proposed.
	Waves []Group
	// Window is how long a wave may take, for a proposal; 0 means DefaultWindow.
	Window time.Duration
	// Organisation tells of domains, lists and forwards, and what contradicts
	// itself, once it is known how much accounts hold, in octets by login; nil:
	// nothing tells.
	Organisation func(ctx context.Context, sizes map[string]int64) (model.Organisation, error)
	Now          func() time.Time // nil means time.Now
}

// Group is a wave and the logins of its accounts.
type Group struct {
	Name     string
	Accounts []string
}

// DefaultComplete is how many accounts are converted as a whole.
const DefaultComplete = 3

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
	all := make([]int, len(accounts))
	for i := range all {
		all[i] = i
	}
	grants := make([][]grant, len(accounts))
	examine := func(o Options, which []int) {
		slots := make(chan struct{}, o.Accounts)
		var wg sync.WaitGroup
		for _, i := range which {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				a := accounts[i]
				e := &examiner{Options: o, acc: a, out: Account{Login: a.Login, Address: a.Address, Name: a.Name, Quota: a.Quota}}
				if p, ok := passwords[a.Login]; ok {
					e.password(p)
				}
				if err := e.run(ctx); err != nil {
					e.out.Err, e.out.Error = err, err.Error()
				}
				e.grade()
				out.Accounts[i], grants[i] = e.out, e.grants
			})
		}
		wg.Wait()
	}
	examine(o, all)
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	chosen := choose(out.Accounts, o.Complete)
	if len(chosen) > 0 && o.Sample >= 0 {
		o := o
		o.Sample = -1
		which := make([]int, len(chosen))
		for i, c := range chosen {
			which[i] = c.index
		}
		examine(o, which)
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
	}
	for _, c := range chosen {
		out.Complete = append(out.Complete, complete(out.Accounts[c.index], c.why))
	}
	out.sum()
	rates := measure(out.Accounts)
	out.Duration = rates.estimate(out.Accounts, out.Parallel)
	out.Shares, out.Circles = shares(accounts, grants, out.Accounts)
	out.waves(o, rates)
	out.Needs = needs(out, o.Limits)
	if o.Organisation != nil {
		org, err := o.Organisation(ctx, sizes(out.Accounts))
		switch {
		case ctx.Err() != nil:
			return out, context.Cause(ctx)
		case err != nil:
			out.Warnings = append(out.Warnings, "who receives what is not part of this, because it could not be read: "+err.Error())
		default:
			out.Organisation = &org
		}
	}
	out.Automation = automation(out, out.Organisation)
	out.Risks = hazards(out, out.Organisation)
	out.Decisions = decisions(out, out.Organisation)
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
		if a.Kind == destination.KindAccount || a.Kind == destination.KindGroup && a.Account.Nobodys() {
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
		t.Objects.add(acc.Objects)
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
		t.Years = addYears(t.Years, acc.Years)
	}
	a.Total = t
}

// sizes are how much the accounts hold that could be examined, in octets.
func sizes(accounts []Account) map[string]int64 {
	out := make(map[string]int64, len(accounts))
	for _, a := range accounts {
		if a.Err == nil {
			out[a.Login] = a.Octets
		}
	}
	return out
}
