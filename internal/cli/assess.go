package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"mailhaul.org/mailhaul/internal/assess"
	"mailhaul.org/mailhaul/internal/engagement"
	"mailhaul.org/mailhaul/internal/model"
	"mailhaul.org/mailhaul/internal/report"
)

func (a *app) assessCommand() *cobra.Command {
	var which choice
	var sample, complete int
	cmd := &cobra.Command{
		Use: "assess [ACCOUNT…]", Short: "Size and examine every account; reads only",
		Long: `Read the source and say what a migration would meet: mailboxes, messages and
bytes per account, what cannot be carried as it is, passwords to reset, and how
long it will take. Nothing is written on either server. The report is kept as
HTML, CSV and JSON in the engagement's folder.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), args, which, func(e *engagement.Engagement, accounts []model.Account) error {
				return a.assess(cmd.Context(), e, accounts, sample, complete)
			})
		},
	}
	which.flag(cmd)
	cmd.Flags().IntVar(&sample, "sample", assess.DefaultSample, "read so many `messages` of each account completely; 0 reads none, -1 all")
	cmd.Flags().IntVar(&complete, "complete", assess.DefaultComplete, "convert so many `accounts` as a whole, to say what they would lose")
	return cmd
}

func (a *app) assess(ctx context.Context, e *engagement.Engagement, accounts []model.Account, sample, complete int) (err error) {
	o := assess.Options{Courtesy: a.courtesy(e), Accounts: e.Config.Limits.Accounts, Sample: sample, Complete: complete, Waves: waves(e, accounts),
		Organisation: e.OrganisationWithSizes, Window: e.Config.Limits.Hours.Daily(), Now: a.now}
	if accounts, err = e.WithForwarding(ctx, accounts); err != nil {
		return err
	}
	if o.Source, err = e.Source(ctx); err != nil {
		return err
	}
	if o.ScriptSetting, err = e.ScriptSetting(); err != nil {
		return err
	}
	// The old server can be assessed before the new one stands.
	e.AtOnce()
	if o.Destination, err = e.Destination(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		a.tell("assessing without the destination: " + err.Error())
	} else {
		o.Limits = o.Destination.Limits()
	}
	c := a.newCounter("seen", len(accounts))
	o.Progress = func(_ model.Account, messages int) { c.add(int64(messages)) }
	as, runErr := assess.Run(ctx, o, accounts)
	c.stop()
	if runErr != nil {
		return runErr
	}
	if err := a.publish(e, "assess", as, func(w io.Writer) error { return report.AssessTable(w, as) }, forms{
		".csv":  func(w io.Writer) error { return report.AssessCSV(w, as) },
		".html": func(w io.Writer) error { return report.AssessHTML(w, as) },
	}); err != nil {
		return err
	}
	return outcome(failed(as.Accounts, func(r assess.Account) error { return r.Err }))
}

// waves are the engagement's, with those of the accounts that are assessed.
func waves(e *engagement.Engagement, accounts []model.Account) (out []assess.Group) {
	wave := map[string]string{}
	for _, p := range e.Plan.Accounts {
		wave[p.Login] = p.Wave
	}
	for _, w := range e.Config.Waves {
		g := assess.Group{Name: w.Name}
		for _, acc := range accounts {
			if wave[acc.Login] == w.Name {
				g.Accounts = append(g.Accounts, acc.Login)
			}
		}
		out = append(out, g)
	}
	return out
}
