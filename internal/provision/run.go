package provision

import (
	"context"

	"mailhaul.org/mailhaul/internal/destination"
	"mailhaul.org/mailhaul/internal/ledger"
	"mailhaul.org/mailhaul/internal/model"
)

// Options are what a run needs. The parts stay the caller's to close.
type Options struct {
	Destination  destination.Organiser
	Organisation model.Organisation
	// Ledger remembers what was written. Nil: nothing is remembered, as in a
	// rehearsal; nothing is then taken back, either.
	Ledger *ledger.Ledger
	// Whole says that the organisation is complete: what it no longer names and
	// mailhaul made may go.
	Whole bool
	// Update lets the source have the last word over what was set at the
	// destination.
	Update bool
	// DryRun only plans.
	DryRun bool
	Only   Filter
	// Step, if set, is called before every durable step and every effect; an
	// error stops the run there. Tests stop it at each.
	Step func(what string) error
	// Progress, if set, is called after each action that wrote something.
	Progress func(a destination.Action, err error)
}

// Result is a plan and what became of it.
type Result struct {
	Actions []Outcome
	DryRun  bool
}

// Outcome is one action.
type Outcome struct {
	destination.Action
	Err error
	// Skipped by the filter: not applied, and not counted.
	Skipped bool
}

// Run plans and applies. An action that fails does not stop the others; the
// error is that of ctx, of the ledger, or a ClassFatal fault.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Step == nil {
		o.Step = func(string) error { return nil }
	}
	res := Result{DryRun: o.DryRun}
	w := destination.Wanted{Organisation: o.Organisation, Whole: o.Whole && o.Ledger != nil, Update: o.Update}
	if o.Ledger != nil {
		var err error
		if w.Written, err = written(ctx, o.Ledger); err != nil {
			return res, err
		}
		if w.Arrived, err = arrived(ctx, o.Ledger); err != nil {
			return res, err
		}
	}
	plan, err := o.Destination.PlanOrganisation(ctx, w)
	if err != nil {
		return res, err
	}
	if !o.Update {
		guard(plan, w.Written)
	}
	for _, a := range plan {
		res.Actions = append(res.Actions, Outcome{Action: a, Skipped: !o.Only.match(a)})
	}
	if o.DryRun {
		return res, nil
	}
	for i := range res.Actions {
		out := &res.Actions[i]
		if out.Skipped || !out.Verb.Writes() {
			continue
		}
		out.Err = o.apply(ctx, out.Action)
		if o.Progress != nil {
			o.Progress(out.Action, out.Err)
		}
		if stops(ctx, out.Err) {
			return res, out.Err
		}
	}
	return res, nil
}

// stops reports whether an error ends the run.
func stops(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || model.ClassOf(err) == model.ClassFatal)
}

// apply does one action: what is about to be written is noted, written, and
// noted as written.
func (o Options) apply(ctx context.Context, a destination.Action) error {
	if err := o.step("intend", a); err != nil {
		return err
	}
	if err := o.note(ctx, func(t *ledger.Tx) error {
		for _, w := range append(a.Records[:len(a.Records):len(a.Records)], a.Forget...) {
			if w.Property == "" {
				continue
			}
			if err := t.IntendProvision(row(w)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := o.step("apply", a); err != nil {
		return err
	}
	if err := o.Destination.Apply(ctx, a); err != nil {
		return err
	}
	if err := o.step("confirm", a); err != nil {
		return err
	}
	return o.note(ctx, func(t *ledger.Tx) error {
		for _, w := range a.Records {
			if err := t.ConfirmProvision(row(w)); err != nil {
				return err
			}
		}
		for _, w := range a.Forget {
			if err := t.ForgetProvision(row(w)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (o Options) step(what string, a destination.Action) error {
	err := o.Step(what + " " + string(a.Kind) + " " + a.Subject)
	if err != nil {
		return &model.Fault{Class: model.ClassFatal, Code: "stopped", Err: err}
	}
	return nil
}

func (o Options) note(ctx context.Context, fn func(*ledger.Tx) error) error {
	if o.Ledger == nil {
		return nil
	}
	return o.Ledger.Write(ctx, fn)
}

// Failed counts actions that failed, and those in conflict.
func (r Result) Failed() (failed, conflicts int) {
	for _, a := range r.Actions {
		switch {
		case a.Skipped:
		case a.Err != nil:
			failed++
		case a.Verb == destination.VerbConflict:
			conflicts++
		}
	}
	return failed, conflicts
}

// Passwords counts accounts by what becomes of their passwords.
func (r Result) Passwords() map[destination.PasswordFate]int {
	out := map[destination.PasswordFate]int{}
	for _, a := range r.Actions {
		if a.Kind == destination.KindAccount && a.Password != "" && !a.Skipped && a.Err == nil {
			out[a.Password]++
		}
	}
	return out
}
