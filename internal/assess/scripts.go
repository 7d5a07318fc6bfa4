package assess

import (
	"context"

	"mailhaul.org/mailhaul/internal/sieve"
	"mailhaul.org/mailhaul/internal/source"
)

// scripts converts them as a run will, and tells what changes.
func (e *examiner) scripts(ctx context.Context) error {
	s, ok := e.store.(source.Scripts)
	if !ok {
		return nil
	}
	scripts, err := s.Scripts(ctx)
	if err != nil {
		if ctx.Err() != nil || lost(err) {
			return err
		}
		e.note(Anomaly{Code: "scriptsUnreadable", Text: err.Error(), Loss: true, Remedy: "repair them at the source, or give the login access to them"})
		return nil
	}
	set, err := source.SettingOf(ctx, e.store, e.acc, e.ScriptSetting)
	if err != nil {
		if ctx.Err() != nil || lost(err) {
			return err
		}
		e.note(Anomaly{Code: "scriptsUnreadable", Text: err.Error(), Loss: true, Remedy: "give the login access to the scripts that run for everybody, or leave them out of the configuration"})
	}
	set = sieve.ForAccount(set, e.acc, e.Limits.SieveMaxRedirect)
	target := e.Limits.Sieve()
	for _, p := range sieve.Plan(e.acc.Login, scripts, set) {
		e.out.Scripts++
		if p.As != p.Name {
			e.note(Anomaly{Code: "scriptRenamed", Item: p.Name, Text: "the destination keeps this name for its vacation response: the script gets another"})
		}
		_, changes, err := p.Convert(target)
		if err != nil {
			changes = []sieve.Change{{What: "syntax", Text: err.Error() + "; it stays behind", Loss: true,
				Proposal: "the old server cannot have run this script either; ask its user whether it is needed"}}
		}
		for _, c := range changes {
			a := Anomaly{Code: "scriptChanged", Item: p.Name, Remedy: c.Proposal, Loss: c.Loss}
			if c.Loss {
				a.Code = "script"
			}
			c.Proposal = ""
			a.Text = c.String()
			if !p.Active {
				a.Text += " (the script is not active)"
			}
			e.note(a)
		}
	}
	return nil
}
